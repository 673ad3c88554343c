"""A profile as text: written whole or not at all, read again before it is kept, and without its secrets for others.

Promises: a profile that a service would refuse replaces none; the one before is kept beside it; files with passwords
are of mode 0600, and of the account that owns the room's data. What stands in a file as a comment is lost when it is
written anew, and is still in the one before.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import tomli_w

from hardware.camera_address import masked
from hardware.profile import Profile, load_profile
from sync.errors import ConfigError
from sync.runtime.files.durable_files import replace_file, sync_folder

SECRETS: Final = frozenset(
    {
        "password",
        "password_file",
        "token_file",
        "mqtt_password_file",
        "api_token_file",
        "pin_file",
        "user",
        "mqtt_username",
    }
)
"""Fields that are secrets, say where one lies, or whose it is."""
MOST_SHARED_BYTES: Final = 64 * 1024
HEAD = "# Written by `wutong room setup`; docs/operations.md says what each field is; `wutong doctor FILE` checks it\n"


def profile_text(table: Mapping[str, Any]) -> str:
    """A table as TOML; what is None is left out."""
    return tomli_w.dumps(_plain(table))


def shared_text(profile: Profile) -> str:
    """What others may know of a profile: what was written in it, without secrets and without users of cameras."""
    said = profile.model_dump(mode="python", by_alias=True, exclude_unset=True)
    return profile_text(_without_secrets(said))


def read_table(path: Path) -> dict[str, Any]:
    """The table of a profile that services take; `ConfigError` for any other."""
    load_profile(path)
    with path.open("rb") as file:
        return tomllib.load(file)


def write_profile(path: Path, table: Mapping[str, Any], at: datetime, group: int | None = None) -> Path | None:
    """Replace a profile; where the one before is now, None where there was none. `ConfigError`, `OSError`.

    `group`: of the file that services read by it; None: as the folder says.
    """
    text = HEAD + profile_text(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".setup-", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        draft.write_text(text, encoding="utf-8")
        try:
            load_profile(draft)
        except ConfigError as error:
            raise ConfigError(error.message.replace(str(draft), str(path)), code="profile") from error
    before = _kept_before(path, at)
    replace_file(path, text, mode=0o640)
    if group is not None:
        os.chown(path, -1, group)
    return before


def write_secret(path: Path, secret: str, owner: tuple[int, int] | None = None) -> None:
    """A file of mode 0600; `owner`: (user, group) that it is handed to by root. `OSError`."""
    replace_file(path, secret + "\n", private=True)
    if owner is not None and os.geteuid() == 0:
        os.chown(path, *owner)


def _kept_before(path: Path, at: datetime) -> Path | None:
    if not path.exists():
        return None
    for number in range(1, 100):
        before = path.with_name(f"{path.name}.before-{at:%Y%m%d-%H%M%S}" + ("" if number == 1 else f"-{number}"))
        with contextlib.suppress(FileExistsError):
            os.link(path, before)
            sync_folder(path.parent)
            return before
    raise ConfigError(f"{path} was written too often within this second; wait, and try again")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_secrets(one) for name, one in value.items() if name not in SECRETS}
    if isinstance(value, list | tuple):
        return [_without_secrets(one) for one in value]
    return masked(value) if isinstance(value, str) else value
