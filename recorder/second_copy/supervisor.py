"""The second copy as the recorder sees it: a process that reports how far it is, and an alarm when it cannot go on.

The recorder waits for nothing of it. Without `storage.copy` in the profile there is none, and `state` is None.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import structlog

from hardware.profile import Profile
from sync.errors import ConfigError
from sync.room.messages import CopyStatus
from sync.runtime.files.secrets import read_secret
from sync.runtime.process.child_process import ChildError, ChildProcess, module_command
from sync.text.printable import printable
from sync.tls.plain import plain_url

log = structlog.get_logger(__name__)

PAUSES_S = (1.0, 5.0, 30.0)
STABLE_S = 60.0
"""A process that ran for so long did not fail at once."""
WORKER = f"{__package__}.worker"
CODE = "copy"
MOST_CHARACTERS = 500


class SecondCopySupervisor:
    """Supervises the second copy of one room. All methods belong to the event loop."""

    def __init__(self, profile: Profile, set_alarm: Callable[[str, str, str | None], None]) -> None:
        self._profile = profile
        self._set_alarm = set_alarm
        self.state: CopyStatus | None = None
        """`target`, `pending_files`, `pending_bytes`, `why`: for the status."""
        if profile.storage.copy_to:
            self.state = {"target": profile.storage.copy_to, "pending_files": 0, "pending_bytes": 0, "why": None}

    async def run(self) -> None:
        """Run until it is canceled."""
        if self.state is None:
            return
        failures = 0
        while True:
            began_s = asyncio.get_running_loop().time()
            try:
                why = await self._once(self.state)
            except (ChildError, ConfigError) as error:
                why = error.message
            log.warning("copier_ended", why=why)
            self._apply({"why": why})
            if asyncio.get_running_loop().time() - began_s > STABLE_S:
                failures = 0
            await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
            failures += 1

    async def _once(self, state: CopyStatus) -> str:
        copier = await self._start(str(state["target"]))
        reported = None
        try:
            async for value in copier.lines():
                told = _told(value)
                self._apply(told)
                reported = told.get("why")
            code = await copier.ended()
        finally:
            await copier.end()
        return reported or f"备份进程退出（{code}），将重新启动"

    async def _start(self, target: str) -> ChildProcess:
        options = {"data": str(self._profile.storage.data), "room": self._profile.address, "target": target}
        for warning in self._profile.policy.warnings(plain_url("storage.copy", target)):
            log.error("plain_wire", what=warning)
        environment = dict(os.environ)
        if target.startswith(("http://", "https://")):
            token_file: Path | None = self._profile.center.token_file
            assert token_file is not None  # the profile was checked
            environment["WUTONG_COPY_TOKEN"] = read_secret(token_file, "the room's token")
        command = module_command(WORKER, json.dumps(options, ensure_ascii=False))
        return await ChildProcess.start(command, environment=environment, logs=True)

    def _apply(self, value: dict[str, Any]) -> None:
        assert self.state is not None
        self.state = cast(CopyStatus, {**self.state, **value})
        why = self.state["why"]
        self._set_alarm(CODE, CODE, f"第二份备份未在进行：{why}" if why else None)


def _told(value: dict[str, Any]) -> dict[str, Any]:
    """What of a copier's line goes into the status; `ChildError` for what it never says."""
    told: dict[str, Any] = {}
    for name in ("pending_files", "pending_bytes"):
        if name in value:
            if type(value[name]) is not int or value[name] < 0:
                raise ChildError("the copier reports what is no count")
            told[name] = value[name]
    if "why" in value:
        told["why"] = None if value["why"] is None else printable(str(value["why"])[:MOST_CHARACTERS])
    return told
