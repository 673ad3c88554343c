"""Turns: what one seat says between two pauses, cut out of the stream of all microphones.

Promises: every active stretch of a seat in which there is a voice ends up in exactly one turn; the same samples give
the same turns. The longer a turn is, the shorter a pause ends it (`pause_s`), so that of a long speech only the last
sentence is left to be written when it ends; after `LONGEST_S` without any pause it is cut at its quietest moment, and
goes on as the next one. Nothing here waits or knows the time of day: it is fed, and answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.segmentation.speaker_gate import FRAME, FRAME_NS, SpeakerGate
from transcriber.segmentation.turn_times import TurnTimes
from transcriber.segmentation.voice_activity import VoiceActivity

PAUSE_S = 0.45
"""Ends a turn of any length; a longer turn is ended by a shorter pause."""
_SHORTER_PAUSES = ((5.0, 0.34), (8.0, 0.22))
"""(from so many seconds on, this pause ends a turn)."""
LONGEST_S = 10.0
_QUIETEST_WITHIN_S = 5.0
_BEFORE_S = 0.24
_AFTER_S = 0.2
_BEGIN_FRAMES, _BEGIN_WITHIN = 5, 9
_LEAST_ACTIVE_S = 0.16
_VOICE = 0.5
_HOLDING_VOICE = 0.2
_VOICE_LASTS = 12
"""Frames after the last sound of a voice in which what is merely loud still keeps a turn going: the end of a word."""
_LEAST_VOICED = 2
"""Windows of 32 ms with a voice in them; a turn with fewer is a cough."""
_SURELY_VOICED = 6
"""With so many, while nobody else speaks, a turn is speech however soft: most of it is below what counts as active."""
_BESIDE_LASTS = 25
"""Frames for which another seat's voice is still in the room after it."""
_LISTEN_AGAIN = 4

_LONGEST = round(LONGEST_S * 50)
_BEFORE = round(_BEFORE_S * 50)
_AFTER = round(_AFTER_S * 50)
_LEAST_ACTIVE = round(_LEAST_ACTIVE_S * 50)
_NS_PER_SAMPLE = 1_000_000_000 // RATE_HZ


def pause_s(seconds: float) -> float:
    """Return the pause that ends a turn of this length."""
    return next((pause for least, pause in reversed(_SHORTER_PAUSES) if seconds >= least), PAUSE_S)


@dataclass(eq=False, slots=True)
class Turn:
    """One seat's turn. Times are room time of the speech itself; `samples()` has a little before and after it."""

    channel: int
    start_ns: int
    audio_ns: int
    end_ns: int
    active_frames: int = 0
    voiced: int = 0
    """Windows of 32 ms with a voice in them."""
    beside_frames: int = 0
    """Frames in which another seat's microphone was active: what is soft then may be that voice."""
    times: TurnTimes = field(default_factory=TurnTimes)
    """Kept by whoever has a clock."""
    _activity: VoiceActivity = field(default_factory=VoiceActivity)
    _voiceless: int = 0
    _chunks: list[NDArray[np.int16]] = field(default_factory=list)
    _levels: list[float] = field(default_factory=list)
    _quiet: int = 0

    @property
    def frames(self) -> int:
        """How many frames of audio it holds."""
        return len(self._chunks)

    @property
    def seconds(self) -> float:
        """How long the audio is that it holds."""
        return self.frames * FRAME / RATE_HZ

    def samples(self, first: int = 0, last: int | None = None) -> Samples:
        """Return the audio so far, or some frames of it, from `audio_ns` on."""
        chunks = self._chunks[first:last]
        if not chunks:
            return np.zeros(0, np.float32)
        return np.concatenate(chunks).astype(np.float32) / 32768.0

    def quietest(self, first: int, last: int) -> int:
        """Find the frame in the middle of the quietest 100 ms between two frames, where a cut hurts least."""
        levels = np.convolve(self._levels[first:last], np.ones(5) / 5, "same")
        return first + 3 + int(np.argmin(levels[3:-3]))

    @property
    def level_db(self) -> float:
        """How loud it is at its louder moments, in dB of full scale."""
        return float(np.percentile(self._levels, 80)) if self._levels else -90.0

    def spoken(self) -> Samples:
        """Return what `samples()` will be if nothing more is said: the audio up to a little after the last word."""
        return self.samples(0, self.frames - max(self._quiet - _AFTER, 0))

    def _take(self, chunk: NDArray[np.int16], level: float, *, active: bool, held: bool, end_ns: int) -> None:
        self._chunks.append(chunk)
        self._levels.append(level)
        self.active_frames += active
        voices = self._activity.feed(chunk)
        self.voiced += int((voices > _VOICE).sum())
        self._voiceless = 0 if len(voices) and voices.max() > _HOLDING_VOICE else self._voiceless + 1
        if (held or active) and self._voiceless < _VOICE_LASTS:
            self._quiet = 0
            self.end_ns = end_ns
        else:
            self._quiet += 1

    def _trim(self) -> list[tuple[NDArray[np.int16], float]]:
        """Take the silence after the turn off it, and return it."""
        surplus = max(self._quiet - _AFTER, 0)
        keep = self.frames - surplus
        rest = list(zip(self._chunks[keep:], self._levels[keep:], strict=True))
        del self._chunks[keep:], self._levels[keep:]
        return rest

    def _before(self, end_ns: int) -> bool:
        """Forget what came after `end_ns`; False when nothing of the turn is left."""
        keep = max((end_ns - self.audio_ns) // FRAME_NS, 0)
        del self._chunks[keep:], self._levels[keep:]
        self.end_ns = min(self.end_ns, end_ns)
        return self.start_ns < end_ns

    @property
    def quiet_s(self) -> float:
        """For how long the speaker has been silent."""
        return self._quiet * FRAME / RATE_HZ

    def _split(self) -> Turn:
        """Cut at the quietest moment of the last seconds; what is after it is the next turn."""
        cut = self.quietest(self.frames - round(_QUIETEST_WITHIN_S * 50), self.frames)
        at_ns = self.audio_ns + cut * FRAME_NS
        rest = Turn(self.channel, at_ns, at_ns, self.end_ns)
        rest._chunks, rest._levels, rest._quiet = self._chunks[cut:], self._levels[cut:], self._quiet
        rest.active_frames, rest.voiced = _LEAST_ACTIVE, _LEAST_VOICED  # the middle of speech: never thrown away
        rest._activity, rest._voiceless = self._activity, self._voiceless
        self._chunks, self._levels, self._quiet = self._chunks[:cut], self._levels[:cut], 0
        self.end_ns = at_ns
        return rest


class _Seat:
    """The recent past of one channel, and its turn if it has one."""

    def __init__(self, channel: int) -> None:
        self.channel = channel
        self.turn: Turn | None = None
        self.silent_until_ns = 0
        self._past: list[tuple[int, NDArray[np.int16], float, bool]] = []
        self._listen_in = 0
        self._beside_in = 0

    def frame(
        self, at_ns: int, chunk: NDArray[np.int16], level: float, *, active: bool, held: bool, beside: bool
    ) -> Turn | None:
        """Take 20 ms; returns the turn that this frame ended. `beside`: another seat is active."""
        if at_ns < self.silent_until_ns:
            active = held = False
        turn = self.turn
        if turn is None:
            self._past.append((at_ns, chunk, level, active))
            self._beside_in = _BESIDE_LASTS if beside else self._beside_in - 1
            del self._past[: -(_BEFORE + _BEGIN_WITHIN)]
            self._listen_in -= 1
            loud = active and sum(a for _, _, _, a in self._past[-_BEGIN_WITHIN:]) >= _BEGIN_FRAMES
            if loud and self._listen_in <= 0:
                self._listen_in = _LISTEN_AGAIN
                voices = VoiceActivity().feed(np.concatenate([chunk for _, chunk, _, _ in self._past]))
                if voices.max(initial=0) > _VOICE:
                    self._begin()
            return None
        turn._take(chunk, level, active=active, held=held, end_ns=at_ns + FRAME_NS)
        turn.beside_frames += beside
        if turn.quiet_s >= pause_s((turn.end_ns - turn.start_ns) / 1e9) - 1e-6:
            return self.end(at_ns + FRAME_NS)
        if turn.frames >= _LONGEST:
            self.turn = turn._split()
            return turn
        return None

    def _begin(self) -> None:
        recent = max(len(self._past) - _BEGIN_WITHIN, 0)
        first = next(i for i in range(recent, len(self._past)) if self._past[i][3])
        start = max(first - _BEFORE, 0)
        while self._past[start][0] < self.silent_until_ns:  # those words are in the record already
            start += 1
        start_ns = self._past[first][0]
        self.turn = Turn(self.channel, start_ns, self._past[start][0], start_ns)
        self.turn.beside_frames = int(self._beside_in > 0)
        for at_ns, chunk, level, active in self._past[start:]:
            self.turn._take(chunk, level, active=active, held=active, end_ns=at_ns + FRAME_NS)
        self._past.clear()

    def end(self, now_ns: int | None = None) -> Turn | None:
        """End the turn now; a turn of hardly any speech is no turn. With `now_ns` the sound goes on after it."""
        turn, self.turn = self.turn, None
        self._past.clear()
        if turn is None:
            return None
        rest = turn._trim()
        if now_ns is not None:  # the beginning of what comes next may be in it
            first_ns = now_ns - len(rest) * FRAME_NS
            self._past += [(first_ns + i * FRAME_NS, chunk, level, False) for i, (chunk, level) in enumerate(rest)]
        alone = turn.voiced >= _SURELY_VOICED and not turn.beside_frames
        if turn.voiced < _LEAST_VOICED or (turn.active_frames < _LEAST_ACTIVE and not alone):
            return None
        return turn


class Endpointer:
    """Cuts the turns of all seats of a room."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        """`channels` are those with a seat; `width` says how many the audio has."""
        VoiceActivity()  # its model is loaded now, and no first word waits for it
        self._gate = SpeakerGate(width)
        self._seats = [_Seat(c) for c in channels]
        self._width = width
        self._rest = np.zeros((0, width), np.int16)
        self._next_ns: int | None = None

    @property
    def position_ns(self) -> int | None:
        """Everything before this moment was looked at."""
        return self._next_ns

    @property
    def turns(self) -> list[Turn]:
        """The turns that go on."""
        return [s.turn for s in self._seats if s.turn is not None]

    def silence(self, channel: int, until_ns: int) -> None:
        """Take nothing of `channel` before `until_ns` for speech: it is in the record already."""
        for seat in self._seats:
            if seat.channel == channel:
                seat.silent_until_ns = max(seat.silent_until_ns, until_ns)

    def feed(self, from_ns: int, samples: NDArray[np.int16]) -> list[Turn]:
        """Take samples (shape n, width) that begin at `from_ns`; returns the turns that they ended, oldest first.

        A hole of more than 100 ms before them ends all turns; samples that were already fed are skipped.
        """
        ended: list[Turn] = []
        if self._next_ns is not None:
            expected_ns = self._next_ns + len(self._rest) * _NS_PER_SAMPLE
            ahead_ns = from_ns - expected_ns
            if ahead_ns > 100_000_000:
                ended += self.end()
                self._next_ns = None
            elif ahead_ns < -100_000_000:
                samples = samples[-ahead_ns // _NS_PER_SAMPLE :]
                from_ns = expected_ns
            else:
                # The room's clock and the sound card's differ by parts in a million: follow slowly, never jump.
                self._next_ns += max(-1_000_000, min(1_000_000, ahead_ns))
        if self._next_ns is None:
            self._rest = self._rest[:0]
            self._next_ns = from_ns
        if len(samples):
            samples = np.concatenate([self._rest, samples])
            whole = len(samples) // FRAME * FRAME
            self._rest = samples[whole:]
            if whole:
                ended += self._frames(samples[:whole])
        return ended

    def _frames(self, samples: NDArray[np.int16]) -> list[Turn]:
        assert self._next_ns is not None
        active, held, level = self._gate.frames(samples)
        speaking = active.sum(axis=1)
        ended: list[Turn] = []
        for i in range(len(active)):
            chunk = samples[i * FRAME : (i + 1) * FRAME]
            for seat in self._seats:
                c = seat.channel
                turn = seat.frame(
                    self._next_ns,
                    chunk[:, c].copy(),
                    float(level[i, c]),
                    active=bool(active[i, c]),
                    held=bool(held[i, c]),
                    beside=bool(speaking[i] > active[i, c]),
                )
                if turn is not None:
                    ended.append(turn)
            self._next_ns += FRAME_NS
        return ended

    def end(self, at_ns: int | None = None) -> list[Turn]:
        """End all turns now (a recess, the close, a hole in the sound), as if nothing came after `at_ns`."""
        ended = [t for t in (seat.end() for seat in self._seats) if t is not None]
        if at_ns is not None:
            ended = [t for t in ended if t._before(at_ns)]
        return sorted(ended, key=lambda t: t.start_ns)
