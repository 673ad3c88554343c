"""设备自检: a tone and a marker go from the microphones into files, to the center and back; each seat and camera proves
itself, or is named with the reason why it did not.

The recorder keeps a test record and plays the tone, the uplink carries it to the center and back, this judges both and
says the result in the room's log (event `selftest`). Without a loudspeaker each seat is asked to speak. A center that
is away is said, and keeps nobody from opening. Promises: nothing of a test gets into a hearing; a hearing that begins
ends the test; a result counts as long as the profile says, across restarts.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

from edge.selftest.evaluation import HeardLevels, prove
from edge.selftest.result import NO_TEST, SelfTestFinding, SelfTestResult, in_words
from edge.state.room_state import RoomState
from edge.state.shown import ShownSelfTest
from recorder.selftest.channel_identity import dominant
from recorder.selftest.evidence import HEARD_LEVELS, LiveLevel
from sync.errors import HearingError, StorageError
from sync.record.bodies.media import CameraViewBody, SelfTestBody
from sync.record.bodies.session import OpenedSelfTest
from sync.record.event import Event
from sync.room.feed import FeedClient
from sync.runtime.process.service import cancel_and_wait
from sync.runtime.units import NS_PER_S
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

LISTEN_S = 60.0
"""How long the seats have to speak, one after another."""
ANSWER_BYTES = 1024 * 1024
ANSWER_S = 8.0
"""The recorder takes an order at once, or it does not run."""
KEEP_S = 40.0
SEND_S = 40.0
Stage = Literal["", "keeping", "speaking", "proving", "sending"]
UNREACHABLE = "中心不可达，庭审可照常录制"


class SelfTestRunner:
    """All methods belong to one event loop."""

    def __init__(self, state: RoomState) -> None:
        self._state = state
        self._profile = state.profile
        self._wanted: asyncio.Queue[SelfTestResult] = asyncio.Queue(1)
        self._running: SelfTestResult | None = None
        self._last: SelfTestResult | None = None
        self._event: Event | None = None
        self._stage: Stage = ""
        self._progress = 0.0
        self._failure = ""
        self._answers: dict[str, dict[str, Any]] = {}
        self._news = asyncio.Event()
        self._heard = HeardLevels({})
        self._looking = asyncio.Lock()

    async def load(self) -> None:
        """Read the last result from the room's log."""
        event = await asyncio.to_thread(self._state.log.last_of_kind, "selftest")
        if event is not None:
            try:
                self._last, self._event = SelfTestResult.of_event(event), event
            except (KeyError, TypeError, ValueError):
                log.warning("selftest_unreadable", number=event.number)
        self._show()

    # What the clerk does.

    def start(self, *, speak: bool = False) -> ShownSelfTest:
        """Begin a test; `HearingError` "already-open", "recorder" or "selftest-running"."""
        if self._state.current is not None:
            raise HearingError(
                "庭审正在进行，不能自检 (a hearing is open; test before or after it)", code="already-open"
            )
        if self._running is not None:
            raise HearingError("设备自检正在进行 (a self-test runs already)", code="selftest-running")
        if not self._state.recorder_fresh:
            raise HearingError(
                "录制服务未运行，不能自检 (the recorder does not run; start it, then test)", code="recorder"
            )
        mode: Literal["tone", "speech"] = "tone" if self._profile.selftest.loudspeaker and not speak else "speech"
        at = datetime.fromtimestamp(self._state.clock.utc_now_ns() / NS_PER_S, tz=UTC).astimezone()
        self._running = SelfTestResult.begin(f"selftest-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}", mode, self._profile)
        if self._last is not None:
            self._running.keep_views(self._last, self._profile)
        self._failure = ""
        self._step("keeping", 0.05)
        self._wanted.put_nowait(self._running)
        return self.value()

    def stop_listening(self) -> ShownSelfTest:
        """Whoever has not spoken does not; the rest is judged now."""
        if self._running is not None and self._running.mode == "speech":
            self._order({"id": self._running.id, "stop": True})
        return self.value()

    async def note_view(self, camera: str, seats: Sequence[str]) -> ShownSelfTest:
        """The clerk has looked at a camera's picture and seen these seats.

        `HearingError` "not-found" for what the room does not have, "selftest" where no test was made yet,
        "selftest-running" while one is made.
        """
        here = [seat.id for seat in self._profile.seats if seat.id in seats]
        if camera not in {one.id for one in self._profile.cameras} or set(here) != set(seats):
            raise HearingError("没有这台摄像机或这个席位 (no such camera or seat)", code="not-found")
        async with self._looking:
            if self._running is not None:
                raise HearingError("设备自检正在进行 (a self-test runs already)", code="selftest-running")
            last = self._last
            if last is None or self._event is None:
                raise HearingError("请先进行设备自检 (make a self-test first)", code="selftest")
            view: CameraViewBody = {"seats": here, "utc_ns": self._state.clock.utc_now_ns()}
            seen = replace(last, views={**last.views, camera: view})
            at_ns = int(self._event.body.get("at_ns", self._event.room_ns))
            body: SelfTestBody = {**seen.body(at_ns), "tested_utc_ns": last.utc_ns}
            event = await self._state.append("selftest", body, hearing=None)
            self._last, self._event = seen, event
            if self._running is not None:  # a test began meanwhile
                self._running.keep_views(seen, self._profile)
        self._show()
        return self.value()

    # What an opening asks.

    def blockers(self) -> list[str]:
        """What has not proven itself; empty when a passed test counts."""
        counts = (
            self._last is not None
            and self._state.clock.utc_now_ns() < self._until_utc_ns(self._last)
            and self._last.covers(self._profile)
        )
        if self._running is not None or self._last is None or not counts:
            return [NO_TEST]
        return self._last.failing()

    def in_words(self, names: list[str]) -> str:
        """Blockers for people."""
        return in_words(self._profile, names, self._last)

    def summary(self, despite: list[str]) -> OpenedSelfTest:
        """For the event `open`."""
        number = None if self._event is None else self._event.number
        return {"passed": not self.blockers(), "number": number, "despite": despite}

    def value(self) -> ShownSelfTest:
        """As the panel gets it."""
        shown = self._running or self._last or SelfTestResult.begin("", "tone", self._profile)
        blockers = self.blockers()
        state: Literal["none", "running", "passed", "failed", "expired"]
        if self._running is not None:
            state = "running"
        elif self._last is None:
            state = "none"
        elif NO_TEST in blockers:
            state = "expired"
        else:
            state = "failed" if blockers else "passed"
        return {
            **shown.to_json(),
            "state": state,
            "stage": self._stage if self._running is not None else "",
            "progress": self._progress if self._running is not None else 1.0,
            "failure": self._failure,
            "opening": self._profile.selftest.opening,
            "hindrances": blockers,
            "at_utc_ms": None if self._last is None else self._last.utc_ns / 1_000_000,
            "until_utc_ms": None if self._last is None else self._until_utc_ns(self._last) / 1_000_000,
        }

    # The test.

    async def run(self) -> None:
        """Do the tests that are asked for, for ever."""
        while True:
            result = await self._wanted.get()
            feeds = [
                asyncio.create_task(self._follow("recorder", ["selftest", "levels"])),
                asyncio.create_task(self._follow("uplink", ["selftest"])),
            ]
            try:
                await self._test(result)
            except StorageError as error:
                self._failure = error.message
            finally:
                await cancel_and_wait(*feeds)
                for topic in ("test-record", "test-send"):
                    self._state.feed.forget(topic)
                self._running = None
                self._show()

    async def _test(self, result: SelfTestResult) -> None:
        self._answers.clear()
        self._heard = HeardLevels({seat.id: [] for seat in self._profile.seats})
        listen_s = LISTEN_S if result.mode == "speech" else 0.0
        if listen_s:
            self._step("speaking", 0.1)
        self._order({"id": result.id, "at_ns": self._state.clock.now_ns(), "listen_s": listen_s})
        if not await self._answer("recorder", {"keeping", "kept", "aborted"}, ANSWER_S):
            self._failure = "录制服务没有响应，自检没有进行"
            return
        kept = await self._kept(result, listen_s)
        if kept is None or kept["state"] == "aborted":
            self._failure = "录制服务没有完成自检" if kept is None else f"自检中止：{kept.get('why', '')}"
            return
        sending = asyncio.create_task(self._there_and_back(result, kept))
        try:
            self._step("proving", 0.55)
            folder = self._state.layout.selftests / result.id
            at = self._state.clock
            offset_ns = at.utc_now_ns() - at.now_ns()
            async for _ in prove(self._profile, result, folder, kept, self._heard, lambda ns: ns + offset_ns):
                self._step("proving", min(self._progress + 0.04, 0.8))
            self._step("sending", 0.85)
            back = await sending
            if back:
                async for _ in prove(self._profile, result, folder, kept, self._heard, None, back=back):
                    self._step("sending", 0.95)
        finally:
            await cancel_and_wait(sending)
        await self._finish(result)

    async def _finish(self, result: SelfTestResult) -> None:
        result.utc_ns = self._state.clock.utc_now_ns()
        key = f"selftest/{result.id}"
        async with self._looking:
            if self._last is not None:  # what was being written down while the test began
                result.keep_views(self._last, self._profile)
            event = await self._state.append("selftest", result.body(self._state.clock.now_ns()), hearing=None, key=key)
            self._last, self._event = result, event
        log.info("selftest", test=result.id, failing=result.failing())
        if not result.failing():
            # What failed stays for a technician until the next test; what passed has said all it can.
            await asyncio.to_thread(shutil.rmtree, self._state.layout.selftests / result.id, ignore_errors=True)

    async def _kept(self, result: SelfTestResult, listen_s: float) -> dict[str, Any] | None:
        """Wait for the recorder's files; while it listens, tell which seats were heard."""
        end = asyncio.get_running_loop().time() + KEEP_S + listen_s
        stopped = False
        while asyncio.get_running_loop().time() < end:
            answer = await self._answer("recorder", {"kept", "aborted"}, 0.25)
            if answer is not None:
                return answer
            if listen_s:
                self._hear(result)
                if not stopped and all(f.state == "heard" for f in result.seats.values()):
                    stopped = True
                    self._order({"id": result.id, "stop": True})
                self._step("speaking", 0.1 + 0.4 * self._heard_share(result))
            else:
                self._step("keeping", min(self._progress + 0.02, 0.5))
        return None

    def _hear(self, result: SelfTestResult) -> None:
        # Only who is louder than all others speaks: the panel shows which seat that is, and the clerk sees who it was.
        spoke = dominant(self._heard.levels)
        for seat, finding in result.seats.items():
            if finding.state == "waiting" and spoke[seat] >= HEARD_LEVELS:
                result.seats[seat] = SelfTestFinding("heard")

    @staticmethod
    def _heard_share(result: SelfTestResult) -> float:
        return sum(f.state == "heard" for f in result.seats.values()) / max(len(result.seats), 1)

    async def _there_and_back(self, result: SelfTestResult, kept: dict[str, Any]) -> list[str]:
        """Have the files carried to the center and back; those of the microphones that returned."""
        if not self._profile.center.url:
            result.server = SelfTestFinding("warn", "单机运行，未配置中心")
            return []
        tracks = {name: track["files"] for name, track in kept["tracks"].items()}
        order = {"id": result.id, "tracks": tracks}
        self._state.feed.publish_json("test-send", order, retain=True)
        answer = await self._answer("uplink", {"ok", "failed", "unreachable", "off"}, SEND_S)
        if answer is None:
            running = self._answers.get("uplink")
            result.server = SelfTestFinding("warn", UNREACHABLE if running else "上行服务未运行，庭审可照常录制")
            return []
        if answer["state"] == "ok":
            result.server = SelfTestFinding("ok")
            return [str(file) for file in answer.get("back", []) if str(file).startswith("back/mics/")]
        result.server = SelfTestFinding("failed" if answer["state"] == "failed" else "warn", str(answer.get("why", "")))
        return []

    # What the others say.

    def _order(self, order: dict[str, Any]) -> None:
        self._state.feed.publish_json("test-record", order, retain=True)

    async def _answer(self, service: str, states: set[str], within_s: float) -> dict[str, Any] | None:
        end = asyncio.get_running_loop().time() + within_s
        while (left := end - asyncio.get_running_loop().time()) > 0:
            answer = self._answers.get(service)
            if answer is not None and answer.get("state") in states:
                return answer
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), min(left, 0.25))
            except TimeoutError:
                continue
        return None

    async def _follow(self, service: str, topics: list[str]) -> None:
        async for topic, payload in FeedClient(self._state.layout.feed(service), topics).messages():
            try:
                value = read_strict(payload, limit=ANSWER_BYTES)
                if topic == "levels":
                    for seat, level in value["seats"].items():
                        self._heard.add(str(seat), LiveLevel(int(value["at_ns"]), float(level["rms_db"])))
                elif self._running is not None and value["id"] == self._running.id:
                    self._answers[service] = value
                    self._news.set()
            except (ValueError, KeyError, TypeError, AttributeError):
                log.warning("feed_message_unreadable", topic=topic)

    def _step(self, stage: Stage, progress: float) -> None:
        self._stage, self._progress = stage, progress
        self._show()

    def _show(self) -> None:
        self._state.show_selftest(self.value())

    def _until_utc_ns(self, result: SelfTestResult) -> int:
        return result.until_utc_ns(self._profile.selftest.valid_hours)
