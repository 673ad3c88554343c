"""The live side of the center: rooms' messages to the inspectors' tabs, and what is watched back to the rooms.

Who may see something live is judged by the hearing that it is of. What cannot be told to be of one that the room has
named, or of none, goes to nobody: all of a room that has not said its status yet, what is being kept while no hearing
is known to run, what is older than the end of the last hearing, words and levels without a known hearing. What lies in
a sealed part of a hearing goes to who may see that part, and to nobody else, by the time that it is of.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import structlog
from fastapi import WebSocket

from server.access.classification import Classifications
from server.access.sealing import Sealing
from server.access.shared_rights import SharedRights
from server.events.admission import Received
from server.events.moments import spans_of
from server.events.redaction import shown
from server.ingest.mqtt import CenterBroker
from server.ingest.signed_publisher import SignedPublisher
from server.live.demands import RoomDemands
from server.live.tab_messages import CenterCaption, CenterEvent, CenterLink, CenterMessage, CenterSealed
from server.live.wall_feed import WallFeed
from server.rooms import KnownRoom, Rooms
from sync import topics
from sync.errors import CenterError, EnvelopeError
from sync.http.live.gateway import MAX_WATCHED, UNBEGUN, Gateway
from sync.http.live.tab import CLIENT_BYTES, LiveTab, MaySee, MaySeeSpan, Spans
from sync.media.budgets import MAX_HEADER_BYTES
from sync.media.envelope import Envelope, Kind
from sync.record.milliseconds import event_to_ms, to_ms
from sync.record.sealed_parts import EVER
from sync.runtime.listeners import Listeners
from sync.runtime.units import NS_PER_MS
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

MAX_TEXT_BYTES = 64 * 1024
MOST_MS = 2.0**62 / NS_PER_MS
MAX_TRACKS = 16
"""Of one room: four cameras and the sound are six."""
_TRACK = re.compile(r"[A-Za-z0-9._-]{1,64}")


class LiveHub:
    """All methods belong to one event loop."""

    def __init__(
        self,
        rooms: Rooms,
        classifications: Classifications,
        sealing: Sealing,
        broker: CenterBroker,
        publisher: SignedPublisher,
        *,
        client_bytes: int = CLIENT_BYTES,
        rights: SharedRights | None = None,
    ) -> None:
        """Listens to all of them from now on. `rights`: where other processes change them, too."""
        others = rights if rights is not None and rights.shared else None
        self._shared = others is not None
        self.gateway = Gateway(
            client_bytes=client_bytes,
            on_demand=self._wanted,
            on_sight=self._in_sight,
            until_known=None if others is None else others.until_known,
        )
        self.looked_at = Listeners[[Collection[str]]]()
        """Told of rooms of which something else is wanted here than before, before the rooms themselves are."""
        self.visited = Listeners[[]]()
        """Told when somebody asks once how rooms are, without staying."""
        process = "" if others is None else others.process
        self.demands = RoomDemands(rooms, self.gateway.audience, publisher, self.gateway.interrupted, process=process)
        self.wall = WallFeed(rooms, self.gateway.audience, self._now)
        self.judged_anew = Listeners[[KnownRoom]]()
        """Told of a room that runs another hearing than before, or one that others may see."""
        self._rooms = rooms
        self._broker = broker
        self._sequences: dict[str, int] = {}
        self._tracks: dict[str, set[str]] = {}
        self._hearings: dict[str, str | None] = {}
        self._ended_ns: dict[str, int] = {}
        self._uplinks: dict[str, str] = {}
        """room -> the run of its uplink of which live media is kept."""
        rooms.changed.add(self.room_changed)
        classifications.changed.add(self.rights_changed)
        sealing.changed.add(self.part_changed)
        self._sealing = sealing
        self._judged: dict[str, object] = {}
        """room -> what it was last judged by who may see what goes on there."""
        self._telling: dict[str, set[str]] = {}
        """hearing -> the rooms that tell of it, or run it."""
        self._tells: dict[str, frozenset[str]] = {}
        """room -> these hearings."""
        self.rooms_with_parts: set[str] = set()
        """Rooms that tell of a hearing of which a part is sealed."""
        broker.link.add(self.link)
        rooms.came_back.add(self.came_back)

    async def serve(
        self,
        ws: WebSocket,
        *,
        may_watch: Callable[[str], bool],
        may_see: MaySee,
        may_see_span: MaySeeSpan,
        knows: Callable[[str], bool] = lambda room: True,
        on_said: Callable[[LiveTab], None],
        alive: Callable[[], bool],
    ) -> None:
        """Serve an accepted WebSocket until it ends (`Gateway.serve`).

        One that asks for `?told=changes` is told of each room what is new, and gets thumbnails and captions of the
        rooms that it says it has in sight. One of before is told rooms whole, and has the first `MAX_WATCHED` in sight.
        Of rooms that it does not `knows`, by their address, a tab is told nothing.
        """
        by_changes = ws.query_params.get("told") == "changes"

        def said(tab: LiveTab) -> None:
            if tab not in self.gateway.tabs:
                self.wall.leave(tab)
            elif tab.asked_whole:
                tab.asked_whole = False
                self.wall.ask_whole(tab)
            on_said(tab)

        await self.gateway.serve(
            ws,
            [] if by_changes else self.first(may_see, may_see_span, knows),
            may_watch=may_watch,
            may_see=may_see,
            may_see_span=may_see_span,
            sight=() if by_changes else list(itertools.islice(filter(knows, self._rooms.current), MAX_WATCHED)),
            on_joined=lambda tab: self.joined(tab, knows) if by_changes else self.wall.join_of_before(tab, knows),
            on_said=said,
            alive=alive,
        )

    def _wanted(self, rooms: Collection[str]) -> None:
        self.looked_at.notify(rooms)
        self.demands.changed(rooms)

    def _in_sight(self, tab: LiveTab, rooms: frozenset[str]) -> None:
        self.looked_at.notify(rooms)
        self.wall.in_sight(tab, rooms)

    def joined(self, tab: LiveTab, knows: Callable[[str], bool] = lambda room: True) -> None:
        """A tab that is told what is new has come."""
        self.wall.join(tab, knows)
        tab.text(self._link)

    def first(
        self,
        may_see: MaySee = lambda hearing: True,
        may_see_span: MaySeeSpan = lambda hearing, from_ns, to_ns: True,
        knows: Callable[[str], bool] = lambda room: True,
    ) -> list[Callable[[], CenterMessage]]:
        """What a tab of before gets before everything else, made when it is sent: it may wait, and is judged then."""

        def rooms() -> CenterMessage:
            states = filter(lambda room: knows(room.address), self._rooms.current.values())
            shown: Any = [self.shown(room, may_see, may_see_span) for room in states]
            # The center's clock, so that a browser whose own is wrong still measures the lag right.
            return {"type": "rooms", "rooms": shown, "utc_ms": time.time_ns() / 1_000_000}

        return [rooms, self._link]

    def shown(self, room: KnownRoom, may_see: MaySee, may_see_span: MaySeeSpan) -> dict[str, Any]:
        """A room as somebody gets it."""
        sealed = not all(may_see_span(room.told_id, *span) for span in self._now(room))
        return room.to_screen(shown=may_see(room.told_id), part_sealed=sealed)

    def _now(self, room: KnownRoom) -> Spans:
        """The moment that goes on in a room, as far as anybody can tell; of a room that is away, its last one."""
        now_ns = self._rooms.now_ns(room.address)
        if now_ns is None and room.status is not None:
            now_ns = room.status.room_ns
        return () if now_ns is None else ((now_ns, now_ns + 1),)

    def link(self, connected: bool) -> None:
        """The broker came or went."""
        if not connected:
            self._rooms.unheard()
            self.demands.all_lost()
        self.gateway.broadcast(self._link())
        if connected:
            self.demand()

    def came_back(self, room: KnownRoom) -> None:
        """A room is there again, and knows nothing of who watches it."""
        if self._uplinks.get(room.address) != room.uplinks.session:
            self._uplinks[room.address] = room.uplinks.session
            for track in self._tracks.get(room.address, ()):
                self.gateway.forget(f"{room.address}/{track}")  # what another device has sent
        self.demands.came_back(room.address)

    def room_changed(self, room: KnownRoom, *, looks_different: bool = True) -> None:
        """A room looks different now, or perhaps may be seen by others."""
        before = self._hearings.get(room.address)
        self._hearings[room.address] = room.live_id
        if before not in (None, room.live_id):
            if room.status is not None:
                # What was taken before may still be on its way; it is of the hearing that is over.
                self._ended_ns[room.address] = room.status.room_ns if room.opening is None else room.opening[1]
            for track in self._tracks.get(room.address, ()):
                self.gateway.forget(f"{room.address}/{track}")
        judged = (room.live_id, room.told_id, room.hearing_text, self._parts_at(room))
        if judged != self._judged.get(room.address):
            self._judge_anew(room)
            # What one room says of a hearing counts wherever it is told of, too.
            for hearing in self._tells[room.address]:
                for other in self._telling[hearing] - {room.address}:
                    self._judge_anew(self._rooms.states[other])
        elif looks_different:
            self.wall.note(room)

    def _judge_anew(self, room: KnownRoom) -> None:
        """Who may see what goes on in a room may have changed."""
        address, told = room.address, room.told_id
        self._judged[address] = (room.live_id, told, room.hearing_text, self._parts_at(room))
        tells = frozenset(hearing for hearing in (told, room.live_id) if hearing is not None)
        for hearing in self._tells.get(address, frozenset()) - tells:
            self._telling[hearing].discard(address)
            if not self._telling[hearing]:
                del self._telling[hearing]
        for hearing in tells:
            self._telling.setdefault(hearing, set()).add(address)
        self._tells[address] = tells
        if told is not None and self._sealing.of(told):
            self.rooms_with_parts.add(address)
        else:
            self.rooms_with_parts.discard(address)
        self.gateway.recheck(address)
        self.wall.note(room, judged_anew=True)
        self.judged_anew.notify(room)

    def part_changed(self, hearing: str) -> None:
        """A part of a hearing was sealed, ended or lifted: cut what waits of it, and tell who has its page open."""
        self.rights_changed(frozenset((hearing,)))
        message: CenterSealed = {"type": "sealed", "hearing": hearing}
        self.gateway.broadcast(message, lambda tab: tab.may_see(hearing), hearing=hearing)

    def poll(self) -> None:
        """Note which sealed parts have begun or are over by the time alone; call about once a second."""
        for address in list(self.rooms_with_parts):
            self.room_changed(self._rooms.states[address], looks_different=False)

    def _parts_at(self, room: KnownRoom) -> frozenset[str]:
        told = room.told_id
        parts = [] if told is None else self._sealing.of(told)
        return frozenset(
            part.id for part in parts for start, _ in self._now(room) if part.from_ns <= start < part.end_ns
        )

    def rights_changed(self, hearings: frozenset[str]) -> None:
        """Who may see these hearings has changed: cut what is watched and what waits of them, and show their rooms
        anew."""
        for address in {address for hearing in hearings for address in self._telling.get(hearing, ())}:
            self._judge_anew(self._rooms.states[address])
        self.gateway.recheck()

    def stored(self, events: Sequence[Received]) -> None:
        """Events that are new and on disk."""
        for received in events:
            if received.event.kind == "access":
                continue  # who looked at what in the room is for who reads the log, not for every tab
            if not self.gateway.audience.followers(received.room):
                continue
            value: CenterEvent = {"type": "event", "room": received.room, "value": event_to_ms(shown(received.event))}
            # Words and facts of a hearing come after its close, too, when its room has none or another one.
            hearing = received.event.hearing or received.event.body.get("of")
            of = None if hearing is None else str(hearing)
            self._tell_followers(value, received.room, of, spans_of(received))

    def _tell_followers(self, message: object, room: str, hearing: str | None, spans: Spans) -> None:
        self._tell(message, self.gateway.audience.followers(room), room, hearing, spans)

    def _tell(self, message: object, tabs: Iterable[LiveTab], room: str, hearing: str | None, spans: Spans) -> None:
        """Tell those of some tabs who may see what is live in a room, and see this hearing."""
        address = f"{room}/"
        self.gateway.broadcast(
            message,
            lambda tab: tab.may_watch(address) and tab.may_see(hearing),
            to=tabs,
            hearing=hearing,
            room=address,
            spans=spans,
        )

    def demand(self) -> None:
        """Tell every room what is watched, and every tab that it is connected; call every few seconds.

        A room forgets after 15 s; a tab that hears nothing for as long takes its connection for dead.
        """
        self.gateway.broadcast(self._link())
        self.demands.repeat()

    def _heard(self, room: str) -> str | None:
        """The hearing that runs, as the room itself has said since it was last away."""
        state = self._rooms.states[room]
        return state.live_id if state.heard else None

    def levels(self, room: str, payload: bytes) -> None:
        """How loud the seats of a room are; `CenterError` when it is malformed."""
        value = _json(payload)
        hearing = self._heard(room)
        if hearing is not None:
            message = {"type": "levels", "room": room, "value": value}
            spans = _times(value, "at_ms", "at_ms") or self._now(self._rooms.states[room])
            self._tell_followers(message, room, hearing, spans)

    def caption(self, room: str, payload: bytes) -> None:
        """What somebody is saying in a room; `CenterError` when it is malformed."""
        value = _json(payload)
        state = self._rooms.states[room]
        of = value.get("hearing") if isinstance(value, dict) else None
        hearing = self._heard(room) if of is None else of
        # The words of the hearing that has just ended may still be withdrawn.
        if state.heard and hearing is not None and hearing in (state.live_id, state.told_id):
            message: CenterCaption = {"type": "caption", "room": room, "value": value}
            # What does not say when it was said may have been said in a part that is sealed.
            spans = _times(value, "start_ms", "end_ms") or EVER
            self._tell(message, self.gateway.audience.seers(room), room, hearing, spans)

    def _is_known(self, room: str, envelope: Envelope) -> bool:
        """Whether it is known of which hearing a picture or sound is, or that it is of none."""
        state = self._rooms.states[room]
        if not state.heard or (envelope.kept and state.live_id is None):
            return False
        ended_ns = self._ended_ns.get(room)
        if ended_ns is None or state.status is None:
            return True
        if state.opening is None and state.status.room_ns < ended_ns:  # another device, whose room time began anew
            del self._ended_ns[room]
            return True
        return envelope.room_ns >= ended_ns

    def media(self, room: str, track: str, what: str, payload: bytes) -> None:
        """A live message of a track; `CenterError` or `EnvelopeError` when it is not what its topic says."""
        name = f"{room}/{track}"
        tracks = self._tracks.setdefault(room, set())
        if track not in tracks and (len(tracks) >= MAX_TRACKS or not _TRACK.fullmatch(track)):
            raise CenterError(f"{name[:80]} is not a track that a room can have", code="envelope")
        envelope = Envelope.unpack(payload)
        if envelope.kind is not _KINDS.get(what):
            raise CenterError(f"a message of {name} is not what its topic says", code="envelope")
        if envelope.kind is Kind.INIT and len(envelope.payload) > 2 * MAX_HEADER_BYTES:
            raise CenterError(f"{name} begins with more than any honest track", code="envelope")
        tracks.add(track)
        if envelope.kind is not Kind.INIT and not self._is_known(room, envelope):
            return  # the next one that is shown has another number than expected, so it waits for a key frame
        if envelope.kind is Kind.FRAGMENT:
            before = self._sequences.get(name)
            self._sequences[name] = envelope.sequence
            if before is not None and envelope.sequence != (before + 1) & 0xFFFFFFFF and not envelope.key_frame:
                # QoS 0 may lose: what follows a loss cannot be decoded before the next key frame.
                self.gateway.interrupted(name)
        try:
            self.gateway.publish(name, payload, self._rooms.states[room].live_id)
        except EnvelopeError as error:
            if error.code == UNBEGUN:
                if self._shared and name not in self.gateway.watched:
                    return  # another process of the center has asked for it
                self.demands.ask_anew(room)
            raise

    def _link(self) -> CenterLink:
        # The clock again: what a tab takes up while it is still loading makes its own look fast.
        return {"type": "link", "value": {"broker": self._broker.connected}, "utc_ms": time.time_ns() / 1_000_000}


_KINDS = {topics.INIT: Kind.INIT, topics.FRAGMENT: Kind.FRAGMENT, topics.THUMBNAIL: Kind.THUMBNAIL}


def _times(value: Any, begin: str, end: str) -> Spans:
    """The times that a text of a room says itself."""
    said = (value.get(begin), value.get(end)) if isinstance(value, dict) else ()
    if len(said) != 2 or not all(isinstance(ms, int | float) and abs(ms) < MOST_MS for ms in said):
        return ()
    from_ns, to_ns = (round(ms * NS_PER_MS) for ms in said if ms is not None)
    return ((min(from_ns, to_ns), max(from_ns, to_ns)),)


def _json(payload: bytes) -> Any:
    try:
        value = read_strict(payload, limit=MAX_TEXT_BYTES)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        return to_ms(value)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CenterError("a live text is not JSON", code="live") from error
