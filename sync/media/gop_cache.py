"""What a new watcher of a track needs to see a picture at once: the init, and all since the last key frame.

`GopCache` remembers that for every track; `WatcherGate` is one watcher's view of one track and knows when fragments
must be left out: after a loss nothing is let through before the next key frame, because what depends on lost pictures
is not a picture. Smart codecs send a key frame every 10 to 50 seconds, so up to `MAX_GOP_NS` are held; what is longer
would keep a newcomer decoding for seconds. It is bounded in bytes as well, per track and in sum. Of a track that goes
beyond, and of one that lost a fragment, only the fragment with the key frame is left. A newcomer then sees that one
picture, not a black one, and goes on with the next key frame; the page says so.

Nobody begins with a picture of long ago: of a track of which nothing has come for `FRESH_S` nothing is held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sync.media.envelope import Envelope
from sync.runtime.units import NS_PER_S

MAX_GOP_BYTES = 24 * 1024 * 1024
"""Per track: 48 seconds at 4 Mbit/s."""
MAX_GOP_NS = 30 * NS_PER_S
MAX_TOTAL_BYTES = 256 * 1024 * 1024
"""Of all tracks of a cache: what holds most gives way."""
FRESH_S = 10.0
"""A fragment comes several times a second."""


@dataclass(frozen=True, slots=True)
class GopStart:
    """What a newcomer to a track is sent. `whole`: what comes next can be decoded after it."""

    fragments: Sequence[bytes] = ()
    whole: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(map(len, self.fragments))

    def within(self, limit_bytes: int) -> GopStart:
        """All of it where it fits, else its key frame alone."""
        return self if self.size <= limit_bytes else GopStart(self.fragments[:1])


@dataclass(slots=True)
class _TrackGop:
    init: bytes | None = None
    init_id: int | None = None
    fragments: list[bytes] = field(default_factory=list)
    size: int = 0
    from_ns: int = 0
    """When the key frame was taken, room time."""
    whole: bool = True
    """Nothing since the key frame is missing."""
    came_s: float = 0.0
    """When the last of the fragments came."""

    def restart(self) -> None:
        self.fragments = []
        self.size = 0
        self.whole = True

    def break_off(self) -> None:
        """Keep the key frame alone."""
        del self.fragments[1:]
        self.size = sum(map(len, self.fragments))
        self.whole = False


class GopCache:
    """The last init and the fragments since the last key frame of each track, in the form in which they are sent on."""

    def __init__(
        self,
        limit_bytes: int = MAX_GOP_BYTES,
        total_bytes: int = MAX_TOTAL_BYTES,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit_bytes`: how much of one track is held; `total_bytes`: of all."""
        self._monotonic = monotonic
        self._limit = limit_bytes
        self._total = total_bytes
        self._tracks: dict[str, _TrackGop] = {}
        self._held = 0
        """Bytes of all fragments."""

    def init(self, track: str, envelope: Envelope, message: bytes) -> bool:
        """Hold the init of a worker's run; what came before another one cannot be decoded with it.

        `message` is `envelope` as watchers get it. False when this very message is held already.
        """
        known = self._tracks.setdefault(track, _TrackGop())
        if known.init == message:
            return False
        if envelope.init_id != known.init_id:
            self._restart(known)
        known.init, known.init_id = message, envelope.init_id
        return True

    def fragment(self, track: str, envelope: Envelope, message: bytes) -> None:
        """Hold a fragment; `message` is `envelope` as watchers get it."""
        known = self._tracks.setdefault(track, _TrackGop())
        known.came_s = self._monotonic()
        if envelope.key_frame:
            self._restart(known)
        elif not known.fragments or not known.whole:
            return
        if envelope.init_id != known.init_id:
            self._restart(known)
            return
        if not known.fragments:
            known.from_ns = envelope.room_ns
        known.fragments.append(message)
        known.size += len(message)
        self._held += len(message)
        if known.size > self._limit or envelope.room_ns - known.from_ns > MAX_GOP_NS:
            self._break_off(known)
        while self._held > self._total:
            most = max(self._tracks.values(), key=lambda one: (len(one.fragments) > 1, one.size))
            if len(most.fragments) > 1:
                self._break_off(most)
            else:
                self._restart(most)

    def _restart(self, known: _TrackGop) -> None:
        self._held -= known.size
        known.restart()

    def _break_off(self, known: _TrackGop) -> None:
        self._held -= known.size
        known.break_off()
        self._held += known.size

    def interrupted(self, track: str) -> None:
        """A fragment of the track is missing: only its key frame is of use to a newcomer."""
        known = self._tracks.get(track)
        if known is not None:
            self._break_off(known)

    def forget(self, track: str) -> None:
        """Hold no fragment of a track any more; its init stays."""
        known = self._tracks.get(track)
        if known is not None:
            self._restart(known)

    def init_of(self, track: str) -> bytes | None:
        """The init of a track, as it is sent on."""
        known = self._tracks.get(track)
        return None if known is None else known.init

    def init_id(self, track: str) -> int | None:
        """Which run of its worker a track's init is of."""
        known = self._tracks.get(track)
        return None if known is None else known.init_id

    def since_key_frame(self, track: str) -> GopStart:
        """Fragments from the last key frame on; empty when there was none yet, or the track has stopped since."""
        known = self._tracks.get(track)
        if known is None or not known.fragments:
            return GopStart()
        if self._monotonic() - known.came_s > FRESH_S:
            self._restart(known)
            return GopStart()
        return GopStart(list(known.fragments), known.whole)


class WatcherGate:
    """Lets the fragments of one track pass to one watcher; closed by `lose`, opened by the next key frame."""

    def __init__(self, *, opened: bool = False) -> None:
        """`opened`: the watcher already holds everything since the last key frame."""
        self.is_open = opened

    def lose(self) -> None:
        """Something was lost: wait for a key frame."""
        self.is_open = False

    def passes(self, envelope: Envelope) -> bool:
        """Whether this fragment can be shown."""
        if envelope.key_frame:
            self.is_open = True
        return self.is_open
