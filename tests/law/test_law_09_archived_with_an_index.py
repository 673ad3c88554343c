"""9. Archived under the rules for electronic litigation files: export with an index (法释〔2017〕5号, art. 5)."""

from __future__ import annotations

import hashlib
import json

from tests.support.exports.honest_exports import HonestExports


def test_the_index_names_every_file_with_its_size_and_check_value(honest: HonestExports) -> None:
    folder = honest("whole").folder
    index = json.loads((folder / "index.json").read_bytes())
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {entry["path"] for entry in index["files"]} == found - {"index.json", "index.json.sig"}
    for entry in index["files"]:
        data = (folder / entry["path"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_what_an_archive_needs_is_in_it(honest: HonestExports) -> None:
    folder = honest("whole").folder
    for name in ("transcript.json", "certificate.pdf", "certificate.json", "ledger/leaves.jsonl", "play/index.html"):
        assert (folder / name).stat().st_size > 0
    kept = json.loads((folder / "certificate.json").read_bytes())
    assert kept["case"]["case_no"] == "(2026)黑05民初123号"
    assert len(list((folder / "media").glob("*/*.mp4"))) == len(kept["segments"])


def test_the_media_are_those_of_the_room_byte_for_byte(honest: HonestExports) -> None:
    made = honest("whole")
    for path in (made.folder / "media").glob("*/*.mp4"):
        (original,) = made.data.glob(f"hearings/*/{path.parent.name}/{path.name}")
        assert path.read_bytes() == original.read_bytes()
