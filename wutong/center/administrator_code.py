"""`wutong center administrator-code`: the one-time code of the first administrator, for who has lost `codes.json`.

The center may run beside it. Refused once somebody administers the court at the top: who has lost the second factor is
helped by another administrator, never by a command.
"""

from __future__ import annotations

from pathlib import Path

from server.config import load_config
from server.people.first_administrator import FirstCode
from server.people.people_store import has_administrator
from server.store.database import open_database
from sync.errors import ConfigError


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
