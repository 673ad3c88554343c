"""`wutong enroll`: at the center it makes codes and lists or revokes devices, in the room it redeems a code."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from server.config import Config, load_config
from server.integrity.enrollment import VALID_S, Enrollment, center_key
from server.store.database import open_database
from server.tls.center import fingerprint_of as court_fingerprint
from server.tls.center import open_court
from sync.errors import ConfigError
from sync.room.enrollment import fingerprint
from sync.tls.fingerprint import joined_code
from wutong.redeem import redeem

T = TypeVar("T")


async def new_code(config: Config, room: str) -> str:
    """A code for a room of the center."""
    entry = await _with(config, lambda enrollment: enrollment.entry(room))
    if entry is not None and entry.retired:
        raise ConfigError(f"the room {room} is retired: take it back on the administrator's page")
    if entry is None and room not in {one.address for one in config.rooms}:
        raise ConfigError(f"there is no room {room}: add it on the administrator's page, or to [[rooms]]")
    code = await _with(config, lambda enrollment: enrollment.new_code(room))
    return joined_code(code, await asyncio.to_thread(fingerprint_of, config))


def fingerprint_of(config: Config) -> str:
    """The fingerprint of a center: of its authority and of the key that signs records, both made at first use."""
    return court_fingerprint(open_court(config), center_key(config.storage.data))


def at_center(config: Path, room: str | None, revoke: str | None, *, listed: bool, console: Console) -> None:
    """The form for the center."""
    loaded = load_config(config)
    if revoke is not None:
        count = asyncio.run(_with(loaded, lambda enrollment: enrollment.revoke(revoke)))
        if not count:
            raise ConfigError(f"{revoke} has no device that could be revoked; see --list")
        console.print(f"已吊销 {revoke} 的设备证书 (revoked): nothing of it is witnessed or taken from now on")
    elif room is not None:
        code = asyncio.run(new_code(loaded, room))
        key = center_key(loaded.storage.data).public_key()
        console.print(f"登记码 (code, once, {VALID_S // 60} min): {code}", highlight=False, soft_wrap=True)
        console.print(f"中心公钥指纹 (center key): {fingerprint(key)}", highlight=False)
        console.print("在法庭执行 (in the room): wutong enroll --profile PROFILE --code CODE")
    elif listed:
        _print_devices(loaded, console)
    else:
        raise ConfigError("say what to do at the center: --room court/room, --list, or --revoke court/room")


def in_room(profile: Path, code: str | None, console: Console) -> None:
    """The form for the room."""
    if not code:
        raise ConfigError("in the room, --code is needed; `wutong enroll --config C --room court/room` prints one")
    center = redeem(profile, code)
    console.print("已登记 (enrolled)")
    console.print(f"中心公钥指纹 (center key): {center}", highlight=False)


def _print_devices(config: Config, console: Console) -> None:
    table = Table("法庭 room", "公钥 key", "登记 enrolled (UTC)", "吊销 revoked (UTC)")
    for device in asyncio.run(_with(config, lambda enrollment: enrollment.devices())):
        table.add_row(device.room, device.public_key[:16], _day(device.enrolled_utc_ns), _day(device.revoked_utc_ns))
    console.print(table)


async def _with(config: Config, work: Callable[[Enrollment], Coroutine[Any, Any, T]]) -> T:
    data = config.storage.data
    data.mkdir(parents=True, exist_ok=True)
    database = await asyncio.to_thread(open_database, config.database_url)
    try:
        enrollment = Enrollment(database, center_key(data), open_court(config))
        result = await work(enrollment)
        await enrollment.write_revocations()  # also where the center does not run just now
        return result
    finally:
        database.close()


def _day(utc_ns: int | None) -> str:
    return "" if utc_ns is None else f"{dt.datetime.fromtimestamp(utc_ns / 1e9, dt.UTC):%Y-%m-%d %H:%M}"
