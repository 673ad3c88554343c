"""The verifier needs the folder and a key: nothing of a room, nothing of a center, no network."""

from __future__ import annotations

import subprocess
import sys

from tests.support.exports.honest_exports import HonestExports

CODE = """
import socket, sys
def refuse(*a, **k): raise SystemExit("the verifier opened a socket")
socket.socket.connect = refuse
from pathlib import Path
from wutong.verify.case import ExportCase
from wutong.verify.examine import examine
judgment = examine(ExportCase(Path(sys.argv[1])))
foreign = {"server", "edge", "recorder", "transcriber", "hardware", "fastapi", "sqlalchemy"} & set(sys.modules)
assert not foreign, foreign
print(judgment.verdict.word)
"""


def test_no_module_of_room_or_center_and_no_socket_is_used(honest: HonestExports) -> None:
    folder = honest("pause").folder
    done = subprocess.run([sys.executable, "-c", CODE, str(folder)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "not-verifiable", done.stderr
