"""Who starts the room's services: systemd where its target is there, this command itself, or somebody by hand."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from sync.errors import WutongError
from sync.runtime.process.order import PLACES, Service
from wutong.demo.processes import DemoProcesses

TARGET = "wutong-room.target"
BEFORE_PANEL: tuple[Service, ...] = ("recorder", "signer", "uplink")
"""What runs while the setup page still has the panel's port."""
BEHIND_PANEL: tuple[Service, ...] = ("edge", "transcriber")
SYSTEMCTL_S = 90.0
_UNITS = Path("/etc/systemd/system"), Path("/usr/lib/systemd/system"), Path("/lib/systemd/system")


class RoomServices:
    """Started by somebody else, whom `command` tells how."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    @property
    def command(self) -> str:
        """What somebody has to type; empty where nobody has to."""
        profile = shlex.quote(str(self._profile))
        return "\n".join(f"wutong room {name} --profile {profile} &" for name in (*BEFORE_PANEL, *BEHIND_PANEL))

    async def start(self, services: Sequence[Service]) -> None:
        """Start these, anew where they run; `WutongError` "services" says what is wrong."""

    async def stop(self) -> None:
        """Stop what this command has started."""


class SystemdServices(RoomServices):
    """By the units of an installed machine."""

    @property
    def command(self) -> str:
        return ""

    async def start(self, services: Sequence[Service]) -> None:
        await _systemctl("enable", TARGET)
        await _systemctl("restart", "--no-block", *(f"wutong-{name}.service" for name in services))
        if set(BEHIND_PANEL) <= set(services):
            # The last of them are on their way. A target that was never started would not stop them, either.
            await _systemctl("start", "--no-block", TARGET)


class OwnServices(RoomServices):
    """As children of this command, for a demonstration: they end with it."""

    def __init__(self, profile: Path, logs: Path) -> None:
        super().__init__(profile)
        self._processes = DemoProcesses(logs)
        self._watching: asyncio.Task[None] | None = None

    @property
    def command(self) -> str:
        return ""

    async def start(self, services: Sequence[Service]) -> None:
        if self._watching is None:
            self._watching = asyncio.create_task(self._processes.watch())
        for name in services:
            command = [sys.executable, "-m", "wutong", "room", name, "--profile", str(self._profile)]
            self._processes.start(name, command, PLACES[name].niceness)

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._processes.stop()


def has_target() -> bool:
    """Whether systemd runs here and has the room's target."""
    return Path("/run/systemd/system").is_dir() and any((folder / TARGET).exists() for folder in _UNITS)


def services_of(profile: Path, logs: Path | None) -> RoomServices:
    """`logs`: the services are children of this command, and write there."""
    if logs is not None:
        return OwnServices(profile, logs)
    return SystemdServices(profile) if has_target() else RoomServices(profile)


async def _systemctl(*words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "systemctl", *words, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SYSTEMCTL_S):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        raise WutongError("systemd 没有应答 (systemctl did not end in time)", code="services") from None
    if process.returncode != 0:
        words_of_it = said.decode("utf-8", "replace").strip()[:300]
        raise WutongError(f"服务未能启动：{words_of_it} (systemctl {words[0]} failed)", code="services")
