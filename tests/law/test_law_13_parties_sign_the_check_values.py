"""13. Then it is kept on the server or burnt to disc, and the parties sign its integrity check value (完整性校验值)
(法释〔2017〕5号, art. 9): the certificate has them on paper, with a line to sign."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from sync.runtime.files.digests import checks_of
from tests.support.exports.honest_exports import HonestExports
from tests.support.exports.honest_room import Center


def paper(folder: Path) -> str:
    words = ["pdftotext", "-layout", str(folder / "certificate.pdf"), "-"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_the_paper_has_both_check_values_of_every_file_and_lines_to_sign(honest: HonestExports) -> None:
    folder = honest("whole").folder
    text = paper(folder)
    for path in [*(folder / "media").glob("*/*.mp4"), *(folder / "exhibits").iterdir()]:
        checks = checks_of(path)
        assert checks.sha256 in text
        assert checks.sm3 in text
    for who in ("书记员：", "审判长", "当事人及其他诉讼参与人", "日期"):
        assert who in text


def test_the_paper_says_what_was_recorded_and_what_interrupted_it(honest: HonestExports) -> None:
    text = paper(honest("played").folder)
    for words in ("(2026)黑05民初123号", "民间借贷纠纷", "王五", "休庭", "摄像机断线", "chrony", "尖山区人民法院"):
        assert words in text, words
    value = json.loads((honest("played").folder / "certificate.json").read_bytes())
    assert [(p["from_ms"], p["to_ms"], p["reason"]) for p in value["interruptions"]] == [(4000, 6000, "recess")]
    assert "explanation.pdf" in text
    assert (honest("played").folder / "explanation.pdf").read_bytes().startswith(b"%PDF")


def test_what_the_parties_signed_can_be_checked_by_them(honest: HonestExports, center: Center) -> None:
    """A disc with the folder, the center's public key: nothing else."""
    from sync.ledger.keys import public_pem

    folder = honest("whole").folder
    key = folder.parent / "center.pem"
    key.write_bytes(public_pem(center.key.public_key()))
    command = [sys.executable, "-m", "wutong", "verify", str(folder), "--center-key", str(key), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "authentic")
    assert hashlib.sha256((folder / "certificate.pdf").read_bytes()).hexdigest() in (folder / "index.json").read_text()
