"""A recorder that starts is to record, not to read: neither programs that it does not need yet, nor the past."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sync.room.event_log import RoomLog

LATER = {"numpy", "av", "cv2", "PIL", "psutil", "fastapi", "paho", "sqlalchemy"}
"""Large ones that it needs when everything is recorded, if at all."""


def test_what_it_needs_later_it_reads_later() -> None:
    program = (
        "import json, sys, recorder.service; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert LATER & set(json.loads(done.stdout)) == set()


def test_a_patient_log_is_opened_when_it_is_needed_and_not_before(tmp_path: Path) -> None:
    log = RoomLog(tmp_path / "room.db", patient=True)
    assert not list(tmp_path.iterdir())
    assert log.last_number() == 0
    assert (tmp_path / "room.db").exists()
    log.close()
