"""What the room's screens are shown: the hearing as the log has it, and the last word of every service's feed.

One `RoomState` per edge. It follows the log and the feeds for as long as it runs and hands every change to its
listeners in the order in which it became true. It decides nothing; that is `edge.hearing.commands`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, Protocol

import structlog
from pydantic import ValidationError
from typing_extensions import TypedDict

from edge.state.messages import PanelMessage, ShownRoomState
from edge.state.shown import ShownFinding, ShownSelfTest, ShownSigning
from edge.state.who_acted import with_who
from edge.state.withheld_words import checks_withheld, signing_withheld
from hardware.profile import Profile
from sync.cases.shelf import KindShelf
from sync.errors import StorageError, WutongError
from sync.http.rights.people import write_private
from sync.ledger.progress import ProofProgress
from sync.media.tracks import is_made
from sync.record.bodies.session import OpenedSeat
from sync.record.docket import Docket
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.milliseconds import event_to_ms, to_ms
from sync.record.notice import MOST_NOTICES, HearingNotice, KeptNotices, parts_in_force, unseen_in_room
from sync.record.sealed_parts import EVERYTHING_SEEN, SealedPart, Unseen, spans_shown
from sync.record.withheld import withheld
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FRESH_S, FeedClient, FeedServer
from sync.room.follower import Follower
from sync.room.kept_notices import keep_notices, read_notices
from sync.room.messages import CaptionMessage, LinkStatus, RecorderStatus, RoomAlarm, SpeakingMessage, TranscriberStatus
from sync.room.paths import RoomPaths

log = structlog.get_logger(__name__)

LOOK_S = 1.0
MAX_CAPTIONS = 32


class SightChanged(TypedDict):
    """What may be seen of the hearing is another than before: for listeners in this process, who tell it on."""

    type: Literal["sight"]


class StateListener(Protocol):
    """Somebody who is told of every change; must not block."""

    def text(self, message: Mapping[str, Any]) -> None:
        """A message as docs/protocol.md lists it."""

    def media(self, track: str, message: bytes) -> None:
        """A packed envelope of a track: its init segment or a fragment. `EnvelopeError` if it is none."""


class RoomState:
    """All methods belong to one event loop."""

    def __init__(
        self,
        profile: Profile,
        layout: RoomPaths,
        room_log: RoomLog,
        clock: RoomClock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.profile = profile
        self.layout = layout
        self.clock = clock
        self.log = room_log
        self.feed = FeedServer(layout.feed("edge"))
        self.recorder: RecorderStatus | None = None
        self.transcriber: TranscriberStatus | None = None
        self.transcriber_at_ns: int | None = None
        """When that came, room time."""
        self.alarms: list[RoomAlarm] = []
        """Of the room itself, between hearings too: `edge.integrity.unsealed`."""
        self.link: LinkStatus | None = None
        self.docket: Docket | None = None
        self.kinds = KindShelf(profile.panel.kinds or layout.kinds)
        self.notices: dict[str, HearingNotice] = {}
        """hearing -> what the center said last of its sight."""
        self.captions: dict[str, CaptionMessage] = {}
        self.speaking: SpeakingMessage | None = None
        self.integrity: ProofProgress | None = None
        """How far the record of the last hearing is proven; `edge.integrity.status` keeps it."""
        self.selftest: ShownSelfTest | None = None
        self.signing: ShownSigning | None = None
        """Who has signed the words of the last hearing; `edge.signing.commands` keeps it."""
        self.checks: list[ShownFinding] = []
        """What the checks (文书纠错) found in its words; `edge.checks` keeps it."""
        self.recorder_news = asyncio.Event()
        self.transcriber_feed = FeedClient(layout.feed("transcriber"), ["caption", "speaking", "status", "log"])
        self._recorder_at: float | None = None
        self._follower = Follower(room_log)
        self._listeners: set[StateListener] = set()
        self._monotonic = monotonic

    @property
    def hearing(self) -> Hearing | None:
        """The hearing that was opened last, closed or not."""
        return self._follower.hearing

    @property
    def current(self) -> Hearing | None:
        """The hearing that is open or paused now."""
        return self._follower.current

    @property
    def recorder_fresh(self) -> bool:
        """Whether the recorder has spoken in the last `FRESH_S` seconds."""
        return self._recorder_at is not None and self._monotonic() - self._recorder_at < FRESH_S

    def kept(self, hearing: str) -> bool:
        """Whether the recorder says, now, that every running track is kept for this hearing.

        The composed picture may lag or be off; it has an alarm of its own, and the hearing is recorded all the same.
        """
        status = self.recorder
        if status is None or not self.recorder_fresh or status.get("hearing") != hearing:
            return False
        running = [t for t in status.get("tracks", []) if t.get("state") == "running" and not is_made(str(t.get("id")))]
        return bool(running) and all(t.get("kept") for t in running)

    @property
    def running_tracks(self) -> int:
        """How many cameras and microphones the recorder receives now; the composed picture is no device."""
        if self.recorder is None or not self.recorder_fresh:
            return 0
        tracks = self.recorder.get("tracks", [])
        return sum(t.get("state") == "running" for t in tracks if not is_made(str(t.get("id"))))

    def listen(self, listener: StateListener) -> None:
        """Tell `listener` of every change from now on."""
        self._listeners.add(listener)

    def leave(self, listener: StateListener) -> None:
        """Tell it no more."""
        self._listeners.discard(listener)

    def parts(self, hearing: Hearing) -> list[SealedPart]:
        """What is sealed of a hearing (封存区段), by the room itself or at the center."""
        return parts_in_force(hearing.room_parts, self.notices.get(hearing.id))

    def unseen(self, hearing: Hearing, levels: frozenset[str] = frozenset()) -> Unseen:
        """What of a hearing may not be seen by who may see parts of these `levels`; nobody may on the wall."""
        return unseen_in_room(hearing.room_parts, self.notices.get(hearing.id), levels)

    def snapshot(self, unseen: Unseen = EVERYTHING_SEEN) -> ShownRoomState:
        """`GET /api/state`, for who may not see `unseen` of the hearing."""
        room = self.profile.room
        hearing: Any = None
        if self.hearing is not None:
            hearing = withheld(self.hearing, unseen).to_json()
            parts = [part if not unseen else replace(part, reason="") for part in self.parts(self.hearing)]
            hearing["sealed_parts"] = [to_ms(asdict(part)) for part in parts]
        return {
            "room": {
                "court": room.court,
                "room": room.room,
                "court_name": room.court_name,
                "room_name": room.room_name,
            },
            "now_ms": self.clock.now_ns() / 1_000_000,
            "utc_ms": self.clock.utc_now_ns() / 1_000_000,
            "seats": self.seats(),
            "cameras": [{"id": c.id, "name": c.name} for c in self.profile.cameras],
            "hearing": hearing,
            "docket": None if self.docket is None else to_ms(self.docket.model_dump()),
            "recorder": to_ms(self.recorder) if self.recorder_fresh else None,
            "transcriber": to_ms(self.transcriber),
            "link": to_ms(self.link),
            "integrity": to_ms(self.integrity),
            "alarms": to_ms(self.alarms),
            "selftest": self.selftest,
            "signing": self.signing if not unseen else signing_withheld(self.signing, self.hearing, unseen),
            "checks": self.checks if not unseen else checks_withheld(self.checks, self.hearing, unseen),
            "captions": [] if unseen else [to_ms(c) for c in self.captions.values()],
            "unseen": to_ms(spans_shown(unseen)),
            "speaking": [] if self.speaking is None else self.speaking.get("seats", []),
        }

    def show_selftest(self, value: ShownSelfTest) -> None:
        """The self-test has something new to say."""
        if value != self.selftest:
            self.selftest = value
            self._notify({"type": "selftest", "value": value})

    def show_checks(self, value: list[ShownFinding]) -> None:
        """Take what `edge.checks` found."""
        if value != self.checks:
            self.checks = value
            self._notify({"type": "checks", "value": value})

    def show_signing(self, value: ShownSigning | None) -> None:
        """Take what `edge.signing.commands` found."""
        if value != self.signing:
            self.signing = value
            self._notify({"type": "signing", "value": value})

    def sight_changed(self) -> None:
        """What somebody may see is another than before, as when a panel is locked: their screens are told anew."""
        self._notify({"type": "sight"})

    def seats(self) -> list[OpenedSeat]:
        """The seats of the profile."""
        return [{"id": s.id, "role": s.role, "roles": s.roles, "channel": s.channel} for s in self.profile.seats]

    def set_integrity(self, value: ProofProgress) -> None:
        """Take what `edge.integrity.status` found."""
        if value != self.integrity:
            self.integrity = value
            self._notify({"type": "integrity", "value": to_ms(value)})

    def set_alarms(self, alarms: Sequence[RoomAlarm]) -> None:
        """Take the alarms of the room that are on now, and tell them to the screens and to the uplink."""
        self.alarms = list(alarms)
        self.feed.publish_json("alarms", self.alarms, retain=True)
        self._notify({"type": "alarms", "value": to_ms(self.alarms)})

    async def start(self) -> None:
        """Read the log and the docket that was kept, and open the edge's feed."""
        await self._follower.start()
        try:
            self.docket = Docket.model_validate_json(await asyncio.to_thread(self.layout.docket.read_bytes))
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            log.warning("docket_unreadable", why=str(error), next="the center sends it again")
        last = () if self.hearing is None else (self.hearing.id,)
        self.notices = await asyncio.to_thread(read_notices, self.layout.notices, self.layout.hearings, *last)
        await self.feed.start()

    async def run(self) -> None:
        """Follow the log and the feeds for ever."""
        recorder = FeedClient(self.layout.feed("recorder"), ["init/", "frag/", "levels", "status", "log"])
        uplink = FeedClient(self.layout.feed("uplink"), ["link", "docket", "notices"])
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(recorder, self._from_recorder))
            group.create_task(self._listen(self.transcriber_feed, self._from_transcriber))
            group.create_task(self._listen(uplink, self._from_uplink))
            group.create_task(self._poll_for_ever())

    async def append(self, kind: str, body: Mapping[str, Any], *, hearing: str | None, key: str | None = None) -> Event:
        """Write one fact of the edge, tell the other services, and take it into the state before returning. An act of
        somebody who is signed in as a person says who it was."""
        now_ns, utc_ns = self.clock.now_ns(), self.clock.utc_now_ns()
        said = with_who(kind, body)
        event = await asyncio.to_thread(
            lambda: self.log.append(kind, said, hearing=hearing, room_ns=now_ns, utc_ns=utc_ns, key=key)
        )
        self.feed.publish_json("log", {"number": event.number})
        await self.poll()
        return event

    async def poll(self) -> None:
        """Take what is new in the log."""
        for event in await self._follower.poll():
            if event.kind == "utterance":
                self.captions.pop(str(event.body.get("id")), None)
            elif event.kind in ("open", "close"):
                self.captions.clear()
            if event.kind != "access":  # who looked at what is for who reads the log, and not for a screen
                self._notify({"type": "event", "event": event_to_ms(event)})

    async def _poll_for_ever(self) -> None:
        while True:
            await self._poll_or_log()
            await asyncio.sleep(LOOK_S)

    async def _poll_or_log(self) -> None:
        try:
            await self.poll()
        except StorageError as error:
            log.error("log_unreadable", why=error.message)

    async def _listen(self, feed: FeedClient, take: Callable[[str, bytes], None]) -> None:
        async for topic, payload in feed.messages():
            if topic == "log":
                await self._poll_or_log()
                continue
            try:
                take(topic, payload)
            except (
                WutongError,
                ValueError,
                KeyError,
                TypeError,
                AttributeError,
                ArithmeticError,
                RecursionError,
            ) as error:  # whatever one message holds, the next is listened to
                log.warning("feed_message_unreadable", topic=topic, why=str(error)[:200])

    def _from_recorder(self, topic: str, payload: bytes) -> None:
        head, _, track = topic.partition("/")
        if head in ("frag", "init"):
            for listener in self._listeners:
                listener.media(track, payload)
        elif head == "levels":
            self._notify({"type": "levels", "value": to_ms(_object(payload))})
        elif head == "status":
            self.recorder = _object(payload)
            self._recorder_at = self._monotonic()
            news, self.recorder_news = self.recorder_news, asyncio.Event()
            news.set()
            self._notify({"type": "recorder", "value": to_ms(self.recorder)})

    def _from_transcriber(self, topic: str, payload: bytes) -> None:
        value = _object(payload)
        if topic == "caption":
            self._caption(value)
        elif topic == "speaking":
            self.speaking = value
            self._notify({"type": "speaking", "value": to_ms(value)})
        elif topic == "status":
            self.transcriber, self.transcriber_at_ns = value, self.clock.now_ns()
            self._notify({"type": "transcriber", "value": to_ms(value)})
            if value.get("state") == "loading":
                # It began anew: what it was in the middle of comes back as an utterance, not as this caption.
                for caption in list(self.captions.values()):
                    self._caption({**caption, "text": ""})

    def _from_uplink(self, topic: str, payload: bytes) -> None:
        if topic == "link":
            self.link = _object(payload)
            self._notify({"type": "link", "value": to_ms(self.link)})
        elif topic == "notices":
            self._take_notices(KeptNotices.model_validate_json(payload))
        elif topic == "docket":
            docket = Docket.model_validate_json(payload)
            if docket != self.docket:
                self.docket = docket
                try:
                    write_private(self.layout.docket, docket.model_dump_json())
                except OSError as error:
                    log.error("docket_not_kept", why=error.strerror, next="it is shown; the center sends it again")
                self._notify({"type": "docket", "value": to_ms(docket.model_dump())})

    def _take_notices(self, said: KeptNotices) -> None:
        """What is said of a hearing replaces what was; of the others it holds what was said before."""
        known = {**self.notices, **{notice.hearing: notice for notice in said.notices}}
        kept = {name: known[name] for name in sorted(known)[-MOST_NOTICES:]}
        if kept == self.notices:
            return
        self.notices = kept
        try:
            keep_notices(self.layout.notices, kept)
        except OSError as error:
            log.error("notices_not_kept", why=error.strerror, next="they are obeyed; the center says them again")
        # What the screens may be shown, and what is marked as sealed on the panel, is another now.
        self._notify({"type": "sight"})

    def _caption(self, value: CaptionMessage) -> None:
        name = str(value["id"])
        # The log may be quicker than the feed: words that are committed already are no caption any more.
        if self.hearing is not None and any(u.id == name for u in reversed(self.hearing.utterances)):
            return
        self.captions.pop(name, None)
        if value.get("text"):
            self.captions[name] = value
            while len(self.captions) > MAX_CAPTIONS:
                del self.captions[next(iter(self.captions))]
        self._notify({"type": "caption", "value": to_ms(value)})

    def _notify(self, message: PanelMessage | SightChanged) -> None:
        for listener in list(self._listeners):
            listener.text(message)


def _object(payload: bytes) -> Any:
    value = json.loads(payload)
    if not isinstance(value, dict):
        raise TypeError("a feed message that is not an object")
    return value
