"""Serves the setup page until the room is done, at the address that will be its panel's.

Promises: without the one-time code nobody gets anything but the page itself; on a network it is served by HTTPS alone.
The page's keys and sessions are in a folder that goes with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import io
import signal
import tempfile
from pathlib import Path

import segno
from rich.console import Console

from hardware.profile import load_profile
from sync.http import pages
from sync.http.rights.access import Access
from sync.http.rights.people import write_private
from sync.http.serve import new_app, serving
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import replace_file
from sync.tls.hosts import is_loopback
from sync.tls.names import local_hosts
from wutong.setup.api import add_setup
from wutong.setup.one_time_code import OneTimeCode
from wutong.setup.page_tls import page_context
from wutong.setup.profile_making import SetupPlace
from wutong.setup.room_setup import RoomSetup
from wutong.setup.services import services_of

AUTHORITY = "authority.pem"
"""Beside the code file: who certifies the page."""
PAGE_READS_S = 1.5
"""So long the page may read that it is done, before the panel takes its place."""


async def serve_page(place: SetupPlace, console: Console, code_file: Path | None, logs: Path | None) -> int:
    """Until the room is done, and for as long as the services are children of this command; the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    secure = not is_loopback(place.host)
    scheme = "https" if secure else "http"
    with tempfile.TemporaryDirectory(prefix="wutong-setup-") as name:
        folder = Path(name)
        context, fingerprint = page_context(folder, dt.datetime.now(dt.UTC)) if secure else (None, "")
        setup = RoomSetup(place, services_of(place.profile, logs))
        code = OneTimeCode(lambda address: console.print(f"安装码已由 {address} 使用 (the code was used)"))
        app = new_app("Wutong setup")
        access = Access.open(folder / "access.json", {})
        access.install(app, "setup", https=secure)
        add_setup(app, setup, access, code)
        pages.install(app, ["setup"], home="setup")
        await setup.open()
        try:
            async with serving(app, place.host, place.port, tls=context) as port:
                host = _own_host(place.host)
                address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/setup#{code.text}"
                if code_file is not None:
                    _say_beside(code_file, address, folder if secure else None)
                _tell(console, address, code.text, fingerprint)
                searching = asyncio.create_task(setup.find())
                await _first(setup.finished, stop)
                searching.cancel()
                await asyncio.gather(searching, return_exceptions=True)
                if setup.finished.is_set():
                    await asyncio.sleep(PAGE_READS_S)
            if setup.finished.is_set():
                await setup.start_panel()
                console.print("法庭已就绪 (the room is ready)", style="bold")
                codes = RoomPaths(load_profile(place.profile).storage.data).access.with_name("codes.json")
                console.print(f"书记员登录码在 (the clerk's code is in) {codes}", highlight=False, soft_wrap=True)
                if logs is not None:
                    console.print("按 Ctrl-C 停止 (Ctrl-C stops the services)")
                    await stop.wait()
        finally:
            await setup.close()
            await setup.services.stop()
            if code_file is not None:
                with contextlib.suppress(OSError):
                    code_file.unlink(missing_ok=True)
                    code_file.with_name(AUTHORITY).unlink(missing_ok=True)
    return 0 if setup.finished.is_set() else 1


def _say_beside(code_file: Path, address: str, made_in: Path | None) -> None:
    """For a screen of this machine: whom to believe, and behind that where the page is."""
    if made_in is not None:
        replace_file(code_file.with_name(AUTHORITY), (made_in / AUTHORITY).read_bytes())
    write_private(code_file, address + "\n")


def _own_host(host: str) -> str:
    """An address by which another machine reaches this one."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104 (compared, not listened on)
        return host
    return next((one for one in local_hosts()[4:] if not is_loopback(one)), "127.0.0.1")


def _tell(console: Console, address: str, code: str, fingerprint: str) -> None:
    drawn = io.StringIO()
    segno.make(address, error="m", micro=False).terminal(out=drawn, compact=True, border=2)
    console.file.write(drawn.getvalue())
    console.print(f"打开 (open): {address}", highlight=False, soft_wrap=True)
    console.print(f"安装码 (setup code, once): {code}", highlight=False, soft_wrap=True)
    if fingerprint:
        console.print(f"证书 (certificate) SHA-256: {fingerprint}", highlight=False, soft_wrap=True)


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
