"""Time stamps over the audit log's heads: a real authority, one that is away, and one that lies.

The center asks and keeps; whom to believe is said by who verifies (`--tsa-root`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.config import load_config
from server.integrity.audit_ledger import AGAIN_S, STAMP_S, AuditLedger
from server.integrity.enrollment import center_key
from server.store.database import open_database
from server.store.writer import RecordWriter
from sync.ledger.token import MAX_TOKEN_BYTES, request_of
from tests.support.files import databases
from tests.support.peers.posted_to import posted_to, send
from tests.support.peers.tsa import REPLY, Authority
from wutong.cli import app

Reply = Callable[[bytes], tuple[int, bytes]]


class Stamped:
    """A center's log whose ledger asks an authority that does what the test says."""

    def __init__(self, folder: Path, real: Authority) -> None:
        self.folder, self.real = folder, real
        (folder / "center.toml").write_text('[storage]\ndata = "center"\n')
        config = load_config(folder / "center.toml")
        self.database = open_database(config.database_url)
        self.record = RecordWriter(self.database)
        self.now_s, self.asked = 0.0, 0
        self.reply: Reply = lambda request: (200, self.real.reply(request))
        self._key = center_key(config.storage.data)

    def ledger(self, url: str) -> AuditLedger:
        return AuditLedger(self.database, self._key, lambda text: None, tsa_url=url, monotonic_s=lambda: self.now_s)

    @contextmanager
    def authority(self) -> Iterator[str]:
        def answer(handler: BaseHTTPRequestHandler, request: bytes) -> None:
            self.asked += 1
            send(handler, *self.reply(request), content_type=REPLY)

        with posted_to(answer) as url:
            yield url

    async def note(self) -> None:
        row = {"utc_ns": 1, "what": "view", "role": "inspector", "address": "a", "detail": "{}", "granted": True}
        await self.record.audit([row])

    @property
    def tokens(self) -> list[bytes | None]:
        return [token for (token,) in databases.rows(self._db, "SELECT token FROM audit_heads ORDER BY size")]

    @property
    def _db(self) -> Path:
        return self.folder / "center" / "center.db"

    def put(self, token: bytes, size: int) -> None:
        with databases.opened(self._db) as connection:
            connection.execute("UPDATE audit_heads SET token = ? WHERE size = ?", (token, size))

    def verdict(self, root: Authority) -> tuple[int, dict[str, Any]]:
        (self.folder / "root.pem").write_bytes(root.root_pem)
        arguments = ["verify", "--audit", "--json", "--config", str(self.folder / "center.toml")]
        done = CliRunner().invoke(app, [*arguments, "--tsa-root", str(self.folder / "root.pem")])
        return done.exit_code, {one["code"]: one["about"] for one in json.loads(done.stdout)["reasons"]}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def stamped(tmp_path: Path, real: Authority) -> Iterator[Stamped]:
    one = Stamped(tmp_path, real)
    yield one
    one.database.close()


async def test_the_newest_head_is_stamped_each_hour_and_the_verifier_says_until_when_the_log_is_older(
    stamped: Stamped,
) -> None:
    with stamped.authority() as url:
        ledger = stamped.ledger(url)
        await stamped.note()
        await ledger.step()
        assert len(stamped.tokens) == 1
        await stamped.note()
        await ledger.sign()
        await ledger.step()
        assert stamped.asked == 1, "once an hour"
        stamped.now_s = STAMP_S
        await ledger.step()
        await ledger.step()
        assert stamped.asked == 2
        assert all(stamped.tokens)
    code, reasons = stamped.verdict(stamped.real)
    assert code == 0
    assert reasons["audit-stamped"][0] == "2"


async def test_an_authority_that_is_away_holds_up_nothing_and_is_asked_again(stamped: Stamped) -> None:
    with stamped.authority() as url:
        pass
    ledger = stamped.ledger(url)  # nobody listens there any more
    await stamped.note()
    await ledger.step()
    assert stamped.tokens == [None]
    assert stamped.verdict(stamped.real)[0] == 0, "signed all the same"
    with stamped.authority() as url:
        ledger = stamped.ledger(url)
        stamped.reply = lambda request: (503, b"away")
        await ledger.step()
        await ledger.step()
        assert stamped.asked == 1, "not at each look"
        stamped.reply = lambda request: (200, stamped.real.reply(request))
        stamped.now_s += AGAIN_S
        await ledger.step()
        assert stamped.asked == 2
        assert stamped.tokens != [None]
    assert "audit-stamped" in stamped.verdict(stamped.real)[1]


LIES: dict[str, Reply] = {
    "nonsense": lambda request: (200, b"no token"),
    "nothing": lambda request: (200, b""),
    "without-end": lambda request: (200, bytes(MAX_TOKEN_BYTES + 1)),
    "echo": lambda request: (200, request),
    "page": lambda request: (200, b"<html>sign in to the network first</html>"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_what_is_no_token_is_not_kept(stamped: Stamped, lie: str) -> None:
    stamped.reply = LIES[lie]
    with stamped.authority() as url:
        ledger = stamped.ledger(url)
        await stamped.note()
        await ledger.step()
    assert stamped.asked == 1
    assert stamped.tokens == [None]


async def test_a_true_token_over_another_text_is_not_kept_and_one_put_into_the_store_is_found(stamped: Stamped) -> None:
    of_another = stamped.real.reply(request_of("something else\n"))
    stamped.reply = lambda request: (200, of_another)
    with stamped.authority() as url:
        ledger = stamped.ledger(url)
        await stamped.note()
        await ledger.step()
        assert stamped.tokens == [None]
    stamped.put(of_another, 1)
    code, reasons = stamped.verdict(stamped.real)
    assert code == 20
    assert reasons["audit-token"][0] == "1"


async def test_an_authority_that_nobody_knows_proves_nothing_to_who_verifies(stamped: Stamped, tmp_path: Path) -> None:
    """Whoever sits between answers with an authority of their own, whose clock says what they like."""
    own = Authority(tmp_path / "own")
    stamped.reply = lambda request: (200, own.reply(request))
    with stamped.authority() as url:
        ledger = stamped.ledger(url)
        await stamped.note()
        await ledger.step()
    code, reasons = stamped.verdict(stamped.real)
    assert code == 20
    assert "audit-token" in reasons
    assert "audit-stamped" not in reasons
    assert stamped.verdict(own)[0] == 0
