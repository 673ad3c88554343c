"""Mosquitto as a court would run it: each room may touch only its own topics, and strangers may touch nothing.

By certificates (`write_tls_config`), as the demo runs it, or by the passwords of the old way (`write_config`).
"""

from __future__ import annotations

import getpass
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from server.tls.process_accounts import process_accounts
from sync.errors import ConfigError
from sync.http.rights.people import write_private
from wutong.broker_policy import (
    certified_rights_text,
    rights_text,
    settings_text,
    tls_settings_text,
)
from wutong.demo.preflight import find_program

PID_FILE = "mosquitto.pid"


@dataclass(frozen=True)
class Account:
    """An MQTT user and the file (mode 0600) that holds its password."""

    username: str
    password_file: Path


def account(folder: Path, username: str) -> Account:
    """The account of this name; its password is made at first use."""
    path = folder / f"{username.replace('/', '-')}.mqtt"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return Account(username, path)


def write_tls_config(folder: Path, listener: str, files: Path) -> Path:
    """Write mosquitto.conf and its access list; `files` is the folder that the center writes for its broker."""
    folder.mkdir(parents=True, exist_ok=True)
    access, config = folder / "access", folder / "mosquitto.conf"
    write_private(access, certified_rights_text())
    user = f"user {getpass.getuser()}"
    more = (user, f"pid_file {(folder / PID_FILE).resolve()}")
    text = tls_settings_text(listener, str(files.resolve()), str(access.resolve()), more=more)
    config.write_text(text, encoding="utf-8")
    return config


def write_config(folder: Path, port: int, center: Account, rooms: dict[str, Account], *, processes: int = 0) -> Path:
    """Write mosquitto.conf, its password file and its access list; `rooms` maps `court/room` to the account. So many
    `processes` of the center have accounts of their own, with its password."""
    folder.mkdir(parents=True, exist_ok=True)
    passwords, access, config = folder / "passwords", folder / "access", folder / "mosquitto.conf"
    tool = find_program("mosquitto_passwd")
    if tool is None:
        raise ConfigError("the program mosquitto_passwd is missing; run `make setup`, or `apt install mosquitto`")
    accounts = {one.username: one.password_file.read_text(encoding="utf-8") for one in (center, *rooms.values())}
    accounts |= dict.fromkeys(process_accounts(center.username, processes), accounts[center.username])
    # Through a private file that is hashed in place: what stands on a command line is read by every account.
    write_private(passwords, "".join(f"{name}:{password}\n" for name, password in accounts.items()))
    subprocess.run([tool, "-U", str(passwords)], check=True, capture_output=True)
    names = {address: one.username for address, one in rooms.items()}
    write_private(access, rights_text(center.username, names, processes=processes))
    # Started by root it would become user `mosquitto`, who must not read these files.
    user = f"user {getpass.getuser()}"
    text = settings_text(f"{port} 127.0.0.1", str(passwords.resolve()), str(access.resolve()), more=(user,))
    config.write_text(text, encoding="utf-8")
    return config
