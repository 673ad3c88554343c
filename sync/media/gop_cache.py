"""What a new watcher of a track needs to see a picture at once: the init, and all since the last key frame.

`GopCache` remembers that for every track; `WatcherGate` is one watcher's view of one track and knows when fragments
must be left out: after a loss nothing is let through before the next key frame, because what depends on lost pictures
is not a picture. Both are bounded: a track that sends no key frame for `MAX_GOP_BYTES` is forgotten until it sends one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.media.envelope import Envelope

MAX_GOP_BYTES = 4 * 1024 * 1024
"""Per track: several seconds of a camera."""


@dataclass(slots=True)
class _TrackGop:
    init: bytes | None = None
    init_id: int | None = None
    fragments: list[bytes] = field(default_factory=list)
    size: int = 0

    def restart(self) -> None:
        self.fragments = []
        self.size = 0


class GopCache:
    """The last init and the fragments since the last key frame of each track, as packed envelopes."""

    def __init__(self) -> None:
        self._tracks: dict[str, _TrackGop] = {}

    def init(self, track: str, message: bytes) -> None:
        """A worker of `track` began to run: what came before cannot be decoded with this init."""
        init_id = Envelope.unpack(message).init_id
        known = self._tracks.setdefault(track, _TrackGop())
        if init_id != known.init_id:
            known.restart()
        known.init, known.init_id = message, init_id

    def fragment(self, track: str, message: bytes) -> Envelope:
        """Take a fragment; returns it unpacked so that nobody has to do it twice."""
        envelope = Envelope.unpack(message)
        known = self._tracks.setdefault(track, _TrackGop())
        if envelope.key_frame:
            known.restart()
        elif not known.fragments:
            return envelope
        if envelope.init_id != known.init_id or known.size + len(message) > MAX_GOP_BYTES:
            known.restart()
            return envelope
        known.fragments.append(message)
        known.size += len(message)
        return envelope

    def forget(self, track: str) -> None:
        """Hold no fragment of a track any more; its init stays."""
        known = self._tracks.get(track)
        if known is not None:
            known.restart()

    def inits(self) -> dict[str, bytes]:
        """The init of every track that has one."""
        return {name: track.init for name, track in self._tracks.items() if track.init is not None}

    def since_key_frame(self, track: str) -> list[bytes]:
        """Fragments from the last key frame on; empty when there was none yet."""
        known = self._tracks.get(track)
        return [] if known is None else list(known.fragments)


class WatcherGate:
    """Lets the fragments of one track pass to one watcher; closed by `lose`, opened by the next key frame."""

    def __init__(self, *, opened: bool = False) -> None:
        """`opened`: the watcher already holds everything since the last key frame."""
        self._open = opened

    def lose(self) -> None:
        """Something was lost: wait for a key frame."""
        self._open = False

    def passes(self, envelope: Envelope) -> bool:
        """Whether this fragment can be shown."""
        if envelope.key_frame:
            self._open = True
        return self._open
