"""What the faults are caused with: a library inside the process, small file systems, a disk that is full."""

from __future__ import annotations

import contextlib
import mmap
import resource
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sync.record.hearing import Hearing
from sync.record.timeline import Gap
from tests.support.rooms.recorder_room import RecorderRoom

SOURCE = Path(__file__).with_name("interpose.c")


def build(folder: Path) -> Path:
    """The library of `interpose.c`."""
    library = folder / "interpose.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-w", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


class Switch:
    """A number that the library reads in the process while it runs."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(8))
        self.path = path
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def set(self, value: int) -> None:
        self._memory[:8] = struct.pack("=q", value)


class Operation(NamedTuple):
    """One change of the disk, in order: c(reate) w(rite) t(runcate) s(ync) m(kdir) u(nlink) r(ename)."""

    op: str
    path: str
    number: int
    data: bytes


def operations(log: Path) -> list[Operation]:
    data, at, found = log.read_bytes(), 0, []
    while at < len(data):
        op, name, size, number = struct.unpack_from("=cIIQ", data, at)
        at += 17
        found.append(Operation(op.decode(), data[at : at + name].decode(), number, data[at + name : at + name + size]))
        at += name + size
    return found


@contextlib.contextmanager
def mounted(*arguments: str, at: Path) -> Iterator[None]:
    """A small file system; skips the test where none may be mounted (root, or a mount namespace, is needed)."""
    at.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mount", *arguments, str(at)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        while not subprocess.run(["umount", "-l", str(at)], capture_output=True).returncode:
            pass


def may_mount(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], capture_output=True).returncode:
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill the volume of a folder to the last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for piece in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(piece))
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def writing_nothing(pid: int) -> Iterator[None]:
    """Without root: a process whose files may not grow (EFBIG, where a full disk says ENOSPC)."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def gaps(room: RecorderRoom, view: Hearing, *tracks: str) -> list[Gap]:
    """Of some tracks, or of all. A machine too busy to draw the simulated cameras says so: their gaps are its own."""
    found = [gap for gap in view.gaps if not tracks or gap.track in tracks]
    held_up = "来不及" in (room.folder / "recorder.log").read_text(encoding="utf-8")
    return [gap for gap in found if gap.track in ("mics", "mix") or not held_up]
