"""One browser tab: what it must still be sent, bounded, so that a slow tab slows nobody.

Text goes before pictures, in its order, and is never dropped: a tab that lags by more than `MAX_TEXTS` is cut off and
gets the whole state when it comes back. Of text that replaces itself (levels, a status, a caption) only the newest
waits, in the place of the one before. A tab that does not keep up with its pictures loses those that wait, is told so
with `{"type": "lost", "address": …, "slow": true}` and goes on with the next key frame of each track. Where a key frame
comes and what waits before it is older by `BEHIND_NS`, it is let go of: what is shown is the newest there is.

Each message knows of which hearing it is, and is judged again when its turn comes: what was put into the queue while it
could be seen, and may not be seen any more, is not sent, however slow the tab was. So it is with the times that it is
of: what lies in a part of the hearing that may not be seen is not sent, and of a track what could not be decoded after
it neither.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from typing_extensions import TypedDict

from sync.media.envelope import Envelope, Kind, addressed_header, addressed_span_ns
from sync.media.gop_cache import MAX_GOP_BYTES, GopStart, WatcherGate
from sync.runtime.units import NS_PER_S

CLIENT_BYTES = 8 * 1024 * 1024
"""Media waiting for one tab: about ten seconds of two cameras."""
START_BYTES = MAX_GOP_BYTES
"""What may wait beyond that because tracks were begun with all since their key frames."""
BEHIND_NS = NS_PER_S
"""After three seconds of standing still a line has one to catch up with, and what came since the last key frame."""
MAX_TEXTS = 4000


MaySee = Callable[[str | None], bool]
"""Whether somebody may see a hearing; None: what is of none."""
MaySeeSpan = Callable[[str | None, int, int], bool]
"""Whether somebody may see [from, to) of it, in nanoseconds."""
Spans = Sequence[tuple[int, int]]
"""The room times [from, to) that a message is of; none: it is of no time."""


class LostMessage(TypedDict):
    """Fragments of a track are missing for this tab; `address` as it watches it: `track`, or `court/room/track`.

    `slow`: they were dropped because the tab does not keep up. Else they did not come, or may not be seen by it.
    """

    type: Literal["lost"]
    address: str
    slow: bool


class TooSlowError(Exception):
    """The tab lags too far behind to be told everything."""


@dataclass(slots=True)
class _Message:
    """One message that waits; `kind` None is text."""

    data: bytes | str | Callable[[], str]
    """What is made when it is sent is always as it is then."""
    kind: Kind | None
    address: str = ""
    hearing: str | None = None
    """None for what is of no hearing."""
    room: str = ""
    """Of text: an address that the tab must be allowed to watch (`…/`)."""
    spans: Spans = ()

    @property
    def size(self) -> int:
        """Bytes of media."""
        return len(self.data) if isinstance(self.data, bytes) else 0


class LiveTab:
    """One browser tab. All methods belong to one event loop; messages are packed and addressed already."""

    def __init__(
        self,
        limit_bytes: int = CLIENT_BYTES,
        may_watch: Callable[[str], bool] = lambda name: True,
        may_see: Callable[[str | None], bool] = lambda hearing: True,
        may_see_span: Callable[[str | None, int, int], bool] = lambda hearing, from_ns, to_ns: True,
        until_known: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`until_known` returns when it is known who may see what: until then nothing is judged, nor sent."""
        self._until_known = until_known
        self.may_watch = may_watch
        """Whether this tab may see what an address (`…/track`) shows, now."""
        self.may_see = may_see
        """Whether it may see a hearing, which may be another than the one that its room has now."""
        self.may_see_span = may_see_span
        """Whether it may see [from, to) of a hearing that it may see."""
        self._limit = limit_bytes
        self._texts: deque[_Message] = deque()
        self._replaced: dict[str, _Message] = {}
        self._media: deque[_Message] = deque()
        self._media_bytes = 0
        self._start_bytes = 0
        """How much of what waits is there because tracks were begun."""
        self._thumbnails: dict[str, _Message] = {}
        self._thumbnails_sent: dict[str, bytes] = {}
        """track -> the header of the last one that was sent."""
        self._gates: dict[str, WatcherGate] = {}
        self._ready = asyncio.Event()
        self.wanted: dict[str, list[str]] = {}
        """Lists of addresses that the tab said last, other than `watch`."""
        self.first_sight: Sequence[str] = ()
        """The rooms that it has in sight before it says so itself."""
        self.asked_whole = False
        """Whether the tab has asked for the whole state since somebody looked: it has missed something."""
        self.whole: Callable[[], object] | None = None
        """Makes the whole state of this tab, where its server can."""
        self.lost = 0
        """Media messages dropped because this tab was slow."""

    @property
    def watched(self) -> frozenset[str]:
        """The addresses that this tab watches."""
        return frozenset(self._gates)

    # Text

    def text(self, value: object, *, replaces: str = "", hearing: str | None = None) -> None:
        """Queue a JSON message of a hearing; the one before of the same `replaces` that still waits gives it its place.

        A function is asked for its value when the message is sent; of an empty text nothing is sent.
        """
        made = (lambda: json.dumps(value(), ensure_ascii=False)) if callable(value) else None
        self.text_packed(made or json.dumps(value, ensure_ascii=False), replaces=replaces, hearing=hearing)

    def text_packed(
        self,
        text: str | Callable[[], str],
        *,
        replaces: str = "",
        hearing: str | None = None,
        room: str = "",
        spans: Spans = (),
    ) -> None:
        """Queue a JSON message that is text already; of a `room` that must be seen as well, when one is said."""
        if not self._may_see_all(hearing, spans):
            return
        waiting = self._replaced.get(replaces) if replaces else None
        if waiting is not None:
            waiting.data, waiting.hearing, waiting.room, waiting.spans = text, hearing, room, spans
            return
        if len(self._texts) > MAX_TEXTS:
            return  # it is cut off at its next turn, and gets the whole state when it comes back
        message = _Message(text, None, replaces, hearing, room, spans)
        if replaces:
            self._replaced[replaces] = message
        self._texts.append(message)
        self._ready.set()

    # Pictures and sound

    def start(self, name: str, init: bytes | None, held: GopStart, hearing: str | None = None) -> None:
        """Watch a track from now on: its init, and what is `held` of it, of a hearing, from its last key frame on."""
        self._start_bytes = min(self._start_bytes, self._media_bytes)
        if not all(self.may_see_span(hearing, *addressed_span_ns(packed)) for packed in held.fragments):
            held = GopStart()
        held = held.within(START_BYTES - self._start_bytes)
        self._gates[name] = WatcherGate(opened=held.whole)
        if init is not None:
            self._put(_Message(init, Kind.INIT, name))
        self._start_bytes += held.size
        for packed in held.fragments:
            self._put(_Message(packed, Kind.FRAGMENT, name, hearing, spans=(addressed_span_ns(packed),)))

    def stop(self, name: str) -> None:
        """Do not watch a track any more: not even what waits is sent."""
        self._gates.pop(name, None)
        self._drop(lambda item: item.address == name and item.kind is not Kind.THUMBNAIL)

    def init(self, name: str, packed: bytes) -> None:
        """A track begins anew: what follows begins with a key frame."""
        if name in self._gates:
            self._gates[name].lose()
            if any(item.kind is Kind.INIT and item.address == name for item in self._media):
                # A track that begins again and again: of what nobody took in between only the last beginning waits.
                self.lost += self._drop(lambda item: item.address == name and item.kind is not Kind.THUMBNAIL)
            self._put(_Message(packed, Kind.INIT, name))

    def media(self, name: str, envelope: Envelope, packed: bytes, hearing: str | None = None) -> None:
        """Queue a fragment of a watched track, or leave it out when it cannot be decoded after a loss."""
        gate = self._gates.get(name)
        if gate is None:
            return
        if not self.may_see_span(hearing, *envelope.span_ns):
            self.interrupted(name)
        elif gate.passes(envelope):
            if envelope.key_frame:
                self._catch_up(name, envelope.room_ns)
            self._put_fragment(name, packed, hearing, envelope.span_ns)

    def _catch_up(self, name: str, now_ns: int) -> None:
        """Let go of what waits of a track when it is far behind what begins now."""

        def is_of_it(item: _Message) -> bool:
            return item.kind is Kind.FRAGMENT and item.address == name

        oldest = next((item for item in self._media if is_of_it(item)), None)
        if oldest is not None and any(span[1] < now_ns - BEHIND_NS for span in oldest.spans):
            self.lost += self._drop(is_of_it)
            self._notify_loss(name, slow=True)

    def thumbnail(self, name: str, packed: bytes, hearing: str | None = None) -> None:
        """Queue a still picture; only the newest of a track waits."""
        spans = (addressed_span_ns(packed),)
        if not self._may_see_all(hearing, spans):
            return
        waiting = self._thumbnails.get(name)
        if waiting is not None:
            waiting.data, waiting.hearing, waiting.spans = packed, hearing, spans
            return
        self._thumbnails[name] = _Message(packed, Kind.THUMBNAIL, name, hearing, spans=spans)
        self._media.append(self._thumbnails[name])
        self._ready.set()

    def thumbnail_again(self, name: str, packed: bytes, hearing: str | None) -> None:
        """Queue a still picture, unless it is the one that this tab was sent last of its track."""
        if self._thumbnails_sent.get(name) != addressed_header(packed):
            self.thumbnail(name, packed, hearing)

    def drop_thumbnails(self, which: Callable[[str], bool]) -> None:
        """Of these tracks no still picture is wanted any more, not even what waits."""
        gone = {name for name in self._thumbnails if which(name)}
        if gone:
            self._drop(lambda item: item.kind is Kind.THUMBNAIL and item.address in gone)
            for name in gone:
                del self._thumbnails[name]

    def interrupted(self, name: str) -> None:
        """What follows of a track cannot be decoded before its next key frame."""
        gate = self._gates.get(name)
        if gate is not None and gate.is_open:
            gate.lose()
            self._notify_loss(name, slow=False)

    def _notify_loss(self, name: str, *, slow: bool) -> None:
        lost: LostMessage = {"type": "lost", "address": name, "slow": slow}
        self.text(lost)

    def _put_fragment(self, name: str, packed: bytes, hearing: str | None, span_ns: tuple[int, int]) -> None:
        self._put(_Message(packed, Kind.FRAGMENT, name, hearing, spans=(span_ns,)))
        self._start_bytes = min(self._start_bytes, self._media_bytes)
        if self._media_bytes > self._limit + self._start_bytes:
            self._shed()

    def _put(self, item: _Message) -> None:
        self._media.append(item)
        self._media_bytes += item.size
        self._ready.set()

    def _shed(self) -> None:
        names = {item.address for item in self._media if item.kind is Kind.FRAGMENT}
        self.lost += self._drop(lambda item: item.kind is Kind.FRAGMENT)
        for name in sorted(names):
            self._gates[name].lose()
            self._notify_loss(name, slow=True)

    def _drop(self, which: Callable[[_Message], bool]) -> int:
        kept = deque(item for item in self._media if not which(item))
        dropped = len(self._media) - len(kept)
        self._media = kept
        self._media_bytes = sum(item.size for item in kept if item.kind is not Kind.THUMBNAIL)
        return dropped

    # What is sent

    def recheck(self) -> None:
        """What this tab may see has changed: what waits and may not be sent any more is let go of."""
        self._texts = deque(item for item in self._texts if self._may_send(item))
        self._replaced = {item.address: item for item in self._texts if item.address}
        # What follows a part that may not be seen cannot be decoded without it.
        cut = {m.address for m in self._media if m.kind is Kind.FRAGMENT and not self._may_send(m)} & self._gates.keys()
        self._drop(lambda item: not self._may_send(item) or (item.kind is Kind.FRAGMENT and item.address in cut))
        for name in sorted(cut):
            self.interrupted(name)
        waiting = {id(item) for item in self._media}
        self._thumbnails = {name: item for name, item in self._thumbnails.items() if id(item) in waiting}

    def _may_send(self, item: _Message) -> bool:
        name = item.room if item.kind is None else item.address
        allowed = self.may_see(item.hearing) and (not name or self.may_watch(name))
        return allowed and self._may_see_all(item.hearing, item.spans)

    def _may_see_all(self, hearing: str | None, spans: Spans) -> bool:
        return all(self.may_see_span(hearing, *span) for span in spans)

    async def next(self) -> str | bytes:
        """What to send now. `TooSlowError` when too much text waits: the tab must start anew."""
        while True:
            item = await self._take()
            if self._until_known is not None:
                await self._until_known()
            if not self._may_send(item):
                continue
            data = item.data() if callable(item.data) else item.data
            if item.kind is Kind.THUMBNAIL and isinstance(data, bytes):
                self._thumbnails_sent[item.address] = addressed_header(data)
            if data:
                return data

    async def _take(self) -> _Message:
        while not (self._texts or self._media):
            self._ready.clear()
            await self._ready.wait()
        if len(self._texts) > MAX_TEXTS:
            raise TooSlowError
        if self._texts:
            item = self._texts.popleft()
            self._replaced.pop(item.address, None)
            return item
        item = self._media.popleft()
        if item.kind is Kind.THUMBNAIL:
            self._thumbnails.pop(item.address, None)
        else:
            self._media_bytes -= item.size
        return item
