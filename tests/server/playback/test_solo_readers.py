"""A room's sound is taken apart beside the center, not in it: what the sound makes of the process gets nowhere."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.playback import solo_readers
from server.playback.ranges import MediaRange
from server.playback.solo import isolate
from server.playback.solo_readers import SoloReaders
from sync.errors import MediaError
from sync.runtime.confinement import landlock, seccomp
from sync.runtime.process.child_process import ChildProcess
from tests.support.peers.center_peers import until

pytestmark = pytest.mark.process

_HOSTILE = """
import os, signal, socket, sys
from pathlib import Path
import server.playback.solo_worker as worker
from sync.errors import MediaError

def attempt(act):
    try:
        return repr(act())
    except BaseException as error:
        return f"{type(error).__name__}: {getattr(error, 'errno', '')}"

KEY = Path(sys.argv[1])
TRIES = {
    "socket": lambda: socket.socket(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": lambda: os.fork(),
    "key": lambda: KEY.read_bytes(),
    "write": lambda: KEY.with_name("mine").write_text("x"),
    "kill": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb"),
    "allocate": lambda: bytearray(2 * 1024**3),
}

def isolate(data, channel):
    name = data.decode()
    if name == "die":
        os._exit(7)
    if name == "hang":
        while True:
            pass
    if name == "lie":
        raise MediaError("sign in again", code="signed-out")
    raise MediaError(attempt(TRIES[name]), code="not-found")

worker.isolate = isolate
worker.main()
"""
NAMES = [line.split('"')[1] for line in _HOSTILE.splitlines() if line.startswith('    "') and "lambda" in line]
REFUSED = ("PermissionError", "OSError", "MemoryError", "FileNotFoundError")


@pytest_asyncio.fixture
async def readers() -> AsyncIterator[SoloReaders]:
    made = SoloReaders()
    yield made
    await made.close()


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that a room's sound has taken over."""
    (tmp_path / "center.key").write_bytes(b"the key")
    command = [sys.executable, "-c", _HOSTILE, str(tmp_path / "center.key")]
    monkeypatch.setattr(solo_readers, "module_command", lambda module: command)


def piece(data: bytes) -> MediaRange:
    return MediaRange('audio/mp4; codecs="flac"', 5, 9, data)


async def test_a_seat_is_the_same_as_if_it_had_been_taken_out_here(readers: SoloReaders, voices: bytes) -> None:
    for channel in (0, 1, 0):
        alone = await readers.isolate("a", piece(voices), channel)
        assert alone == MediaRange('audio/mp4; codecs="flac"', 5, 9, isolate(voices, channel))


async def test_what_it_refuses_is_told_and_the_next_piece_is_heard(readers: SoloReaders, voices: bytes) -> None:
    with pytest.raises(MediaError) as refused:
        await readers.isolate("a", piece(voices), 9)
    assert refused.value.code == "not-found"
    with pytest.raises(MediaError):
        await readers.isolate("a", piece(b"no sound"), 0)
    assert (await readers.isolate("a", piece(voices), 1)).data


@pytest.mark.parametrize("name", NAMES)
async def test_sound_that_has_taken_its_reader_over_gets_nowhere(
    readers: SoloReaders, hostile: None, name: str, tmp_path: Path
) -> None:
    if landlock.version() == 0 and name in ("key", "write", "memory"):
        pytest.skip("this kernel has no Landlock")
    if not seccomp.is_known():
        pytest.skip("no filter of system calls for this machine")
    with pytest.raises(MediaError) as said:
        await readers.isolate("a", piece(name.encode()), 0)
    assert said.value.message.startswith(REFUSED), said.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["center.key"]


async def test_a_reader_that_dies_hangs_or_lies_costs_its_piece_alone(
    readers: SoloReaders, hostile: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MediaError):
        await readers.isolate("a", piece(b"die"), 0)
    with pytest.raises(MediaError) as lied:
        await readers.isolate("a", piece(b"lie"), 0)
    assert lied.value.code == MediaError.code, "it does not say who is signed in"
    monkeypatch.setattr(solo_readers, "PIECE_S", 0.5)
    with pytest.raises(MediaError):
        await readers.isolate("a", piece(b"hang"), 0)
    monkeypatch.undo()


async def test_one_who_stops_waiting_leaves_no_process_behind(
    readers: SoloReaders, hostile: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[ChildProcess] = []
    real = ChildProcess.start

    async def noted(*args: object, **more: object) -> ChildProcess:
        child = await real(*args, **more)  # type: ignore[arg-type]
        started.append(child)
        return child

    monkeypatch.setattr(ChildProcess, "start", noted)
    asking = asyncio.create_task(readers.isolate("a", piece(b"hang"), 0))
    await until(lambda: started)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert not started[0].alive


async def test_no_reader_hears_two_and_no_more_than_so_many_stay(
    voices: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, object]] = []
    real = solo_readers._ask

    async def noted(child: ChildProcess, data: bytes, channel: int) -> bytes | MediaError:
        asked.append((child.pid, channel))
        return await real(child, data, channel)

    monkeypatch.setattr(solo_readers, "_ask", noted)
    readers = SoloReaders(2)
    for listener in ("a", "b", "a", "c", "a", "b"):
        await readers.isolate(listener, piece(voices), 0)
        assert len(readers._idle) <= 2
    pids = [pid for pid, _ in asked]
    assert pids[0] == pids[2] == pids[4], "who goes on keeps the process"
    assert len({pids[0], pids[1], pids[3], pids[5]}) == 4
    await readers.close()
    assert not readers._idle


async def test_nothing_larger_than_any_honest_stretch_is_taken(
    readers: SoloReaders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solo_readers, "MAX_PIECE_BYTES", 1000)
    with pytest.raises(MediaError):
        await readers.isolate("a", piece(bytes(1001)), 0)
    assert not readers._idle


def test_the_center_itself_has_no_decoder() -> None:
    said = "import sys, server.service; print([m for m in ('av', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
