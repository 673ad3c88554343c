"""`wutong center administrator-code`: the one-time code of the first administrator, for who has lost `codes.json`.

The center may run beside it. Refused once somebody administers the court at the top. With a login: the way out of an
administrator whom no second one can help. It needs the center's own machine, whose owner could change the database in
any case, takes factors away (sessions go on until they end), and is a line of the audit log. Refused for everybody
else: people are helped by two administrators (`server.entrance.acts`).
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from sqlalchemy import Connection

from server.config import load_config
from server.entrance.credential_rows import remove_all
from server.entrance.sign_up import new_sign_up_code
from server.people.acting import CENTER
from server.people.first_administrator import FirstCode
from server.people.people_store import has_administrator
from server.people.person import login_of
from server.people.person_rows import person_by_login
from server.store.database import open_database
from sync.errors import ConfigError

VALID_S = 3600
"""Whoever runs the command sits beside whom it is for."""


def administrator_code(config: Path, *, anew: bool = False) -> str:
    """The code, made anew where it is not known any more; `ConfigError`."""
    loaded = load_config(config)
    loaded.storage.data.mkdir(parents=True, exist_ok=True)
    database = open_database(loaded.database_url)
    try:
        if database.read_now(has_administrator):
            raise ConfigError(
                "中心已有系统管理员，不再发放首个管理员登录码 (there is an administrator; the code is for the first)"
            )
    finally:
        database.close()
    code = FirstCode(loaded.storage.data)
    return code.keep(wanted=True, anew=anew) or code.keep(wanted=True, anew=True)


def code_for_administrator(config: Path, login: str) -> str:
    """A code with which this administrator comes in anew, for an hour; `ConfigError` when it is none of the center."""
    return asyncio.run(made_code(config, login))


async def made_code(config: Path, login: str) -> str:
    """The same, within a loop."""
    database = open_database(load_config(config).database_url)

    def work(connection: Connection) -> str:
        person = person_by_login(connection, login_of(login))
        if person is None or not person.administers or person.source != "local":
            raise ConfigError(
                f"{login} 不是使用中心密码的系统管理员 "
                "(no active administrator of the center with a password has this login)"
            )
        remove_all(connection, person.id)
        CENTER.note(connection, "sign-up-code", {"of": person.id, "at": "the center's machine"})
        return new_sign_up_code(connection, person.id, "machine", "", time.time_ns(), VALID_S)[0]

    try:
        return await database.write(work)
    finally:
        database.close()
