"""`wutong verify --audit`: an edited, removed, added or reordered row is named, and so is a head that goes back."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from server.config import load_config
from server.integrity.audit_ledger import AuditLedger
from server.integrity.enrollment import center_key
from server.store import tables as t
from server.store.database import open_database
from server.store.writer import RecordWriter
from sync.ledger import note as notes
from sync.ledger.audit_head import AuditHead, name_of, sign_head
from sync.ledger.audit_leaf import AuditRow, leaf_of_row
from sync.ledger.tree import leaf_hash
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.support.files import databases
from wutong.cli import app

NS = 10**9
DAY_NS = 86_400 * NS
BEGAN_NS = 1_795_000_000 * NS


@dataclass
class CenterLog:
    """A center with an audit log of forty rows, a head after each ten, and a room that holds the first head."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "center.toml"

    @property
    def db(self) -> Path:
        return self.folder / "center" / "center.db"

    def spoil(self, *statements: str) -> None:
        with databases.opened(self.db) as connection:
            for statement in statements:
                connection.execute(statement)

    def verdict(self, *more: str) -> tuple[int, dict[str, list[str]]]:
        """(exit code, code of each reason -> what about)"""
        arguments = more if more and not more[0].startswith("--") else ("--config", str(self.config), *more)
        done = CliRunner().invoke(app, ["verify", "--audit", "--json", *arguments])
        said = json.loads(done.stdout)
        found: dict[str, list[str]] = {}
        for reason in said["reasons"]:
            assert reason["zh"], reason
            assert reason["en"], reason
            found.setdefault(reason["code"], []).extend(reason["about"][:2])
        return done.exit_code, found


def row(number: int) -> dict[str, Any]:
    values = {"utc_ns": BEGAN_NS + number * DAY_NS // 10, "what": "view", "role": "inspector", "address": "10.0.0.9"}
    return {**values, "detail": json.dumps({"hearing": f"h{number}"}), "granted": True}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    asyncio.run(make(folder))
    return folder


async def make(folder: Path) -> None:
    """Write the log that `CenterLog` tells of."""
    (folder / "center.toml").write_text('[storage]\ndata = "center"\n')
    config = load_config(folder / "center.toml")
    database = open_database(config.database_url)
    key = center_key(config.storage.data)
    told: list[str] = []
    ledger, record = AuditLedger(database, key, told.append), RecordWriter(database)
    for ten in range(4):
        await record.audit([row(10 * ten + n) for n in range(10)])
        await ledger.sign()
    body = {"what": "audit-head", "note": json.loads(told[1])["audit_head"]}
    held = {"room": "court1/c03", "number": 1, "kind": "access", "room_ns": 1, "utc_ns": 1, "body": json.dumps(body)}

    def keep(connection: Any) -> None:
        connection.execute(insert(t.events).values(**held, hearing=None, sha256="", stored_utc_ns=1))

    await database.write(keep)
    database.close()
    log = RoomLog(folder / "room" / "room.db")
    last = {"what": "audit-head", "note": json.loads(told[-1])["audit_head"]}
    log.append("access", last, hearing=None, room_ns=1, utc_ns=1, key="audit-head/40/00")
    log.close()


@pytest.fixture
def center(made: Path, tmp_path: Path) -> CenterLog:
    shutil.copytree(made, tmp_path / "copy")
    return CenterLog(tmp_path / "copy")


def test_an_honest_log_is_authentic_and_says_what_the_rooms_hold(center: CenterLog) -> None:
    assert center.verdict() == (0, {"audit-held": ["20", "court1/c03"]})
    done = CliRunner().invoke(app, ["verify", "--audit", "--config", str(center.config), "--lang", "en"])
    assert "authentic" in done.stdout
    assert "40 rows" in done.stdout


LEAF = leaf_hash(leaf_of_row(AuditRow(row=17, **{**row(16), "detail": "{}"}))).hex()

SPOILT: dict[str, tuple[list[str], str, list[str]]] = {
    "edited": (["UPDATE audit SET detail = '{}' WHERE row = 17"], "audit-row-changed", ["17"]),
    "who": (["UPDATE audit SET role = 'archivist' WHERE row = 3"], "audit-row-changed", ["3"]),
    "granted": (["UPDATE audit SET granted = 0 WHERE row = 40"], "audit-row-changed", ["40"]),
    "removed": (["DELETE FROM audit WHERE row = 23"], "audit-row-missing", ["23"]),
    "removed-with-its-leaf": (
        ["DELETE FROM audit WHERE row = 23", "DELETE FROM audit_leaves WHERE row = 23"],
        "audit-leaf-missing",
        ["23", "22"],
    ),
    "added": (
        ["INSERT INTO audit (utc_ns, what, role, address, detail, granted) VALUES (1, 'view', 'x', 'x', 'x', 1)"],
        "audit-row-added",
        ["41"],
    ),
    "reordered": (
        ["UPDATE audit SET row = 99 WHERE row = 5", "UPDATE audit SET row = 5 WHERE row = 6",
         "UPDATE audit SET row = 6 WHERE row = 99"],
        "audit-row-changed",
        ["5", "6"],
    ),
    "edited-with-its-leaf": (
        ["UPDATE audit SET detail = '{}' WHERE row = 17", f"UPDATE audit_leaves SET sha256 = '{LEAF}' WHERE row = 17"],
        "audit-root",
        ["11", "20"],
    ),
    "the-end-is-cut": (
        ["DELETE FROM audit WHERE row > 35", "DELETE FROM audit_leaves WHERE row > 35"],
        "audit-cut",
        ["40", "35"],
    ),
    "the-end-and-its-heads-are-cut": (
        ["DELETE FROM audit WHERE row > 15", "DELETE FROM audit_leaves WHERE row > 15",
         "DELETE FROM audit_heads WHERE size > 15"],
        "audit-held-cut",
        ["court1/c03", "20"],
    ),
    "a-forged-head": (
        ["UPDATE audit_heads SET note = replace(note, 'row 40', 'row 41') WHERE size = 40"],
        "audit-head",
        ["a signature of wutong-center is false"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_what_was_done_to_the_log_is_named_with_its_row(center: CenterLog, how: str) -> None:
    statements, code, about = SPOILT[how]
    center.spoil(*statements)
    verdict, found = center.verdict()
    assert verdict == 20
    assert found[code][: len(about)] == about


@pytest.mark.parametrize(
    ("statement", "code", "about"),
    [
        *(
            (f"UPDATE audit SET {field} = {value} WHERE row = 17", "audit-row-changed", "17")
            for field in ("detail", "what", "role", "address", "utc_ns")
            for value in ("x'00'", "CAST(x'ff' AS TEXT)", "1.5")
        ),
        *(
            (f"UPDATE audit_leaves SET sha256 = {value} WHERE row = 17", "audit-row-changed", "17")
            for value in ("'zz'", "x'00'", "5", "'00'")
        ),
        ("UPDATE audit_leaves SET row = 'x' WHERE row = 17", "audit-row-added", "17"),
        ("UPDATE audit_heads SET note = x'00' WHERE size = 40", "audit-head", ""),
        ("UPDATE audit_heads SET note = 5 WHERE size = 40", "audit-head", ""),
        ("UPDATE events SET body = x'00'", "audit-held-unread", "court1/c03"),
        ('UPDATE events SET body = \'{"what": "audit-head"\'', "audit-held-unread", "court1/c03"),
    ],
)
def test_a_value_of_another_kind_is_a_reason_and_no_traceback(
    center: CenterLog, statement: str, code: str, about: str
) -> None:
    center.spoil(statement)
    verdict, found = center.verdict()
    assert about in found[code] or not about
    assert verdict == (0 if code == "audit-held-unread" else 20)


@pytest.mark.parametrize(
    "certificate", [b"", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_rooms_certificate_that_cannot_be_read_makes_its_heads_unread(center: CenterLog, certificate: bytes) -> None:
    path = RoomPaths(center.folder / "room").device_certificate
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(certificate)
    verdict, found = center.verdict("--room", str(center.folder / "room"))
    assert verdict == 0
    assert ("audit-held-unread" in found) == bool(certificate)
    center.spoil(
        "INSERT INTO devices (room, public_key, certificate, enrolled_utc_ns) VALUES ('court1/c03', '', x'00', 1)"
    )
    assert center.verdict()[0] == 0


def test_a_log_written_anew_with_the_centers_key_is_given_away_by_a_room(center: CenterLog) -> None:
    wipe = ["DELETE FROM audit", "DELETE FROM audit_leaves", "DELETE FROM audit_heads", "DELETE FROM events"]
    center.spoil(*wipe)
    assert center.verdict()[0] == 40
    key = center_key(center.folder / "center")
    center.spoil(
        "INSERT INTO audit (row, utc_ns, what, role, address, detail, granted) VALUES (17,1,'view','x','x','x',1)",
    )
    digest = leaf_hash(leaf_of_row(AuditRow(17, 1, "view", "x", "x", "x", True)))
    note = sign_head(AuditHead(name_of(key.public_key()), 1, digest, 17, 1), key).to_text()
    with databases.opened(center.db) as connection:
        connection.execute("INSERT INTO audit_leaves VALUES (0, 17, ?)", (digest.hex(),))
        connection.execute("INSERT INTO audit_heads VALUES (1, ?, ?, 1, NULL)", (digest.hex(), note))
    assert center.verdict() == (0, {"audit-not-held": []}), "who holds the key can do it, and the verdict says so"
    verdict, found = center.verdict("--room", str(center.folder / "room"))
    assert verdict == 20
    assert found["audit-held-cut"][1] == "40"


def test_rows_that_nobody_has_signed_yet_are_said(center: CenterLog) -> None:
    with databases.opened(center.db) as connection:
        digest = leaf_hash(leaf_of_row(AuditRow(41, 1, "view", "x", "x", "x", True)))
        connection.execute("INSERT INTO audit VALUES (41, 1, 'view', 'x', 'x', 'x', 1, '')")
        connection.execute("INSERT INTO audit_leaves VALUES (40, 41, ?)", (digest.hex(),))
    verdict, found = center.verdict()
    assert (verdict, found["audit-unsigned"]) == (30, ["1", "41"])


def exported(center: CenterLog, *more: str) -> Path:
    out = center.folder / "out"
    done = CliRunner().invoke(app, ["export", "--audit", "--config", str(center.config), "--out", str(out), *more])
    assert done.exit_code == 0, done.output
    return out


def pem(center: CenterLog) -> str:
    return str(center.folder / "center" / "keys" / "center.pem")


def test_an_exported_log_is_judged_from_the_folder_and_the_key_alone(center: CenterLog) -> None:
    out = exported(center)
    assert center.verdict(str(out), "--center-key", pem(center)) == (0, {"audit-held": ["20", "court1/c03"]})
    assert center.verdict(str(out))[0] == 40, "without the key nothing is believed"
    rows = databases.rows(center.db, "SELECT what FROM audit WHERE row = 41")
    assert rows == [("export",)], "an export is a row itself"


def test_a_stretch_of_days_has_a_proof_of_its_own(center: CenterLog) -> None:
    out = exported(center, "--from", "2026-11-19", "--to", "2026-11-20")
    lines = (out / "rows.jsonl").read_text().splitlines()
    assert 10 <= len(lines) <= 20
    assert json.loads((out / "audit.json").read_text())["path"]
    verdict, found = center.verdict(str(out), "--center-key", pem(center))
    assert verdict == 0, found


def change(at: int, make: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        lines = (folder / "rows.jsonl").read_text().splitlines(keepends=True)
        lines[at : at + 2] = make(lines[at : at + 2])
        (folder / "rows.jsonl").write_text("".join(lines))

    return work


FOLDERS = {
    "edited": (change(4, lambda two: [two[0].replace("h4", "h5"), two[1]]), "audit-row-changed", ["5"]),
    "removed": (change(4, lambda two: two[1:]), "audit-row-missing", ["5"]),
    "added": (change(4, lambda two: [two[0].replace("h4", "h0"), *two]), "audit-row-added", ["5"]),
    "reordered": (change(4, lambda two: two[::-1]), "audit-row-changed", ["6", "5"]),
}


@pytest.mark.parametrize("days", [[], ["--from", "2026-11-18", "--to", "2026-11-20"]])
@pytest.mark.parametrize("how", FOLDERS)
def test_what_was_done_to_the_folder_is_named_with_its_row(center: CenterLog, how: str, days: list[str]) -> None:
    out = exported(center, *days)
    work, code, about = FOLDERS[how]
    work(out)
    verdict, found = center.verdict(str(out), "--center-key", pem(center))
    assert verdict == 20
    assert code in found
    if not days:
        assert found[code][: len(about)] == about


@pytest.mark.parametrize("file", ["audit.json", "rows.jsonl", "leaves.txt", "heads.jsonl", "rooms.jsonl"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\n", b"[" * 50_000 + b"\n", b'{"note":' + b"9" * 100_000 + b"}\n", b"x" * 3_000_000]
)
def test_a_hostile_folder_is_refused_in_a_sentence(center: CenterLog, file: str, content: bytes) -> None:
    out = exported(center)
    (out / file).write_bytes(content)
    done = CliRunner().invoke(app, ["verify", "--audit", str(out), "--center-key", pem(center)])
    assert done.exit_code in ((0, 20, 40) if content == b"" else (20,)), done.output


def test_a_rooms_countersignature_is_looked_at(center: CenterLog) -> None:
    key = center_key(center.folder / "center")
    other = notes.sign("wutong-audit/0\n", "wutong-center", key).to_text()
    log = RoomLog(center.folder / "room" / "room.db")
    log.append("access", {"what": "audit-head", "note": other}, hearing=None, room_ns=1, utc_ns=1, key="audit-head/1/0")
    log.close()
    verdict, found = center.verdict("--room", str(center.folder / "room"))
    assert verdict == 0
    assert "audit-held-unread" in found
    assert found["audit-held"][0] == "40"


@pytest.mark.parametrize(
    "arguments",
    [["verify"], ["verify", "--audit"], ["verify", "--audit", "x", "--config", "y"], ["export", "--out", "x"],
     ["export", "--audit", "--out", "x"], ["export", "h1", "--audit", "--config", "y", "--out", "x"]],
)  # fmt: skip
def test_a_command_that_cannot_be_meant_says_what_to_say(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code != 0
    assert "say" in str(done.exception) or "center's" in str(done.exception)
