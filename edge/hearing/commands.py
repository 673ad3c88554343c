"""What the clerk commands: every act that changes the hearing, checked against its state and written to the room's log.

    open ──pause(reason)──> paused ──resume──> open;  open or paused ──close──> closed

Promises: an act is on disk before it is answered; acts are taken one after the other; a hearing is never silently
unrecorded (an alarm says so at once). Refuses: to open while another hearing is open, while the disk is below its
reserve or while the recorder does not run; to pause for any reason but the three of the law.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from edge.exhibits.desk import Rank
from edge.exhibits.pictures import PagePictures
from edge.exhibits.sizes import TALL, WIDE
from edge.exhibits.store import ExhibitStore
from edge.hearing.alarms import NOT_RECORDING, AlarmKind, AlarmRules
from edge.hearing.opened_case import opened_case
from edge.hearing.sealing import end_with_hearing
from edge.selftest.runner import SelfTestRunner
from edge.state.room_state import RoomState
from hardware.profile import PROGRAM_NAME
from hardware.sources import compatible_track
from sync.errors import HearingError
from sync.media.tracks import MICROPHONES, MIX, PROGRAM
from sync.record.bodies.evidence import DrawnBody, ExhibitBody, MarkBody, PresentBody
from sync.record.bodies.session import (
    CloseBody,
    MuteBody,
    OpenBody,
    OpenedTrack,
    PauseBody,
    ReplacementBody,
    ResumeBody,
)
from sync.record.docket import Case
from sync.record.hearing import Hearing, State
from sync.record.timeline import Exhibit, PauseReason
from sync.text.names import clean_names

KEPT_WITHIN_S = 3.0
MAX_EXHIBITS = 500
BY_CLERK = ""
"""An event that does not say whose act it was is the clerk's."""


def hearing_id(utc_ns: int) -> str:
    """Sorts by time of opening and cannot be guessed: `20261122-093000-1f2e3d4c` (the room's local time)."""
    at = datetime.fromtimestamp(utc_ns / 1_000_000_000, tz=UTC).astimezone()
    return f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


class HearingCommands:
    """All methods belong to one event loop."""

    def __init__(self, state: RoomState, alarms: AlarmRules, selftest: SelfTestRunner, pictures: PagePictures) -> None:
        self._selftest = selftest
        self._pictures = pictures
        self._store = ExhibitStore(state.layout, pictures.desk)
        self._views = 0
        """How many times something was asked to be presented or withdrawn: the last word counts."""
        self._drawing: asyncio.Task[Path] | None = None
        """The page that is drawn to be presented."""
        self._state = state
        self._alarms = alarms
        self._acts = asyncio.Lock()

    async def open(
        self, case: Case, docket_id: str | None, despite: Sequence[str] = (), *, by: str = BY_CLERK
    ) -> Hearing:
        """宣布开庭. `HearingError` codes: `already-open`, `disk`, `recorder`, `selftest`.

        `despite`: what has not proven itself in the self-test, as who opens confirms to have read it. `by`: who does
        it, here and in the other acts; the event says it where it was not the clerk.
        """
        async with self._acts:
            await self._state.poll()
            if self._state.current is not None:
                raise HearingError(
                    "本法庭已有庭审正在进行 (a hearing is already open; close it first)", code="already-open"
                )
            await asyncio.to_thread(self._check_disk)
            self._check_recorder()
            blockers = self._check_selftest(despite)
            name = hearing_id(self._state.clock.utc_now_ns())
            body: OpenBody = {**self._opening(name, case, docket_id), **self._preroll()}
            body["selftest"] = self._selftest.summary(blockers if despite else [])
            if by:
                body["by"] = by
            await self._state.append("open", body, hearing=name, key=f"open/{name}")
        if despite and blockers:
            await self._mark_despite(name, blockers, by)
        await self._confirm_recording(name)
        return self._hearing()

    async def open_planned(self, docket_id: str, despite: Sequence[str] = (), *, by: str = BY_CLERK) -> Hearing:
        """宣布开庭 for a hearing of the docket; also `not-found`."""
        entries = [] if self._state.docket is None else self._state.docket.hearings
        planned = next((entry for entry in entries if entry.id == docket_id), None)
        if planned is None:
            raise HearingError("排期中没有这次庭审 (the docket has no such hearing)", code="not-found")
        return await self.open(planned, planned.id, despite, by=by)

    async def _mark_despite(self, hearing: str, blockers: list[str], by: str) -> None:
        """That it was opened all the same is on the record, and stays in sight."""
        what = self._selftest.in_words(blockers)
        who = "法院系统" if by else "书记员"
        text = f"设备自检未通过：{what}；{who}确认仍然开庭"[:500]
        mark: MarkBody = {"id": secrets.token_hex(6), "kind": "设备自检", "text": text}
        await self._state.append("mark", mark, hearing=hearing)
        await self._alarms.set(AlarmKind("selftest", "room", f"设备自检未通过：{what}"[:500]), True)

    async def pause(self, reason: PauseReason, *, by: str = BY_CLERK) -> Hearing:
        """休庭, for one of the three lawful reasons."""
        async with self._acts:
            hearing = self._in_session()
            if hearing.state is not State.OPEN:
                raise HearingError("庭审已处于休庭状态 (the hearing is paused already)", code="paused")
            body: PauseBody = {"reason": reason.value}
            if by:
                body["by"] = by
            await self._state.append("pause", body, hearing=hearing.id)
        return self._hearing()

    async def resume(self, *, by: str = BY_CLERK) -> Hearing:
        """继续开庭; an alarm is raised at once if the recorder does not say that it keeps again."""
        async with self._acts:
            hearing = self._in_session()
            if hearing.state is not State.PAUSED:
                raise HearingError("庭审未休庭 (the hearing is not paused)", code="not-paused")
            body: ResumeBody = {"by": by} if by else {}
            await self._state.append("resume", body, hearing=hearing.id)
        await self._confirm_recording(hearing.id)
        return self._hearing()

    async def close(self, *, by: str = BY_CLERK) -> Hearing:
        """闭庭. There is no way back; a mistaken close is followed by a new hearing. A part that goes on ends, too."""
        async with self._acts:
            hearing = self._in_session()
            body: CloseBody = {"by": by} if by else {}
            await self._state.append("close", body, hearing=hearing.id, key=f"close/{hearing.id}")
            await end_with_hearing(self._state)
        return self._hearing()

    async def replace_transcript(self, consents: Sequence[str]) -> Hearing:
        """The recording stands for the 笔录: in 简易程序 and with the consent of every party, else never.

        `HearingError` codes: `procedure`, `consent`.
        """
        async with self._acts:
            hearing = self._in_session()
            if hearing.case.get("procedure") != "simplified":
                raise HearingError(
                    "只有适用简易程序的民事案件可以用录音录像替代笔录"
                    " (only a civil case in simplified procedure can do without a transcript)",
                    code="procedure",
                )
            parties = {clean_names(names) for names in hearing.case.get("parties", {}).values()}
            missing = sorted(parties - set(consents))
            if missing or not parties:
                who = "、".join(missing) or "当事人未登记"
                raise HearingError(f"须经各方当事人同意：{who} (every party must consent)", code="consent")
            if hearing.replaced_by_consent_of != sorted(parties):
                body: ReplacementBody = {"consents": sorted(parties)}
                await self._state.append("replacement", body, hearing=hearing.id)
        return self._hearing()

    async def mute(self, muted: bool, by: str) -> Hearing:
        """Let no sound and no captions leave the room live, or let them again; the record is as ever."""
        async with self._acts:
            hearing = self._in_session()
            if hearing.live_muted is not muted:
                body: MuteBody = {"muted": muted, "by": by}
                await self._state.append("mute", body, hearing=hearing.id)
        return self._hearing()

    async def add_exhibit(self, title: str, filename: str, pieces: AsyncIterator[bytes]) -> dict[str, Any]:
        """Keep a file as the next exhibit; the same file twice is one exhibit."""
        hearing = self._in_session()
        stored = await self._store.take(hearing.id, pieces)
        async with self._acts:
            hearing = self._in_session(hearing.id)
            for known in hearing.exhibits:
                if known.sha256 == stored.sha256:
                    return asdict(known)
            if len(hearing.exhibits) >= MAX_EXHIBITS:
                raise HearingError(
                    f"证据已达 {MAX_EXHIBITS} 件 (no more exhibits fit this hearing)", code="exhibit-count"
                )
            exhibit = Exhibit(
                id=secrets.token_hex(6),
                number=max((e.number for e in hearing.exhibits), default=0) + 1,
                title=title.strip() or Path(filename).stem,
                filename=filename,
                media_type=stored.file.media_type,
                sha256=stored.sha256,
                bytes=stored.bytes,
                pages=stored.file.pages,
                sm3=stored.sm3,
                converted=stored.file.converted,
            )
            said = asdict(exhibit)
            del said["drawn"]
            if not exhibit.converted:
                del said["converted"]
            body = cast(ExhibitBody, said)
            await self._state.append("exhibit", body, hearing=hearing.id, key=f"exhibit/{exhibit.id}")
            drawn: DrawnBody = {"exhibit": exhibit.id, "of": exhibit.sha256, "pictures": [stored.first]}
            await self._state.append("drawn", drawn, hearing=hearing.id)
            self._pictures.kick()
            return asdict(self.exhibit(exhibit.id))

    async def present(
        self, exhibit: str, page: int, zoom: float = 1.0, x: float | None = None, y: float | None = None
    ) -> Hearing:
        """Show a page of an exhibit on the screens, from its beginning on unless `x` and `y` are said.

        Its picture is there before it is announced, so that all screens show the same, and at once. `MediaError` when
        the page cannot be drawn.
        """
        hearing = self._presentable()
        known = self.exhibit(exhibit)
        if page > known.pages:
            raise HearingError(f"该证据只有 {known.pages} 页 (the exhibit has {known.pages} pages)", code="invalid")
        self._view_is_over()
        mine = self._views
        drawing = self._drawing = asyncio.create_task(self._pictures.file(hearing, known, page, rank=Rank.SHOWN))
        try:
            await drawing
        except asyncio.CancelledError:
            if mine == self._views:
                raise  # whoever asked has left
            return self._hearing()
        async with self._acts:
            hearing = self._presentable(hearing.id)
            if mine != self._views:
                return hearing  # while this page was drawn, another was asked for, or none
            x, y = self._beginning(hearing, known, page, x, y)
            body: PresentBody = {"exhibit": exhibit, "page": page, "zoom": zoom, "x": x, "y": y}
            now = hearing.presented
            if now is None or {key: getattr(now, key) for key in body} != body:
                await self._state.append("present", body, hearing=hearing.id)
        self._pictures.closer(hearing, known, page, zoom)
        return self._hearing()

    def _view_is_over(self) -> None:
        """What was asked to be presented before is not drawn any more."""
        self._views += 1
        if self._drawing is not None:
            self._drawing.cancel()
            self._drawing = None

    def _presentable(self, name: str | None = None) -> Hearing:
        hearing = self._in_session(name)
        if hearing.state is not State.OPEN:
            raise HearingError("休庭期间不能展示证据 (nothing is presented in a recess; resume first)", code="paused")
        return hearing

    def _beginning(
        self, hearing: Hearing, exhibit: Exhibit, page: int, x: float | None, y: float | None
    ) -> tuple[float, float]:
        """The point of the page in the middle: of a strip its beginning, of any other page its middle."""
        picture = hearing.pictures.get(exhibit.id, {}).get((page, 1))
        shape = 1.0 if picture is None else picture["height"] / picture["width"]
        return (0.0 if shape < 1 / WIDE else 0.5) if x is None else x, (
            0.0 if shape > TALL else 0.5
        ) if y is None else y

    async def page_picture(self, exhibit: Exhibit, page: int, scale: int) -> Path:
        """The picture of a page of an exhibit of the hearing that was opened last."""
        return await self._pictures.file(self._hearing(), exhibit, page, scale)

    async def withdraw(self) -> Hearing:
        """Take off the screens what is on them; nothing happens when nothing is."""
        self._view_is_over()
        async with self._acts:
            hearing = self._in_session()
            if hearing.presented is not None:
                await self._state.append("withdraw", {}, hearing=hearing.id)
        return self._hearing()

    async def mark(self, kind: str, text: str) -> dict[str, Any]:
        """Note a moment."""
        async with self._acts:
            hearing = self._in_session()
            body: MarkBody = {"id": secrets.token_hex(6), "kind": kind, "text": text}
            event = await self._state.append("mark", body, hearing=hearing.id)
        return {**body, "at_ms": event.room_ns / 1_000_000}

    def exhibit(self, name: str) -> Exhibit:
        """An exhibit of the hearing that was opened last; `HearingError` `not-found`."""
        hearing = self._state.hearing
        for exhibit in [] if hearing is None else hearing.exhibits:
            if exhibit.id == name:
                return exhibit
        raise HearingError("没有这件证据 (there is no such exhibit)", code="not-found")

    def file_of(self, exhibit: Exhibit) -> Path:
        """Where an exhibit of the hearing that was opened last is kept."""
        return self._state.layout.exhibits(self._hearing().id) / exhibit.sha256

    def _hearing(self) -> Hearing:
        hearing = self._state.hearing
        assert hearing is not None
        return hearing

    def _in_session(self, name: str | None = None) -> Hearing:
        hearing = self._state.current
        if hearing is None or name not in (None, hearing.id):
            raise HearingError("当前没有进行中的庭审 (no hearing is open; open one first)", code="no-hearing")
        return hearing

    def _check_disk(self) -> None:
        storage = self._state.profile.storage
        storage.data.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(storage.data).free
        if free < storage.reserve_gib * 1024**3:
            raise HearingError(
                f"磁盘空间不足：剩余 {free / 1024**3:.1f} GB，需保留 {storage.reserve_gib:g} GB"
                " (the disk is below its reserve; free some space, then open)",
                code="disk",
            )

    def _check_recorder(self) -> None:
        if not self._state.recorder_fresh:
            raise HearingError(
                "录制服务未运行，不能开庭 (the recorder does not run; start it, then open)", code="recorder"
            )
        if not self._state.running_tracks:
            raise HearingError(
                "没有正在运行的音视频轨道，不能开庭 (no camera or microphone runs; check them, then open)",
                code="recorder",
            )

    def _check_selftest(self, despite: Sequence[str]) -> list[str]:
        blockers = self._selftest.blockers()
        unread = [one for one in blockers if one not in despite]
        if unread and self._state.profile.selftest.opening == "required":
            raise HearingError(
                f"设备自检未通过：{self._selftest.in_words(unread)}；请先自检，或逐项确认后开庭"
                " (the self-test has not passed; make it, or confirm each finding and open despite of it)",
                code="selftest",
            )
        return blockers

    def _opening(self, name: str, case: Case, docket_id: str | None) -> OpenBody:
        profile = self._state.profile
        tracks: list[OpenedTrack] = [{"id": c.id, "kind": "video", "name": c.name} for c in profile.cameras]
        for made in (compatible_track(c) for c in profile.cameras if c.compatible):
            tracks.append({"id": made.id, "kind": "video", "name": made.name})
        if profile.program.enabled:
            tracks.append({"id": PROGRAM, "kind": "video", "name": PROGRAM_NAME})
        tracks += [{"id": MICROPHONES, "kind": "audio", "name": "话筒"}, {"id": MIX, "kind": "audio", "name": "混音"}]
        return {
            "case": opened_case(case, docket_id or name, self._state.kinds.kinds()),
            "seats": self._state.seats(),
            "tracks": tracks,
            "court": profile.room.court,
            "room": profile.room.room,
            "court_name": profile.room.court_name,
            "room_name": profile.room.room_name,
        }

    def _preroll(self) -> OpenBody:
        """Where the record begins if the room keeps a pre-roll: never in what belonged to the hearing before."""
        preroll_ns = self._state.profile.storage.preroll_s * 1_000_000_000
        last = self._state.hearing
        if not preroll_ns:
            return {}
        ended_ns = 0 if last is None or last.closed_ns is None else last.closed_ns
        return {"from_ns": max(self._state.clock.now_ns() - preroll_ns, ended_ns)}

    async def _confirm_recording(self, hearing: str) -> None:
        """Wait for the recorder to say that it keeps; if it does not, everybody is told."""
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                while not self._state.kept(hearing):
                    await self._state.recorder_news.wait()
        except TimeoutError:
            now = self._state.current
            if now is not None and now.id == hearing and now.state is State.OPEN:  # not paused or closed meanwhile
                await self._alarms.set(NOT_RECORDING, True)
