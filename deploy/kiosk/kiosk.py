#!/usr/bin/python3
"""The screens of a courtroom: panel and display in a browser that fills them and comes back whenever it ends.

    kiosk files      as root: what the screens show goes from the room's files into /run/wutong-kiosk
    kiosk session    as the screens' account, in an X session: one browser for each screen

Promises: a screen shows words, not an error, until the room's edge answers; a browser that ends is started again, one
that was asked for another address anew; the display's token is in no command line. Needs Python alone: a screen may be
on a machine that has nothing of the room. Refused: a setting that is not known, an address that is no web address.
"""

from __future__ import annotations

import contextlib
import grp
import html
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

SETTINGS = Path("/etc/wutong/kiosk.toml")
PROFILE = Path("/etc/wutong/room.toml")
SETUP = "/run/wutong-setup/address"
SHOWN = Path("/run/wutong-kiosk")
WAITING = Path("/usr/share/wutong-kiosk/waiting.html")
GROUP = "wutong-kiosk"
PAGES = ("panel", "display")
LOOK_S = 2.0
SHORT_S = 10.0
"""A browser that ended sooner than this is not started again at once."""
AGAIN_S = 5.0
_OUTPUT = re.compile(r"^(\S+) connected (?:primary )?(\d+)x(\d+)\+(\d+)\+(\d+)", re.MULTILINE)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--kiosk",
    "--no-first-run",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-infobars",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--password-store=basic",
    "--autoplay-policy=no-user-gesture-required",
)


class KioskError(Exception):
    """A setting that cannot be followed; says which."""


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise KioskError(f"{path} cannot be read: {error}") from error


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def room_address(profile: Mapping[str, Any]) -> str:
    """Where the room of this machine serves its pages, by its profile; empty where there is none."""
    if not profile:
        return ""
    panel, tls = _table(profile.get("panel")), _table(profile.get("tls"))
    host, port = str(panel.get("host", "127.0.0.1")), int(panel.get("port", 8810))
    alone = host in ("localhost", "::1") or host.startswith("127.")
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - what the room listens on, not what is listened on here
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if alone and not tls.get('loopback', False) else 'https'}://{shown}:{port}"


@dataclass(frozen=True)
class Wanted:
    """What the screens are to show, from left to right, and whom their browser trusts beside the known authorities."""

    screens: tuple[str, ...] = ("panel", "display")
    room: str = ""
    token: str = ""
    authority: str = ""
    """PEM."""
    setup: str = ""
    """Where a machine that is no courtroom yet becomes one: in the place of the panel."""

    def address(self, page: str) -> str:
        """Where a page is; empty while it is not known."""
        if self.setup and page == "panel":
            return self.setup
        if not self.room or (page == "display" and not self.token):
            return ""
        return f"{self.room}/display?token={quote(self.token, safe='')}" if page == "display" else f"{self.room}/{page}"


def wanted(settings: Mapping[str, Any], profile: Mapping[str, Any], root: Path = Path("/")) -> Wanted:
    """What this machine's files say; what is not there yet is empty. `KioskError` says which setting is wrong."""
    known = {"room", "token_file", "authority", "screens"}
    if strange := sorted(set(settings) - known):
        raise KioskError(
            f"{SETTINGS} has a setting that is not known: {strange[0]}; known are {', '.join(sorted(known))}"
        )
    screens = settings.get("screens", list(PAGES))
    if not isinstance(screens, list) or not 1 <= len(screens) <= 8 or not set(map(str, screens)) <= set(PAGES):
        raise KioskError(f'{SETTINGS}: screens is a list of "panel" and "display", from left to right')
    room = str(settings.get("room") or room_address(profile)).rstrip("/")
    parts = urlsplit(room)
    if room and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.path):
        raise KioskError(f"{SETTINGS}: room is the address of a courtroom, as https://room3.court.example:8810")
    data = root / str(_table(profile.get("storage")).get("data", "/var/lib/wutong")).lstrip("/")
    token_file = settings.get("token_file")
    token = _line(root / str(token_file).lstrip("/") if token_file else data / "display-token")
    named = settings.get("authority")
    own = (data / "keys/authority.pem", data / "keys/own/authority.pem")
    certificates = [root / str(named).lstrip("/")] if named else [path for path in own if path.exists()]
    setup = "" if profile or settings.get("room") else _line(root / SETUP.lstrip("/"))
    if setup:
        certificates = [(root / SETUP.lstrip("/")).with_name("authority.pem")]
    authority = "".join(path.read_text(encoding="ascii") for path in certificates if path.exists())
    return Wanted(tuple(map(str, screens)), room, token, authority, setup)


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def write_shown(value: Wanted, folder: Path, group: int) -> None:
    """For the screens' account alone; it appears as a whole."""
    draft = folder / "shown.json.part"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640), "w") as file:
        os.fchown(file.fileno(), -1, group)
        json.dump(value.__dict__, file)
    draft.rename(folder / "shown.json")


def read_shown(folder: Path = SHOWN) -> Wanted:
    """What `write_shown` has written; nothing is shown where it has not yet."""
    try:
        said = json.loads((folder / "shown.json").read_text(encoding="utf-8"))
        return Wanted(**{**said, "screens": tuple(said["screens"])})
    except (OSError, ValueError, KeyError, TypeError):
        return Wanted()


@dataclass(frozen=True)
class Output:
    """A screen, in pixels of the whole desktop."""

    name: str
    width: int
    height: int
    x: int
    y: int


def outputs(said: str) -> list[Output]:
    """The screens that `xrandr --query` names, from left to right."""
    found = [Output(name, *map(int, place)) for name, *place in _OUTPUT.findall(said)]
    return sorted(found, key=lambda one: (one.x, one.y))


def command(browser: str, output: Output, data: Path, page: Path) -> list[str]:
    """A browser that fills a screen with a file of this machine, which leads on."""
    place = [f"--window-position={output.x},{output.y}", f"--window-size={output.width},{output.height}"]
    return [browser, *OPTIONS, *place, f"--user-data-dir={data}", page.as_uri()]


def answers(address: str) -> bool:
    """Whether somebody listens there."""
    parts = urlsplit(address)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname, port), timeout=LOOK_S):
            return True
    except OSError:
        return False


@dataclass
class Screen:
    """One screen and its browser."""

    page: str
    output: Output
    home: Path
    browser: str
    shows: str = ""
    """The address that the browser was started for; empty: the words that it waits."""
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    not_before: float = field(default=0.0)

    def look(self, shown: Wanted, now: float) -> None:
        """Start the browser where it has ended, and anew where it is to show something else."""
        address = shown.address(self.page)
        if self.process is not None and self.process.poll() is not None:
            self.process, self.shows = None, ""
            self.not_before = now + AGAIN_S if now - self.began < SHORT_S else 0.0
        if self.process is not None and self.shows == address:
            return
        there = bool(address) and answers(address)
        if self.process is not None:
            if not self.shows and not there:
                return
            self.end()
        if now >= self.not_before:
            self._start(address if there else "", now)

    def end(self) -> None:
        """End the browser and all that it has started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process, self.shows = None, ""

    def _start(self, address: str, now: float) -> None:
        data = self.home / f"{self.page}-{self.output.name}"
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in data.glob("Singleton*"):
            left.unlink()  # of a browser that was killed: nobody else uses this folder
        page = WAITING
        if address:
            page = data / "page.html"
            page.touch(mode=0o600)
            page.write_text(f'<meta http-equiv="refresh" content="0; url={html.escape(address)}">\n', encoding="utf-8")
        self.process = subprocess.Popen(command(self.browser, self.output, data, page), start_new_session=True)
        self.shows, self.began = address, now


def trust(authority: str, home: Path) -> None:
    """Have Chromium believe the room's authority, and none of before."""
    store = home / ".pki/nssdb"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(mode=0o700, parents=True)
    certutil = ("certutil", "-d", f"sql:{store}")
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    for number, pem in enumerate(re.findall(r"-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n?", authority)):
        subprocess.run([*certutil, "-A", "-t", "C,,", "-n", f"wutong-{number}"], input=pem.encode(), check=True)


def session(home: Path) -> None:
    """Run the screens for ever."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise KioskError("there is no Chromium: apt install chromium")
    said = subprocess.run(["xrandr", "--query"], capture_output=True, text=True, check=True).stdout
    for words in (["s", "off"], ["s", "noblank"], ["-dpms"]):
        subprocess.run(["xset", *words], check=False)
    found, trusted, screens = outputs(said), "", list[Screen]()
    if not found:
        raise KioskError("no screen is connected")
    pages: Sequence[str] = ()
    try:
        while True:
            shown = read_shown()
            if shown.screens != pages:
                for screen in screens:
                    screen.end()
                pages = shown.screens
                screens = [Screen(page, output, home, browser) for page, output in zip(pages, found, strict=False)]
            if shown.authority != trusted:
                for screen in screens:
                    screen.end()
                trust(shown.authority, home)
                trusted = shown.authority
            for screen in screens:
                screen.look(shown, time.monotonic())
            time.sleep(LOOK_S)
    finally:
        for screen in screens:
            screen.end()


def main(words: Sequence[str]) -> int:
    """Command line."""
    try:
        if list(words) == ["files"]:
            write_shown(wanted(_read(SETTINGS), _read(PROFILE)), SHOWN, grp.getgrnam(GROUP).gr_gid)
        elif list(words) == ["session"]:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            session(Path.home())
        else:
            print(__doc__)
            return 2
    except KioskError as error:
        print(f"wutong-kiosk: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
