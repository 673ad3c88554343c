"""A center as a court of many rooms has it: several processes over TLS on a PostgreSQL, a NATS, and nginx before them.

nginx is Debian's, with the files that ship for it (`systemd/wutong-nginx*.conf`): only ports and places are others.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509

from server.config import load_config
from server.leases.shards import SHARDS, shard_of
from server.store.database import open_database
from server.tls.center import open_court
from server.tls.devices import note_certificate
from sync.tls.certificates import pem_of
from sync.tls.identity import TlsFiles
from sync.tls.keys import make_tls_key
from tests.support.paths import UNITS
from tests.support.peers.center_peers import CODES_OPEN
from tests.support.peers.center_processes import OWNERS, NumberedProcess
from tests.support.peers.nats_broker import NatsBroker
from tests.support.peers.one_process import OneProcess
from tests.support.peers.postgres_server import PostgresServer, migrated_database
from tests.support.peers.tls_center import TlsDoor
from tests.support.peers.tls_court import certified, shows, utc_now
from tests.support.ports import free_port, free_ports
from wutong.demo.broker_reload import watch
from wutong.demo.nats import PID_FILE

PROGRAM = "/usr/sbin/nginx"
MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
PLACES = "".join(f"{kind}_temp_path {{folder}}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
PATIENCE_S = 30
_SERVER = re.compile(r" +server 127\.0\.0\.1:880(\d)( [^;]+);\n")


class ShippedNginx(OneProcess):
    """nginx with the files of systemd/ in the places that they are for, on ports of this machine."""

    def __init__(self, folder: Path, processes: Sequence[NumberedProcess], authority: Path, shown: TlsFiles) -> None:
        folder.mkdir()
        self.folder = folder
        self.rooms, self.people = free_port(), free_port()
        self.log = folder / "who"
        self._ports = {one.number: one.port for one in processes}
        for_rooms = self._shipped("wutong-nginx-stream.conf", {"listen 8800;": f"listen 127.0.0.1:{self.rooms};"})
        people = {
            "listen 443 ssl;": f"listen 127.0.0.1:{self.people} ssl;",
            "/etc/wutong/web.pem": str(shown.certificate),
            "/etc/wutong/web.key": str(shown.key),
            "/var/lib/wutong-broker/authority.pem": str(authority),
        }
        for_people = self._shipped("wutong-nginx.conf", people)
        self.config = folder / "nginx.conf"
        self.config.write_text(
            f"daemon off; master_process off; pid {folder}/pid; load_module {MODULE};\n{for_rooms}"
            "events { worker_connections 2048; }\n"
            f'http {{\nlog_format who "$upstream_addr"; access_log {self.log} who;\n'
            f"client_body_temp_path {folder}/body; {PLACES.format(folder=folder)}\n{for_people}}}\n",
            encoding="utf-8",
        )

    def _shipped(self, name: str, others: Mapping[str, str]) -> str:
        """A file of systemd/ with the processes that there are, and with other ports and places."""
        text, count = _SERVER.subn(self._of_ours, (UNITS / name).read_text(encoding="utf-8"))
        assert count == 4, "the example is of four processes"
        for theirs, ours in others.items():
            assert text.count(theirs) == 1, theirs
            text = text.replace(theirs, ours)
        return text

    def _of_ours(self, line: re.Match[str]) -> str:
        port = self._ports.get(int(line[1]))
        return "" if port is None else f"server 127.0.0.1:{port}{line[2]};\n"

    def start(self) -> None:
        """Run it, until it listens."""
        command = [PROGRAM, "-p", str(self.folder), "-c", str(self.config), "-e", str(self.folder / "log")]
        self._process = subprocess.Popen(command)
        until_s = time.monotonic() + PATIENCE_S
        for port in (self.rooms, self.people):
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                    break
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < until_s
                time.sleep(0.02)  # it tells nobody when it is ready

    def errors(self) -> list[str]:
        """What it has said last, of what went wrong."""
        return (self.folder / "log").read_text().splitlines()[-4:]


class ProxiedCenter:
    """`proxied_center` makes and ends it."""

    def __init__(
        self, folder: Path, postgres: PostgresServer, rooms: Sequence[str], crowd: Sequence[str], count: int, token: str
    ) -> None:
        self.folder, self.postgres = folder, postgres
        self.data = folder / "center"
        self.data.mkdir(parents=True)
        database = migrated_database(postgres)
        self.database = database.rpartition("/")[2]
        base = free_ports(count + 1)
        self.file = folder / "center.toml"
        secret = folder / "metrics.token"
        secret.write_text(token)
        secret.chmod(0o600)
        listed = "".join('[[rooms]]\ncourt = "{}"\nroom = "{}"\n'.format(*room.split("/")) for room in (*rooms, *crowd))
        text = (
            f"[web]\nport = {base}\nhttps = true\ntrusted_proxies = ['127.0.0.2']\n[tls]\nloopback = true\n"
            f"{CODES_OPEN}[storage]\ndata = '{self.data}'\ndatabase = '{database}'\n"
            f"[metrics]\ntoken_file = '{secret}'\n"
            '[mqtt]\nkind = "nats"\ntls = true\n'
        )
        self.file.write_text(f"{text}brokers = ['127.0.0.1:1']\n{listed}")
        self.court = open_court(load_config(self.file))
        self.court.admit({})
        self.broker = NatsBroker(folder / "nats", self.court)
        self.file.write_text(
            f"{text}brokers = {json.dumps([f'{host}:{port}' for host, port in self.broker.places])}\n{listed}"
        )
        self.config = load_config(self.file)
        self.crowd = self._certified(crowd)
        """Certificates of rooms that have them without having asked."""
        self.authority = self.court.files.authority
        tls = shows(None, self.authority)
        self.processes = [NumberedProcess(self.file, number, base + number, tls) for number in range(1, count + 1)]
        shown = self._shown()
        self.nginx = ShippedNginx(folder / "nginx", self.processes, self.court.broker_folder / "authority.pem", shown)
        self._over = threading.Event()
        self._watcher = threading.Thread(
            target=watch, args=(self.court.broker_folder, self.broker.folders[0] / PID_FILE, self._over.is_set)
        )

    def _shown(self) -> TlsFiles:
        """What people's browsers are shown by nginx."""
        certificate, key = self.folder / "web.pem", self.folder / "web.key"
        authority = self.court.authority
        issued = authority.issue(make_tls_key(key).public_key(), "web", ["127.0.0.1"], utc_now())
        certificate.write_bytes(pem_of(issued) + authority.pem)
        return TlsFiles(self.authority, certificate, key)

    def start(self) -> None:
        """Everything."""
        self.broker.start()
        self._watcher.start()
        first, *others = self.processes
        first.start()
        while not (self.data / "codes.json").exists():  # the first start of a center is that of one process
            assert first.is_alive(), "the process ended by itself"
            time.sleep(0.05)
        for one in others:
            one.start()
        for one in self.processes:
            one.wait()
        self.nginx.start()

    def complete(self) -> None:
        """Start the processes that do not run."""
        for one in self.processes:
            if not one.is_alive():
                one.kill()
                one.start()
                one.wait()

    def end(self) -> None:
        """Everything, at once."""
        self.nginx.kill()
        for one in self.processes:
            one.kill()
        self._over.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self.broker.stop()

    @property
    def of_rooms(self) -> TlsDoor:
        """The center as rooms know it: through nginx, which passes their lines on unread."""
        return TlsDoor(f"https://127.0.0.1:{self.nginx.rooms}", self.config, self.file, self.broker)

    @property
    def of_people(self) -> str:
        """The address that people type."""
        return f"https://127.0.0.1:{self.nginx.people}"

    @property
    def code(self) -> str:
        """Of an inspector."""
        return str(json.loads((self.data / "codes.json").read_text())["inspector"])

    def trusting(self, files: TlsFiles | None = None) -> ssl.SSLContext:
        """Of who trusts the court's authority, and shows `files`."""
        return shows(files, self.authority)

    def _certified(self, rooms: Sequence[str]) -> Mapping[str, TlsFiles]:
        folder = self.folder / "rooms"
        folder.mkdir()
        made = {room: certified(self.court.authority, folder, room) for room in rooms}
        database = open_database(self.config.database_url)
        try:
            with database.engine.begin() as connection:
                for room, files in made.items():
                    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
                    note_certificate(connection, room, certificate, time.time_ns())
        finally:
            database.close()
        return made

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database has."""
        return self.postgres.run(query, database=self.database)

    def owner(self, room: str) -> int:
        """The number of the process that owns a room; 0 for none."""
        return self.owners([room])[room]

    def owners(self, rooms: Sequence[str]) -> dict[str, int]:
        """The same of each of these."""
        addresses = dict(self.rows(OWNERS))
        numbers = {one.url: one.number for one in self.processes}
        return {room: numbers.get(addresses.get(shard_of(room), ""), 0) for room in rooms}

    def is_shared(self) -> bool:
        """Whether each process owns its fair share."""
        owners = [address for _, address in self.rows(OWNERS)]
        share = SHARDS // len(self.processes)
        return len(owners) == SHARDS and all(owners.count(one.url) == share for one in self.processes)

    def asked(self) -> list[int]:
        """The numbers of the processes that nginx has asked for people, the last one last."""
        numbers = {f"127.0.0.1:{one.port}": one.number for one in self.processes}
        lines = self.nginx.log.read_text().splitlines()
        return [numbers.get(line.strip('"').rpartition(", ")[2], 0) for line in lines]


@contextlib.contextmanager
def proxied_center(
    folder: Path, postgres: PostgresServer, rooms: Sequence[str], crowd: Sequence[str], count: int, *, token: str
) -> Iterator[ProxiedCenter]:
    """Runs while the block does. `rooms` may enroll, those of the `crowd` have certificates; `token` opens metrics."""
    made = ProxiedCenter(folder, postgres, rooms, crowd, count, token)
    try:
        made.start()
        yield made
    finally:
        made.end()
