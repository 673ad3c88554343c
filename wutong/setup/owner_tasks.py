"""What setup does in a room's data folder: in a process of its own, with the rights of who owns that folder.

    python -m wutong.setup.owner_tasks        (the question comes on stdin as a line of JSON)

Setup may run as root, and root follows no link that another account has laid. Says one line: what was asked for, or
`code` and `message`. `look`: whether a hearing is open, which is read from the room's log, since a service that is away
says nothing. `enroll`: redeems a code with the device's key.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import sys
from pathlib import Path
from typing import Any

from hardware.profile import load_profile
from sync.errors import CenterError, WutongError
from sync.room.open_hearing import open_hearing
from sync.room.paths import RoomPaths
from sync.runtime.process.processes import die_with_parent
from sync.text.strict_json import read_strict

ACCOUNT = "wutong"
"""Of the services, where a package or an operator made it."""
ANSWER_S = 60.0
ANSWER_BYTES = 64 * 1024


def owner_of(data: Path) -> tuple[int, int] | None:
    """(user, group) of the services of a room: who owns its data, else their account; None: as who asks."""
    if os.geteuid() != 0:
        return None
    try:
        found = data.stat(follow_symlinks=False)
        return found.st_uid, found.st_gid
    except OSError:
        try:
            account = pwd.getpwnam(ACCOUNT)
        except KeyError:
            return None
        return account.pw_uid, account.pw_gid


async def ask_as_owner(data: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Have it done by a process of the folder's owner; `WutongError` as it is said there, or when it says nothing."""
    owner = owner_of(data)
    rights: dict[str, Any] = {} if owner is None else {"user": owner[0], "group": owner[1], "extra_groups": []}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wutong.setup.owner_tasks"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
        **rights,
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            said, _ = await process.communicate(json.dumps(question).encode() + b"\n")
        value = read_strict(said, limit=ANSWER_BYTES)
        if not isinstance(value, dict):
            raise ValueError("it is no object")
    except (TimeoutError, ValueError) as error:
        raise CenterError(f"没有得到结果：{type(error).__name__} (nothing was answered in time)") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if "code" in value:
        raise WutongError(str(value["message"]), code=str(value["code"]))
    return value


async def _look(profile: Path) -> dict[str, Any]:
    layout = RoomPaths(load_profile(profile).storage.data)
    if not layout.log.exists():
        return {"hearing_open": False}
    return {"hearing_open": await open_hearing(layout) is not None}


def _done(question: dict[str, Any]) -> dict[str, Any]:
    profile = Path(question["profile"])
    if question["do"] == "look":
        return asyncio.run(_look(profile))
    from wutong.redeem import redeem  # only who enrolls waits for what it brings along

    return {"center": redeem(profile, question["carried"])}


def main() -> None:
    """Entry point of the process."""
    try:
        said = _done(json.loads(sys.stdin.readline()))
    except WutongError as error:
        said = {"code": error.code, "message": error.message}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
