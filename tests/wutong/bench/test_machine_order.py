"""The processes of a running room stand where the machine's order says, also where no service manager weighs them."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path

import psutil
import pytest

import edge.documents.worker
import hardware.program.compatible
import hardware.program.worker
import recorder.readback.worker
import recorder.second_copy.worker
from sync.runtime.process.child_process import ChildProcess
from sync.runtime.process.order import PLACES
from tests.support.command_lines import command_line
from transcriber.recognition import worker as engine
from wutong.bench.room import BenchRoom
from wutong.demo.processes import DemoProcesses

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(os.geteuid() != 0, reason="to go before others takes root"),
]


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def of_session(pid: int) -> int | None:
    """How the kernel weighs its session against others; None where it does not."""
    with contextlib.suppress(OSError):
        found = re.search(r"nice (-?\d+)", Path(f"/proc/{pid}/autogroup").read_text(encoding="ascii"))
        return int(found[1]) if found else None
    return None


@pytest.fixture
def unweighed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gives a service its place when it is started."""
    start = DemoProcesses.start
    monkeypatch.setattr(DemoProcesses, "start", lambda self, name, command, _=0: start(self, name, command))


@pytest.mark.usefixtures("unweighed")
async def test_each_service_takes_its_place_and_its_workers_have_it(tmp_path: Path) -> None:
    async with BenchRoom.running(tmp_path) as room:
        children = {child.name: child.pid or 0 for child in room.processes.children}
        assert set(children) == {"recorder", "signer", "edge", "uplink", "transcriber"}
        places = {str(name): place.niceness for name, place in PLACES.items() if name in children}
        await room.until(lambda: {name: niceness(pid) for name, pid in children.items()} == places, "all have a place")
        await room.until(lambda: all(of_session(pid) in (None, places[name]) for name, pid in children.items()), "so")
        recording = room.child("recorder").pid
        assert recording is not None
        below = psutil.Process(recording).children(recursive=True)
        workers = [one for one in below if "hardware.workers" in command_line(one) or one.name() == "ffmpeg"]
        assert len(workers) >= 3
        assert {niceness(one.pid) for one in workers} == {PLACES["recorder"].niceness}


@pytest.mark.parametrize(
    ("module", "behind", "apart"),
    [
        (engine, PLACES["transcriber"].niceness, True),
        (recorder.readback.worker, recorder.readback.worker.NICE, True),
        (recorder.second_copy.worker, recorder.second_copy.worker.NICE, False),
        (hardware.program.worker, hardware.program.worker.NICE, False),
        (hardware.program.compatible, hardware.program.compatible.NICE, False),
        (edge.documents.worker, edge.documents.worker.NICE, False),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_is_to_stand_behind_does_so_before_it_does_anything(
    module: object, behind: int, apart: bool
) -> None:
    """It is asked of a process that does no more than begin: what is to be done is taken away from it."""
    name = module.__name__  # type: ignore[attr-defined]  # a module
    how = "weigh_apart" if apart else "weigh"
    words = (
        f"import sys, {name} as m\n"
        "import sync.runtime.process.processes as p\n"
        f"weighed = p.{how}\n"
        "def stop(n):\n    weighed(n); print('{}', flush=True); sys.stdin.read(); sys.exit()\n"
        f"m.{how} = stop\n"
        "sys.argv = ['x', '{}']\n"
        "m.main()\n"
    )
    child = await ChildProcess.start([sys.executable, "-c", words])
    try:
        assert await child.receive() == {}, list(child.stderr)
        assert niceness(child.pid) == behind >= PLACES["transcriber"].niceness
        if apart:
            assert os.getsid(child.pid) == child.pid
            assert of_session(child.pid) in (None, behind)
    finally:
        await child.end()
