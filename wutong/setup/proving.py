"""What follows when everything is said: services, enrollment, devices, center and doctor, each a step with its words.

A step that fails says what to do, and is tried again by whoever asks for it; what stands before it is not done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from hardware.profile import Profile, load_profile
from sync.errors import WutongError
from sync.room.enrollment import is_enrolled
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from sync.text.strict_json import read_strict
from wutong.setup.messages import ShownSetupStep, StepState
from wutong.setup.owner_tasks import ask_as_owner
from wutong.setup.services import BEFORE_PANEL, RoomServices

log = structlog.get_logger(__name__)

StepId = Literal["profile", "services", "enroll", "devices", "center", "doctor"]
STEPS: Final[tuple[StepId, ...]] = ("profile", "services", "enroll", "devices", "center", "doctor")
SIGNER_S = 45.0
DEVICES_S = 60.0
CENTER_S = 45.0
LOOK_S = 0.1
FEED_BYTES = 1024 * 1024


class Proving:
    """The steps of one room. Methods belong to one event loop."""

    def __init__(self, profile: Path, services: RoomServices) -> None:
        self._path = profile
        self._services = services
        self._states: dict[StepId, tuple[StepState, str]] = dict.fromkeys(STEPS, ("waiting", ""))
        self.carried = ""
        """The code; empty where the room stands alone or is enrolled."""

    @property
    def failed(self) -> bool:
        """Whether a step has failed."""
        return any(state == "failed" for state, _ in self._states.values())

    def shown(self) -> list[ShownSetupStep]:
        """For the page."""
        return [{"id": step, "state": state, "text": text} for step, (state, text) in self._states.items()]

    def say(self, step: StepId, state: StepState, text: str = "") -> None:
        """Note how a step is."""
        self._states[step] = (state, text)
        log.info("setup_step", step=step, state=state, text=text)

    async def run(self) -> None:
        """All that have not been done; returns when all are, or one has failed."""
        ways: Mapping[StepId, Callable[[Profile], Awaitable[None]]] = {
            "services": self._start,
            "enroll": self._enroll,
            "devices": self._devices,
            "center": self._center,
            "doctor": self._doctor,
        }
        for step, way in ways.items():
            if self._states[step][0] in ("done", "note"):
                continue
            self.say(step, "running")
            try:
                await way(load_profile(self._path))
            except WutongError as error:
                self.say(step, "failed", error.message)
                return

    async def _start(self, profile: Profile) -> None:
        await self._services.start(BEFORE_PANEL)
        signer = RoomSigner(RoomPaths(profile.storage.data).signer_socket)
        try:
            async with asyncio.timeout(SIGNER_S):
                while await asyncio.to_thread(signer.known_key) is None:
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            words = "签名服务没有启动，请查看 systemctl status wutong-signer (the signer did not start)"
            if self._services.command:
                words = "服务尚未启动，请在本机运行所示命令后重试 (start the services as shown, then try again)"
            raise WutongError(words, code="services") from None
        self.say("services", "done")

    async def _enroll(self, profile: Profile) -> None:
        if not profile.center.url:
            self.say("enroll", "note", "单机运行，不连接中心 (this room stands alone)")
            return
        layout = RoomPaths(profile.storage.data)
        if self.carried:
            question = {"do": "enroll", "profile": str(self._path), "carried": self.carried}
            said = await ask_as_owner(layout.data, question)
            self.carried = ""  # it is used
            self.say("enroll", "done", f"中心公钥指纹 {said['center']} (center key)")
            return
        key = await asyncio.to_thread(RoomSigner(layout.signer_socket).public_key)
        if not await asyncio.to_thread(is_enrolled, layout, profile.address, datetime.now(UTC), key):
            raise WutongError("本机尚未登记，请输入登记码 (this device is not enrolled: enter a code)", code="code")
        self.say("enroll", "done")

    async def _devices(self, profile: Profile) -> None:
        wrong: list[str] = ["录制服务没有应答 (the recorder does not answer)"]

        def all_run(said: dict[str, Any]) -> bool:
            tracks = said["tracks"]
            names = [f"{one['name']}: {one['why'] or one['state']}" for one in tracks if one["state"] != "running"]
            wrong[:] = names or ([] if tracks else wrong)
            return not wrong

        if not await heard(RoomPaths(profile.storage.data).feed("recorder"), "status", all_run, DEVICES_S):
            raise WutongError("设备没有全部工作：" + "；".join(wrong) + " (not every device works)", code="devices")
        self.say("devices", "done")

    async def _center(self, profile: Profile) -> None:
        if not profile.center.url:
            self.say("center", "note", "单机运行，不连接中心 (this room stands alone)")
            return
        last: dict[str, Any] = {}

        def linked(said: dict[str, Any]) -> bool:
            last.update(said)
            return said["broker"] is True and said["center"] is True

        if not await heard(RoomPaths(profile.storage.data).feed("uplink"), "link", linked, CENTER_S):
            missing = "消息服务器 (the broker)" if not last.get("broker") else "中心 (the center)"
            raise WutongError(f"已登记，但还连不上{missing}；庭审可照常录制，请检查网络和端口", code="center")
        self.say("center", "done", "已在督查墙上 (the room is on the wall)")

    async def _doctor(self, profile: Profile) -> None:
        from wutong.doctor.command import examine

        findings = await asyncio.to_thread(lambda: list(examine(self._path)))
        bad = [f"{one.subject}: {one.text}" for one in findings if one.state == "bad"]
        notes = [f"{one.subject}: {one.text}" for one in findings if one.state == "note"]
        if bad:
            self.say("doctor", "note", "需要处理：" + "；".join(bad)[:1500])
        else:
            self.say("doctor", "done", "；".join(notes)[:1500])


async def heard(feed: Path, topic: str, enough: Callable[[dict[str, Any]], bool], within_s: float) -> bool:
    """Whether a service has said what is enough, in time."""
    try:
        async with asyncio.timeout(within_s):
            async for name, payload in FeedClient(feed, [topic]).messages():
                try:
                    if name == topic and enough(read_strict(payload, limit=FEED_BYTES)):
                        return True
                except (ValueError, KeyError, TypeError):
                    log.warning("feed_message_unreadable", topic=name)
    except TimeoutError:
        pass
    return False
