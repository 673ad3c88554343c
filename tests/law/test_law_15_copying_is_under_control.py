"""15. Copying sound and writing out are possible under control (法释〔2017〕5号, art. 11): whoever has the machine's
folder exports, every export is written down before it exists, and what leaves is signed by who exported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.support.exports.honest_exports import HEARING, HonestExports


def accesses(data: Path) -> list[dict[str, object]]:
    log = RoomLog(RoomPaths(data).log)
    try:
        return [dict(event.body) for event in log.since(0) if event.kind == "access" and event.hearing is None]
    finally:
        log.close()


def test_every_export_is_a_fact_of_the_rooms_log_and_no_part_of_the_sealed_ledger(
    honest: HonestExports, tmp_path: Path
) -> None:
    made = honest("pause")
    before = len(accesses(made.data))
    command = [
        sys.executable,
        "-m",
        "wutong",
        "export",
        HEARING,
        "--data",
        str(made.data),
        "--out",
        str(tmp_path / "a"),
    ]
    subprocess.run(
        [*command, "--out", str(tmp_path / "a"), "--from", "0:01", "--to", "0:03"], check=True, capture_output=True
    )
    assert accesses(made.data)[before:] == [{"what": "export", "hearing": HEARING, "excerpt": True}]
    log = RoomLog(RoomPaths(made.data).log)
    assert log.of_hearing(HEARING)[-1].kind == "seal"
    log.close()


def test_an_export_that_fails_leaves_nothing_behind(honest: HonestExports, tmp_path: Path) -> None:
    made = honest("pause")
    out = tmp_path / "taken"
    out.mkdir()
    command = [sys.executable, "-m", "wutong", "export", HEARING, "--data", str(made.data), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there already" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["taken"]
