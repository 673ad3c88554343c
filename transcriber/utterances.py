"""The record of what was said: each finished turn in which there were words becomes one event `utterance`.

Promises: the same speech has the same name after every restart, so that it is in the record once; words keep their
times within the turn. A disk that refuses an utterance is asked again until it takes it: `trouble` says so meanwhile.
Words that no record can hold are written as a turn that was not heard: they would be no other when asked for again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import structlog

from hardware.profile import Seat
from sync.errors import StorageError
from sync.record.bodies.words import SpokenWord, UtteranceBody
from sync.record.event import Event
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from transcriber.backlog import HearingJob
from transcriber.correction.vocabulary.punctuation import punctuated
from transcriber.diarization.voices import Voices
from transcriber.recognition.recognizer import Rejection, Transcription
from transcriber.segmentation.endpointer import Turn
from transcriber.unheard import line_of

log = structlog.get_logger(__name__)

_EDGE_NS = 400_000_000
"""So near to it, a first or last word reaches to the edge of the turn."""
_RETRY_S = 1.0


class UtteranceWriter:
    """Writes utterances one after the other. All methods belong to one event loop."""

    def __init__(
        self, *, seats: Mapping[int, Seat], room_log: RoomLog, clock: RoomClock, feed: FeedServer, voices: Voices
    ) -> None:
        """`seats` are those of the room, by the channel of their microphone."""
        self._seats = seats
        self._log = room_log
        self._clock = clock
        self._feed = feed
        self._voices = voices
        self.trouble = ""
        """Why the disk does not take an utterance now; empty when it does."""

    async def write(self, job: HearingJob, turn: Turn, transcription: Transcription) -> Event:
        """Write the event and return it; this waits as long as the disk refuses it."""
        seat = self._seats[turn.channel]
        name = utterance_id(job, seat, turn)
        voice, role = await self._voices.whose(job.hearing, seat, turn.samples())

        def body_of(made: Transcription) -> UtteranceBody:
            return {
                "id": name,
                "seat": seat.id,
                "role": role,
                "start_ns": turn.start_ns,
                "end_ns": turn.end_ns,
                "text": made.text,
                "confidence": made.confidence,
                "voice": voice,
                "words": _timed_words(turn, made),
            }

        try:
            body = body_of(punctuated(transcription))
            json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, OverflowError) as error:  # a number that is none, or half of a character
            log.error("utterance_unwritable", utterance=name, why=str(error)[:200])
            body = body_of(line_of(Transcription(rejection=Rejection.NOT_HEARD)))
        while True:
            try:
                event = await asyncio.to_thread(
                    self._log.append,
                    "utterance",
                    body,
                    hearing=job.hearing,
                    room_ns=self._clock.now_ns(),
                    utc_ns=self._clock.utc_now_ns(),
                    key=f"utterance:{name}",
                )
            except StorageError as error:
                self.trouble = error.message
                log.error("utterance_waits", why=error.message)
                await asyncio.sleep(_RETRY_S)
                continue
            self.trouble = ""
            self._feed.publish_json("log", {"number": event.number})
            return event


def _timed_words(turn: Turn, transcription: Transcription) -> list[SpokenWord]:
    times = word_times(turn, transcription)
    return [
        {"text": word.text, "start_ns": start_ns, "end_ns": end_ns, "probability": word.probability}
        for word, (start_ns, end_ns) in zip(transcription.words, times, strict=True)
    ]


def word_times(turn: Turn, transcription: Transcription) -> list[tuple[int, int]]:
    """Return the room time of every word: as the engine aligned it, but within what the speaker gate took for speech.

    An engine lets the first word begin with its sound, silence included, and ends the last one anywhere near.
    """
    times = [
        (
            min(max(turn.audio_ns + int(word.start_s * 1e9), turn.start_ns), turn.end_ns),
            min(max(turn.audio_ns + int(word.end_s * 1e9), turn.start_ns), turn.end_ns),
        )
        for word in transcription.words
    ]
    if times and times[0][0] - turn.start_ns < _EDGE_NS:
        times[0] = (turn.start_ns, times[0][1])
    if times and turn.end_ns - times[-1][1] < _EDGE_NS:
        times[-1] = (times[-1][0], turn.end_ns)
    return times


def utterance_id(job: HearingJob, seat: Seat, turn: Turn) -> str:
    """Return the name of what was said, which is the same after every restart."""
    return f"{job.hearing}-{seat.id}-{(turn.start_ns - job.opened_ns) // 1_000_000}"
