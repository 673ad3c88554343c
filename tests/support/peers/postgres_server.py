"""A PostgreSQL of the tests' own: made in a folder that goes away, run as nobody in particular, stopped by its pid."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port

ADMINISTRATOR, USER = "administrator", "center"
PASSWORD = "a-password-of-the-tests"
TEMPLATE = "wutong_migrated"
PATIENCE_S = 60


class PostgresServer:
    """A server on a port of 127.0.0.1, which asks for a password; `with` begins and ends it."""

    def __init__(self, *settings: str) -> None:
        self._settings = settings
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="wutong-postgres-"))
        self.data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresServer:
        try:
            self._make()
            self.start()
            self.run(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        secret = self._folder / "secret"
        secret.write_text(PASSWORD)
        owner = _owner()
        if owner is not None:
            for path in (self._folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        made = [
            _program("initdb"),
            "-D",
            str(self.data),
            "-U",
            ADMINISTRATOR,
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
        ]
        done = subprocess.run(
            [*made, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            cwd=self._folder,
            **_as(owner),
        )
        assert done.returncode == 0, done.stderr

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Run it, and wait until it answers."""
        said = [part for one in self._settings for part in ("-c", one)]
        command = [_program("postgres"), "-D", str(self.data), "-p", str(self.port), "-k", "", "-c"]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "listen_addresses=127.0.0.1", *said],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **_as(_owner()),
            )
        for _ in range(PATIENCE_S * 20):
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            with contextlib.suppress(psycopg.OperationalError), self.connect() as _:
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)  # the server tells nobody when it is ready
        raise AssertionError("PostgreSQL did not start")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends every connection in good order, SIGQUIT as a power cut does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
        self._process = None

    def kill(self) -> None:
        """End each of its processes without a word; its files stay as they are at that moment."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # it begins no other meanwhile
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (*map(int, children), self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        self._process = None

    @contextlib.contextmanager
    def connect(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        """A connection of the test's own, where each statement counts at once."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=ADMINISTRATOR, password=PASSWORD, dbname=database, autocommit=True
        ) as one:
            yield one

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last one."""
        with self.connect(database) as one:
            rows: list[tuple[Any, ...]] = []
            for statement in statements:
                cursor = one.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
            return rows

    def new_database(self, *, template: str = "template0") -> str:
        """The name of a new database, which is the center's own; the center is no administrator."""
        name = f"t{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE {template}")
        return name

    def url(self, database: str, *, password: str | None = PASSWORD, query: str = "") -> str:
        """As a center's configuration has it."""
        secret = "" if password is None else f":{password}"
        return f"postgresql://{USER}{secret}@127.0.0.1:{self.port}/{database}{query}"


def migrated_database(server: PostgresServer) -> str:
    """The URL of a new database that has the center's tables already; they are made once for all."""
    from server.store.database import open_database

    if not server.run(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):
        name = server.new_database()
        open_database(server.url(name)).close()
        server.run(f"ALTER DATABASE {name} RENAME TO {TEMPLATE}")
    return server.url(server.new_database(template=TEMPLATE))


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    assert found, f"{name} is missing: make setup SET=tests"
    return str(found[-1])


def _owner() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to be root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    extra: Sequence[int] = ()
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": extra}
