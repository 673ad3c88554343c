"""`wutong export` and `wutong verify` as people call them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.ledger.keys import public_pem
from tests.support.exports.honest_exports import HEARING, Forge, HonestExports
from tests.support.exports.honest_room import Center
from tests.support.files import databases
from wutong.cli import app

runner = CliRunner()


@pytest.fixture
def key(tmp_path: Path, center: Center) -> Path:
    path = tmp_path / "center.pem"
    path.write_bytes(public_pem(center.key.public_key()))
    return path


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [("pause", 0, "authentic"), ("gaps", 10, "authentic-with-gaps"), ("unsealed", 30, "unsealed")],
)
def test_the_exit_code_is_the_verdict(honest: HonestExports, key: Path, name: str, code: int, word: str) -> None:
    done = runner.invoke(app, ["verify", str(honest(name).folder), "--center-key", str(key), "--json"])
    assert done.exit_code == code, done.output
    said = json.loads(done.stdout)
    assert (said["verdict"], said["exit_code"], said["hearing"]) == (word, code, HEARING)


def test_reasons_are_in_words_of_both_languages(forge: Forge, key: Path) -> None:
    forgery = forge("pause")
    forgery.flip("media/judge/00000.mp4")
    chinese = runner.invoke(app, ["verify", str(forgery.folder), "--center-key", str(key)])
    english = runner.invoke(app, ["verify", str(forgery.folder), "--center-key", str(key), "--lang", "en"])
    assert (chinese.exit_code, english.exit_code) == (20, 20)
    assert "录像内容被改动" in chinese.stdout
    assert "bytes were changed" in english.stdout
    assert "(media-differs)" in english.stdout


def test_a_folder_without_the_centers_key_is_not_verifiable(honest: HonestExports) -> None:
    assert runner.invoke(app, ["verify", str(honest("pause").folder)]).exit_code == 40


def test_a_hearing_of_the_room_is_judged_where_it_is(honest: HonestExports) -> None:
    made = honest("pause")
    done = runner.invoke(app, ["verify", HEARING, "--data", str(made.data), "--json"])
    assert json.loads(done.stdout)["verdict"] == "authentic"
    query = "SELECT body FROM event WHERE kind = 'access' ORDER BY number DESC LIMIT 1"
    [(last,)] = databases.rows(made.data / "room.db", query)
    assert json.loads(last) == {"what": "verify", "hearing": HEARING, "excerpt": False}


def test_a_bit_that_flipped_at_rest_is_a_verdict_and_no_export(
    honest: HonestExports, place: Path, tmp_path: Path
) -> None:
    """Fault 31: the room's own file."""
    data = place / "flipped"
    shutil.copytree(honest("pause").data, data)
    file = data / "hearings" / HEARING / "judge" / "00001.mp4"
    changed = bytearray(file.read_bytes())
    changed[len(changed) // 2] ^= 1
    file.write_bytes(bytes(changed))
    done = runner.invoke(app, ["verify", HEARING, "--data", str(data), "--json"])
    assert done.exit_code == 20
    assert json.loads(done.stdout)["reasons"][0]["code"] == "media-differs"
    failed = runner.invoke(app, ["export", HEARING, "--data", str(data), "--out", str(tmp_path / "x")])
    assert failed.exception is not None
    assert "SHA-256 differs" in str(failed.exception)
    assert not list(tmp_path.glob("x*"))


def test_an_event_deleted_from_the_rooms_log_is_a_verdict(honest: HonestExports, place: Path) -> None:
    data = place / "deleted"
    shutil.copytree(honest("pause").data, data)
    with databases.opened(data / "room.db") as db:
        last = "SELECT max(number) FROM event WHERE kind = 'mark' OR kind = 'utterance'"
        db.execute(f"DELETE FROM outbox WHERE number = ({last})")
        assert db.execute(f"DELETE FROM event WHERE number = ({last})").rowcount == 1
    done = runner.invoke(app, ["verify", HEARING, "--data", str(data), "--json"])
    assert done.exit_code == 20, done.exception
    assert "leaves-short" in {reason["code"] for reason in json.loads(done.stdout)["reasons"]}
    assert not [path for path in data.rglob("*") if path.stat().st_nlink > 1 and path.is_file()]


def test_force_replaces_an_export_and_nothing_else(honest: HonestExports, tmp_path: Path) -> None:
    other = tmp_path / "letters"
    other.mkdir()
    (other / "letter.txt").write_text("keep")
    done = runner.invoke(app, ["export", HEARING, "--data", str(honest("pause").data), "--out", str(other), "--force"])
    assert "is no export" in str(done.exception)
    assert (other / "letter.txt").read_text() == "keep"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "nowhere"], "no folder"),
        (["verify", ".", "--center-key", "nowhere"], "cannot be read"),
        (["export", "h", "--out", "x"], "say where"),
        (["export", "h", "--out", "x", "--data", "nowhere"], "not the data folder"),
        (["export", "h", "--out", "x", "--config", "nowhere"], "cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], said: str) -> None:
    done = runner.invoke(app, words)
    assert said in str(done.exception)
    assert type(done.exception).__module__ == "sync.errors"


def test_a_hearing_that_is_not_there_names_the_last_one(honest: HonestExports, tmp_path: Path) -> None:
    done = runner.invoke(app, ["export", "h", "--out", str(tmp_path / "x"), "--data", str(honest("pause").data)])
    assert HEARING in str(done.exception)
