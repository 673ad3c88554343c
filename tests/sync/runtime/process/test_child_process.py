"""Children that answer, talk nonsense, flood, hang or die: the parent always knows, and none stays behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from sync.runtime.process.child_process import STDERR_LINES, ChildError, ChildProcess, module_command

pytestmark = pytest.mark.process


async def child(code: str) -> ChildProcess:
    return await ChildProcess.start([sys.executable, "-c", code])


HOSTILE = [
    line.replace('"', '\\"')
    for line in ('{"a": NaN}', '{"a": 1e999}', '{"a": 99999999999999999999}', '{"a": 1, "a": 2}')
]
"""What is JSON to a lenient reader."""


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists()


async def test_a_line_there_and_a_line_back() -> None:
    one = await child("import sys,json\nfor l in sys.stdin: print(json.dumps({'said': json.loads(l)}), flush=True)")
    for value in ({"a": "庭审"}, [1, 2], "x" * 200_000):
        await one.send(value)
        assert await one.receive() == {"said": value}
    one.finish()
    assert await one.receive() is None
    assert await one.ended() == 0
    assert not lives(one.pid)


@pytest.mark.parametrize("line", ["nonsense", "[1]", "[" * 100_000, "\\xff", '{\\"a\\": NaN', *HOSTILE])
async def test_what_is_no_object_of_json_is_said(line: str) -> None:
    one = await child(f'import sys; sys.stdout.buffer.write("{line}".encode("latin-1") + b"\\n")')
    with pytest.raises(ChildError):
        await one.receive()
    await one.end()


async def test_a_line_that_never_ends_is_cut_off() -> None:
    one = await child("import sys\nwhile True: sys.stdout.write('x' * 1000000)")
    with pytest.raises(ChildError):
        await one.receive()
    assert await one.end() == -9


async def test_a_child_that_is_gone_is_said_to_whoever_speaks_to_it() -> None:
    one = await child("pass")
    assert await one.ended() == 0
    with pytest.raises(ChildError):
        await one.send({"to": "nobody", "much": "x" * 1_000_000})
    assert await one.receive() is None


async def test_a_flood_on_stderr_holds_nothing_up_and_its_end_is_kept() -> None:
    one = await child("import sys\nfor n in range(50000): print('warning', n, file=sys.stderr)\nprint('{}')")
    async with asyncio.timeout(30):
        assert await one.receive() == {}
        await one.ended()
    assert len(one.stderr) == STDERR_LINES
    assert one.stderr[-1] == "warning 49999"


async def test_a_child_that_hangs_is_killed_and_is_gone() -> None:
    one = await child(
        "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); time.sleep(600)"
    )
    assert await one.receive() == {}
    assert await one.end() == -9
    assert not lives(one.pid)
    assert await one.end() == -9, "twice is once"


async def test_a_child_whose_end_somebody_was_called_away_from_is_not_asked_again() -> None:
    one = await child("import time; print('{}', flush=True); time.sleep(600)")
    assert await one.receive() == {}
    assert one.alive
    ending = asyncio.create_task(one.end())
    await asyncio.sleep(0)  # it has begun, and waits
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    assert not one.alive
    assert await one.end() == -9


async def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(ChildError, match="no-such-program"):
        await ChildProcess.start(["/no-such-program"])


def test_modules_are_named_by_themselves() -> None:
    assert module_command(os, "x") == [sys.executable, "-m", "os", "x"]
    assert module_command("a.b") == [sys.executable, "-m", "a.b"]
