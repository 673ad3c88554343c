"""A court's authority for tests, certificates of whoever is wanted, and Mosquitto that asks for them."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.tls.court import CourtAuthority
from sync.tls.authority import Authority
from sync.tls.certificates import pem_of
from sync.tls.contexts import client_context, load_own, trust
from sync.tls.identity import TlsFiles
from sync.tls.keys import make_tls_key
from tests.support.ports import free_port
from wutong.demo.broker import PID_FILE, write_tls_config

DAY = dt.timedelta(days=1)


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def certified(
    authority: Authority, folder: Path, name: str, *, now: dt.datetime | None = None, lasts: dt.timedelta = 397 * DAY
) -> TlsFiles:
    """Files of somebody whom this authority certified."""
    stem = name.replace("/", "-").replace("#", "hash").replace("+", "plus")
    key = make_tls_key(folder / f"{stem}.key")
    certificate = authority.issue(key.public_key(), name, [], now or utc_now(), lasts=lasts)
    path = folder / f"{stem}.pem"
    path.write_bytes(pem_of(certificate))
    (folder / "believed.pem").write_bytes(authority.pem)
    return TlsFiles(folder / "believed.pem", path, folder / f"{stem}.key")


def served_by(
    authority: Authority, folder: Path, host: str, *, lasts: dt.timedelta = 397 * DAY, key: str = "served.key"
) -> tuple[Path, Path]:
    """Certificate and key of a server that is reached as `host`, as `wutong authority --issue` makes them."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = authority.issue(make_tls_key(folder / key).public_key(), "served", [host], utc_now(), lasts=lasts)
    (folder / "served.pem").write_bytes(pem_of(certificate))
    return folder / "served.pem", folder / key


def shows(files: TlsFiles | None, authority: Path) -> ssl.SSLContext:
    """A context that trusts `authority` and shows `files`."""
    context = client_context()
    trust(context, authority)
    if files is not None:
        load_own(context, files.certificate, files.key)
    return context


@dataclass
class CertifiedBroker:
    """A running Mosquitto by the product's own policy, and the court behind it."""

    court: CourtAuthority
    port: int
    process: subprocess.Popen[bytes]
    pid_file: Path

    @property
    def authority(self) -> Path:
        """Whom a client trusts."""
        return self.court.files.authority

    @property
    def places(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", self.port)]

    def read_again(self) -> None:
        """What the path unit does."""
        self.process.send_signal(signal.SIGHUP)


@contextlib.contextmanager
def certified_broker(folder: Path, court: CourtAuthority | None = None) -> Iterator[CertifiedBroker]:
    """Stopped by its pid."""
    court = court or CourtAuthority(folder / "center", "Test court TLS")
    port = free_port()
    config = write_tls_config(folder / "mosquitto", f"{port} 127.0.0.1", court.broker_folder)
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
    assert program is not None, "the program mosquitto is missing; apt install mosquitto"
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "mosquitto did not start"
                assert time.monotonic() < deadline
                time.sleep(0.02)  # Mosquitto tells nobody when it is ready
        yield CertifiedBroker(court, port, process, folder / "mosquitto" / PID_FILE)
    finally:
        process.terminate()
        process.wait(timeout=10)
