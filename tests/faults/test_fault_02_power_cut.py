"""Fault 2: power cut. Every change of the disk that the product's writer and log make is written down as it happens (by
a library inside the process), and the power is cut after each: what was synced is there, of what was not, every prefix,
the last write torn. A name is there only when its folder was synced, too.

Lost: nothing that was acknowledged (fragments on disk, events in the log); recovery opens every state.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from recorder.storage.recovery import close_unclosed, unclosed
from sync.media.fmp4 import index_file
from sync.room.event_log import RoomLog
from tests.faults.fault_tools import Operation, operations


@dataclass
class Disk:
    """Names and contents; folders are names, too."""

    folders: set[str] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> Disk:
        return Disk(set(self.folders), dict(self.names), dict(self.contents))

    def apply(self, change: Operation, inode: int, torn: bool = False) -> None:
        if change.op == "m":
            self.folders.add(change.path)
        elif change.op == "c":
            self.names[change.path] = inode
            self.contents.setdefault(inode, b"")
        elif change.op == "u":
            self.names.pop(change.path, None)
        elif change.op == "r":
            self.names.pop(change.path, None)
            self.names[change.data.decode()] = inode
        elif change.op == "t":
            self.contents[inode] = self.contents.get(inode, b"")[: change.number].ljust(change.number, b"\0")
        elif change.op == "w":
            data = change.data[: len(change.data) // 2] if torn else change.data
            old = self.contents.get(inode, b"").ljust(change.number, b"\0")
            self.contents[inode] = old[: change.number] + data + old[change.number + len(data) :]

    def put(self, folder: Path, root: str) -> None:
        for name in sorted(self.folders):
            if name != root and str(Path(name).parent) in {*self.folders, root}:
                (folder / Path(name).relative_to(root)).mkdir(parents=True, exist_ok=True)
        for name, inode in self.names.items():
            path = folder / Path(name).relative_to(root)
            if path.parent.is_dir():
                path.write_bytes(self.contents[inode])


def states(told: list[Operation]) -> Iterator[tuple[Disk, set[str]]]:
    """Every disk that a power cut may leave, with what was acknowledged by then."""
    durable, acks = Disk(), set()
    inodes: dict[str, int] = {}
    older: list[tuple[Operation, int]] = []
    fresh: list[tuple[Operation, int]] = []
    for change in told:
        if change.path.endswith("/acks"):
            acks |= set(change.data.decode().split("\n")) - {""} if change.op == "w" else set()
            continue
        if change.op == "s":
            # What is synced now is there from now on; before that, each prefix of it may have been there.
            for before in ([], older) if older else ([],):
                for kept in range(len(fresh) + 1):
                    for torn in (False, True) if kept and fresh[kept - 1][0].op == "w" else (False,):
                        disk = durable.copy()
                        for number, (one, inode) in enumerate([*before, *fresh[:kept]]):
                            disk.apply(one, inode, torn and number == len(before) + kept - 1)
                        yield disk, set(acks)
            synced = [(o, i) for o, i in [*older, *fresh] if _belongs(o, change.path)]
            for one, inode in synced:
                durable.apply(one, inode)
            older = [pair for pair in [*older, *fresh] if pair not in synced]
            fresh = []
            continue
        if change.op == "c":
            inodes[change.path] = max(inodes.values(), default=0) + 1
        inode = inodes.get(change.path, 0)
        if change.op == "r":
            inodes[change.data.decode()] = inodes.pop(change.path)
        fresh.append((change, inode))
    for before in ([], older):
        disk = durable.copy()
        for one, inode in [*before, *fresh]:
            disk.apply(one, inode)
        yield disk, set(acks)


def _belongs(change: Operation, synced: str) -> bool:
    return (change.path == synced) if change.op in "wt" else (str(Path(change.path).parent) == synced)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "v.mp4"
    source = "ffmpeg -v error -f lavfi -i testsrc2=s=160x90:r=25 -t 2.4 -c:v libx264 -preset ultrafast -g 25"
    options = "-bf 0 -pix_fmt yuv420p -movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer"
    subprocess.run([*f"{source} {options} -frag_duration 120000".split(), str(path)], check=True)
    return path


def test_every_prefix_of_what_was_not_synced_is_recovered(tmp_path: Path, media: Path, library: Path) -> None:
    root, log = tmp_path / "data", tmp_path / "operations"
    root.mkdir()
    environment = {**os.environ, "LD_PRELOAD": str(library), "FAULT_ROOT": str(root), "FAULT_LOG": str(log)}
    script = Path(__file__).with_name("power_cut_writer.py")
    subprocess.run([sys.executable, str(script), str(root), str(media)], check=True, env=environment, timeout=60)
    told = operations(log)
    whole = {line for change in told if change.path.endswith("/acks") for line in change.data.decode().split("\n")}
    assert len([line for line in whole if line.startswith("fragment")]) >= 20
    assert len([line for line in whole if line.startswith("event")]) >= 3

    for number, (disk, acknowledged) in enumerate(states(told)):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        disk.put(folder, str(root))
        assert acknowledged <= recovered(folder), f"lost by a power cut in state {number}"
        subprocess.run(["rm", "-r", str(folder)], check=True)
    assert number > 200


def recovered(folder: Path) -> set[str]:
    """What the product finds after the power is back."""
    log = RoomLog(folder / "room.db")
    found = {f"event {event.number}" for event in log.since(0)}
    known = log.keys("segment/")
    log.close()
    for _, _, path in unclosed(folder / "hearings", known):
        close_unclosed(path, 0)
    for path in folder.glob("hearings/*/*/*.mp4"):
        data = path.read_bytes()
        for one in index_file(path).fragments:
            found.add("fragment " + hashlib.sha256(data[one.offset : one.offset + one.bytes]).hexdigest())
    return found
