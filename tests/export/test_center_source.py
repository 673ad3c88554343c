"""An export at the center: out of its record store, signed by the center's key, on its audit log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from sqlalchemy import create_engine, insert, select, update
from sqlalchemy.pool import NullPool
from typer.testing import CliRunner

from server.config import load_config
from server.store import tables as t
from server.store.database import open_database
from server.store.objects import ObjectStore
from sync.errors import ConfigError
from sync.ledger.keys import public_pem
from sync.record.hearing import Hearing
from sync.room.checkpoints import Checkpoints
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.support.exports.honest_exports import HEARING, HonestExports
from tests.support.exports.honest_room import ROOM, Center
from tests.support.files import databases
from wutong.cli import app
from wutong.export.bundle import export
from wutong.export.sources.center import CenterSource
from wutong.export.sources.room import RoomSource
from wutong.verify.case import ExportCase
from wutong.verify.examine import examine
from wutong.verify.verdict import Verdict


@pytest.fixture
def config(honest: HonestExports, center: Center, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A center that holds everything of an honest hearing, "gaps" unless the test names another."""
    room = honest(getattr(request, "param", "gaps"))
    data = tmp_path / "center"
    (data / "keys").mkdir(parents=True)
    key = center.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (data / "keys" / "center.key").write_bytes(key)
    (data / "keys" / "center.key").chmod(0o600)
    (data / "keys" / "center.pem").write_bytes(public_pem(center.key.public_key()))
    file = tmp_path / "center.toml"
    file.write_text(f'[storage]\ndata = "{data}"\n')
    loaded = load_config(file)
    open_database(loaded.database_url).close()
    store = ObjectStore(data / "objects")
    log, checkpoints = RoomLog(room.data / "room.db"), Checkpoints(room.data / "room.db")
    certificate = (room.data / "keys" / "device.pem").read_bytes()
    with create_engine(loaded.database_url, poolclass=NullPool).begin() as db:
        for event in log.of_hearing(HEARING):
            body = json.dumps(dict(event.body), ensure_ascii=False)
            row = {"room": ROOM, "number": event.number, "hearing": HEARING, "kind": event.kind, "body": body}
            times = {"room_ns": event.room_ns, "utc_ns": event.utc_ns, "sha256": "0" * 64, "stored_utc_ns": 1}
            db.execute(insert(t.events).values(**row, **times))
        for stored in checkpoints.of_hearing(HEARING):
            head = {"hearing": HEARING, "size": stored.size, "root": f"{stored.size:064x}", "room": ROOM, "peaks": ""}
            number = int(stored.note.split("last ")[1].split("\n")[0])
            more = {"last_number": number, "note": stored.witnessed, "refused": "", "stored_utc_ns": 1}
            db.execute(insert(t.checkpoints).values(**head, **more))
        public = room.device.public_key().public_bytes_raw().hex()
        device = {"room": ROOM, "public_key": public, "certificate": certificate.decode(), "enrolled_utc_ns": 1}
        db.execute(insert(t.devices).values(**device))
    checkpoints.close()
    log.close()
    kept = {"segment": "media/*/*.mp4", "exhibit": "exhibits/*", "document": "documents/*"}
    with create_engine(loaded.database_url, poolclass=NullPool).begin() as db:
        for kind, where in kept.items():
            for place, path in enumerate(room.folder.glob(where)):
                row = {"hearing": HEARING, "kind": kind, "track": "", "place": place, "sha256": _keep(store, path)}
                db.execute(insert(t.files).values(**row, room=ROOM))
    return file


def _keep(store: ObjectStore, path: Path) -> str:
    from sync.runtime.files.digests import checks_of

    sha256 = checks_of(path).sha256
    target = store.path(sha256)
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, target)
    return sha256


def test_the_centers_export_is_judged_like_the_rooms(config: Path, center: Center, tmp_path: Path) -> None:
    source = CenterSource(load_config(config), HEARING)
    exported = export(source, tmp_path / "out", people=False)
    source.close()
    assert exported.sealed
    assert exported.witnessed
    judgment = examine(ExportCase(tmp_path / "out", center.key.public_key()))
    assert judgment.verdict is Verdict.WITH_GAPS, judgment.reasons
    assert {reason.code for reason in judgment.reasons} == {"gap"}
    rows = databases.rows(tmp_path / "center" / "center.db", "SELECT what, detail FROM audit")
    assert [(what, json.loads(detail)["hearing"]) for what, detail in rows] == [("export", HEARING)]


@pytest.mark.parametrize("config", ["signed"], indirect=True)
def test_the_centers_export_holds_the_documents_of_signed_words_and_says_who_signed_them(
    config: Path, center: Center, tmp_path: Path
) -> None:
    source = CenterSource(load_config(config), HEARING)
    export(source, tmp_path / "out", people=False)
    source.close()
    assert {path.suffix for path in (tmp_path / "out" / "documents").iterdir()} == {".pdf", ".docx"}
    judgment = examine(ExportCase(tmp_path / "out", center.key.public_key()))
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    assert {reason.code for reason in judgment.reasons} == {"signed", "signed-before", "refused", "objection-refused"}
    done = CliRunner().invoke(app, ["verify", HEARING, "--config", str(config), "--json"])
    assert done.exit_code == 0, done.output
    for path in (tmp_path / "center" / "objects").glob("*/*"):
        if b"/ByteRange" in path.read_bytes():  # the signed paper
            path.unlink()
    late = CliRunner().invoke(app, ["export", HEARING, "--config", str(config), "--out", str(tmp_path / "late")])
    assert "its file is not here" in str(late.exception)


def test_a_hearing_of_the_center_is_judged_by_its_name(config: Path) -> None:
    done = CliRunner().invoke(app, ["verify", HEARING, "--config", str(config), "--json"])
    assert done.exit_code == 10, done.output


def audited(config: Path) -> list[dict[str, object]]:
    rows = databases.rows(config.parent / "center" / "center.db", "SELECT what, detail FROM audit ORDER BY row")
    return [{"what": what, **json.loads(detail)} for what, detail in rows if what != "level"]


def set_level(config: Path, level: str) -> None:
    detail = json.dumps({"hearing": HEARING, "level": level, "before": "open", "reason": "当事人申请"})
    row = {"utc_ns": 1, "what": "level", "role": "archivist", "address": "local", "detail": detail, "granted": True}
    with create_engine(load_config(config).database_url, poolclass=NullPool).begin() as db:
        db.execute(insert(t.audit).values(**row))


@pytest.mark.parametrize("level", ["restricted", "withdrawn"])
def test_what_not_everybody_may_see_is_taken_out_for_a_reason_that_is_kept(
    config: Path, tmp_path: Path, level: str
) -> None:
    set_level(config, level)
    words = ["export", HEARING, "--config", str(config), "--out", str(tmp_path / "out"), "--to", "2"]
    for reason in ([], ["--despite-level", "  "]):
        refused = CliRunner().invoke(app, [*words, *reason])
        assert isinstance(refused.exception, ConfigError)
        assert level in str(refused.exception)
        assert "--despite-level" in str(refused.exception)
    assert not list(tmp_path.glob("out*"))
    assert audited(config) == []
    done = CliRunner().invoke(app, [*words, "--despite-level", "二审调卷"])
    assert done.exit_code == 0, done.exception
    row = {"what": "export", "hearing": HEARING, "excerpt": True, "level": level, "reason": "二审调卷"}
    assert audited(config) == [row]


def seal_part(config: Path, from_ns: int, to_ns: int | None, level: str) -> None:
    with create_engine(load_config(config).database_url, poolclass=NullPool).begin() as db:
        row = {"hearing": HEARING, "part": "center:1", "level": level, "by": "inspector", "reason": "隐私", "utc_ns": 1}
        db.execute(insert(t.sealed_parts).values(**row, from_ns=from_ns, to_ns=to_ns))


@pytest.mark.parametrize("level", ["restricted", "withdrawn"])
def test_an_export_that_touches_a_sealed_part_needs_a_reason_and_one_that_does_not_needs_none(
    config: Path, tmp_path: Path, level: str
) -> None:
    source = CenterSource(load_config(config), HEARING)
    opened_ns = Hearing.of(HEARING, source.events()).opened_ns
    source.close()
    seal_part(config, opened_ns + 3 * 10**9, opened_ns + 4 * 10**9, level)
    words = ["export", HEARING, "--config", str(config), "--out", str(tmp_path / "out")]
    for stretch in ([], ["--to", "3.5"], ["--from", "3.9", "--to", "6"]):
        refused = CliRunner().invoke(app, [*words, *stretch])
        assert isinstance(refused.exception, ConfigError), stretch
        assert "--despite-level" in str(refused.exception)
    assert not list(tmp_path.glob("out*"))
    assert audited(config) == []
    outside = CliRunner().invoke(app, [*words, "--to", "2.9"])
    assert outside.exit_code == 0, outside.exception
    done = CliRunner().invoke(app, [*words, "--to", "3.5", "--force", "--despite-level", "二审调卷"])
    assert done.exit_code == 0, done.exception
    assert [(row["what"], row.get("reason")) for row in audited(config)] == [("export", None), ("export", "二审调卷")]
    seal_part(config, opened_ns + 3 * 10**9, opened_ns + 4 * 10**9, "open")
    lifted = CliRunner().invoke(app, [*words, "--to", "3.5", "--force"])
    assert lifted.exit_code == 0, lifted.exception


def test_a_room_knows_of_the_parts_that_it_sealed_itself(tmp_path: Path) -> None:
    log = RoomLog(RoomPaths(tmp_path).log)
    part = {"id": "a", "from_ns": 5, "to_ns": None, "level": "restricted", "by": "书记员", "reason": "隐私"}
    for kind, body in (("open", {"court": "c", "room": "r"}), ("sealed_part", part)):
        log.append(kind, body, hearing="h", room_ns=5, utc_ns=5)
    log.append("sealed_part", {**part, "to_ns": 9}, hearing="h", room_ns=9, utc_ns=9)
    log.close()
    source = RoomSource(tmp_path, "h")
    parts = source.sealed_parts()
    source.close()
    assert [(part.from_ns, part.to_ns, part.level) for part in parts] == [(5, 9, "restricted")]


def test_a_trial_that_is_not_public_is_restricted_before_anybody_says_so(config: Path) -> None:
    with create_engine(load_config(config).database_url, poolclass=NullPool).begin() as db:
        opening = db.execute(select(t.events.c.body).where(t.events.c.kind == "open")).scalar_one()
        body = json.loads(opening)
        body["case"]["public"] = False
        db.execute(update(t.events).where(t.events.c.kind == "open").values(body=json.dumps(body)))
    source = CenterSource(load_config(config), HEARING)
    source.close()
    assert source.level == "restricted"


def test_a_verdict_needs_no_reason_and_is_on_the_audit_log(config: Path) -> None:
    set_level(config, "sealed")
    done = CliRunner().invoke(app, ["verify", HEARING, "--config", str(config), "--json"])
    assert done.exit_code == 10, done.output
    assert audited(config) == [{"what": "verify", "hearing": HEARING, "excerpt": False, "level": "withdrawn"}]


def test_media_that_has_not_come_yet_is_named(config: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "center" / "objects").glob("*/*"):
        path.unlink()
    done = CliRunner().invoke(app, ["export", HEARING, "--config", str(config), "--out", str(tmp_path / "out")])
    assert "its file is not here" in str(done.exception)
    assert not list(tmp_path.glob("out*"))
