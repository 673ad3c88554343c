"""What a foreign file may make of the program that reads it: code in it is let loose, and each thing it tries fails."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import zlib
from pathlib import Path

import pytest

from edge.exhibits import drawer, office
from edge.exhibits.desk import ReadingDesk
from edge.exhibits.drawer import PageDrawer
from edge.exhibits.store import MOST_WAITING, ExhibitStore
from sync.errors import MediaError
from sync.room.paths import RoomPaths
from sync.runtime.confinement import landlock, seccomp
from tests.support.files.evidence_files import pdf
from tests.support.rooms.edge_room import until
from tests.support.rooms.signer_peer import signing

pytestmark = pytest.mark.process

_HOSTILE = """
import ctypes, os, signal, socket, subprocess, sys
from pathlib import Path
import edge.exhibits.worker as worker
own = os.getppid()

def attempt(act):
    try:
        return repr(act())
    except BaseException as error:
        return f"{type(error).__name__}: {getattr(error, 'errno', '')}"

def syscall(number, *arguments):
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return "done"

TRIES = {
    "socket": lambda: socket.socket(),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "pair": lambda: socket.socketpair(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "run": lambda: subprocess.run(["/bin/true"]),
    "fork": lambda: os.fork(),
    "key": lambda: Path(sys.argv[1]).read_bytes(),
    "codes": lambda: Path(sys.argv[2]).read_text(),
    "listing": lambda: os.listdir(Path(sys.argv[2]).parent),
    "profile": lambda: Path("/etc/passwd").read_text(),
    "write": lambda: Path(sys.argv[2]).with_name("mine").write_text("x"),
    "write-own": lambda: open(worker_file, "r+b"),
    "delete": lambda: os.unlink(worker_file),
    "kill": lambda: os.kill(own, signal.SIGTERM),
    "ptrace": lambda: syscall(101, 16, own, 0, 0),
    "memory": lambda: open(f"/proc/{own}/mem", "rb"),
    "environment": lambda: open(f"/proc/{own}/environ", "rb").read(),
    "vm": lambda: syscall(310, own, 0, 0, 0, 0, 0),
    "uring": lambda: syscall(425, 4, 0),
    "userns": lambda: syscall(272, 0x10000000),
    "allocate": lambda: bytearray(2 * 1024**3),
    "limits": lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_AS, (-1, -1)),
    "niceness": lambda: os.setpriority(os.PRIO_PROCESS, own, 19),
    "unfilter": lambda: syscall(317, 1, 0, 0),
    "chmod": lambda: os.chmod(worker_file, 0o777),
    "memfd": lambda: os.memfd_create("x"),
    "cwd": lambda: os.chdir("/"),
}

def answer(asked, opened):
    global worker_file
    if "open" in asked:
        worker_file = asked["open"]
        Path(worker_file).read_bytes()
        return opened, {"media_type": "application/pdf", "pages": 1, "name": "x", "converted": ""}
    name = list(TRIES)[asked["page"]] if asked["page"] < len(TRIES) else "spin"
    if name == "spin":
        while True:
            pass
    return opened, {"code": name, "message": attempt(TRIES[name])}

worker.answer = answer
worker.main()
"""
NAMES = [line.split('"')[1] for line in _HOSTILE.splitlines() if line.startswith('    "') and "lambda" in line]
REFUSED = ("PermissionError", "OSError", "MemoryError", "ValueError", "BlockingIOError", "FileNotFoundError")


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RoomPaths:
    """A data folder with a key and codes, and a worker whose file has taken it over."""
    layout = RoomPaths(tmp_path / "data")
    layout.signer.mkdir(parents=True)
    layout.device_key.write_bytes(b"the key")
    (layout.data / "codes.json").write_text('{"clerk":"the code"}')
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    secrets = [str(layout.device_key), str(layout.data / "codes.json")]
    monkeypatch.setattr(drawer, "module_command", lambda module: [sys.executable, "-c", _HOSTILE, *secrets])
    return layout


@pytest.mark.parametrize("name", NAMES)
async def test_code_in_the_reader_gets_nowhere(room: RoomPaths, tmp_path: Path, name: str) -> None:
    opened = await PageDrawer.open(tmp_path / "a.pdf")
    try:
        with pytest.raises(MediaError) as said:
            await opened.draw(NAMES.index(name), 1)
        assert said.value.code == name
        assert said.value.message.startswith(REFUSED), said.value.message
        assert opened.alive
    finally:
        await opened.close()
    assert (tmp_path / "a.pdf").read_bytes() == b"%PDF-"
    assert not (room.data / "mine").exists()


async def test_a_reader_that_spins_is_ended_and_the_next_one_works(
    room: RoomPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawer, "DRAW_S", 0.5)
    opened = await PageDrawer.open(tmp_path / "a.pdf")
    with pytest.raises(MediaError, match="无法检查"):
        await opened.draw(1000, 1)
    assert not opened.alive
    again = await PageDrawer.open(tmp_path / "a.pdf")
    await again.close()


def test_this_machine_has_all_parts_of_a_confinement() -> None:
    """Otherwise the tests above would show less than they say."""
    assert landlock.version() >= 1
    assert seccomp.is_known()


def page_tree(depth: int, kids: int) -> bytes:
    """A PDF of some kilobytes whose tree of pages says that there are very many, each node naming the next often."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    for level in range(depth):
        names = b" ".join(b"%d 0 R" % (level + 3) for _ in range(kids))
        objects.append(b"<</Type/Pages/Count %d/Kids[%s]>>" % (kids ** (depth - level), names))
    objects.append(b"<</Type/Page/MediaBox[0 0 9 9]>>")
    out, at = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in at)
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\n" % (
        len(objects) + 1,
        table,
        len(objects) + 1,
    )
    return out + b"startxref\n%d\n%%%%EOF\n" % out.index(b"xref\n0")


def endless_stream() -> bytes:
    """A page whose content unpacks to a gigabyte."""
    packed = zlib.compress(b"0" * (1 << 20), 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents[%s]>>" % (b"4 0 R " * 1024),
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
    ]
    out, at = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in at)
    out += b"xref\n0 5\n0000000000 65535 f \n%strailer\n<</Size 5/Root 1 0 R>>\n" % table
    return out + b"startxref\n%d\n%%%%EOF\n" % out.index(b"xref\n0")


@pytest.mark.parametrize("data", [page_tree(8, 16), page_tree(30, 4), endless_stream()], ids=["wide", "deep", "packed"])
async def test_a_small_file_that_claims_to_be_enormous_costs_its_reader_alone(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawer, "OPEN_S", 5.0)
    monkeypatch.setattr(drawer, "DRAW_S", 5.0)
    file = tmp_path / "a.pdf"
    file.write_bytes(data)
    assert len(data) < 16_000
    opened: PageDrawer | None = None
    with contextlib.suppress(MediaError):  # drawn or refused: its reader alone has the work
        opened = await PageDrawer.open(file)
        await opened.draw(1, 1)
    if opened is not None:
        await opened.close()
    (tmp_path / "good.pdf").write_bytes(pdf(1))
    good = await PageDrawer.open(tmp_path / "good.pdf")
    assert (await good.draw(1, 1)).width > 0
    await good.close()


async def pieces(data: bytes) -> object:
    yield data


async def test_files_are_looked_at_one_at_a_time_and_who_comes_to_a_full_queue_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ExhibitStore(RoomPaths(tmp_path), ReadingDesk())
    inside, most, go_on = 0, 0, asyncio.Event()
    true = PageDrawer.open

    async def counted(path: Path) -> PageDrawer:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await go_on.wait()
        try:
            return await true(path)
        finally:
            inside -= 1

    monkeypatch.setattr(PageDrawer, "open", counted)
    taken = [asyncio.create_task(store.take("h", pieces(pdf(n + 1)))) for n in range(MOST_WAITING)]  # type: ignore[arg-type]
    await until(lambda: inside == 1)
    with pytest.raises(MediaError, match="请等前面的添加完") as full:
        await store.take("h", pieces(pdf(1)))  # type: ignore[arg-type]
    assert full.value.code == "exhibit-busy"
    go_on.set()
    done = await asyncio.gather(*taken)
    assert most == 1
    assert len({one.sha256 for one in done}) == MOST_WAITING
    assert (await store.take("h", pieces(pdf(1)))).file.pages == 1  # type: ignore[arg-type]


_OFFICE = """#!%(python)s
import json, os, socket, subprocess, sys, urllib.request
from pathlib import Path
found = {}
def attempt(name, act):
    try:
        act()
        found[name] = "DONE"
    except BaseException as error:
        found[name] = type(error).__name__
outdir = Path(os.environ["HOME"])
attempt("socket", lambda: socket.create_connection(("127.0.0.1", %(port)d), 2))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("signer", lambda: socket.socket(socket.AF_UNIX).connect("%(signer)s"))
attempt("key", lambda: open("%(key)s").read())
attempt("write", lambda: open("%(key)s.mine", "w"))
attempt("profile", lambda: open("/etc/shadow").read())
attempt("child", lambda: subprocess.run(["/bin/cat", "%(key)s"], check=True))
attempt("ptrace", lambda: os.stat("/proc/%(pid)d/root/"))
attempt("memory", lambda: bytearray(7 * 1024**3))
attempt("run", lambda: subprocess.run(["/bin/true"], check=True))
attempt("own", lambda: (outdir / "x").write_text("x"))
print(json.dumps(found))
"""


async def test_an_office_program_reaches_nobody_and_sees_nothing_of_the_court(tmp_path: Path) -> None:
    """A stand-in for LibreOffice, which the test machine does not have, tries what a document could make it do."""
    layout = RoomPaths(tmp_path / "data")
    home = tmp_path / "home"
    home.mkdir()
    program = tmp_path / "bin" / "soffice"
    program.parent.mkdir()
    with socket.socket() as listener, signing(layout, "jianshan/c03"):
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        said = {"python": "/usr/bin/python3", "port": listener.getsockname()[1], "pid": os.getpid()}
        said |= {"signer": str(layout.signer_socket), "key": str(layout.device_key)}
        program.write_text(_OFFICE % said)
        program.chmod(0o755)
        found = json.loads((await office._run([str(program)], home)).splitlines()[-1])
    assert found.pop("run") == "DONE", "it starts programs of its own"
    assert found.pop("own") == "DONE", "and writes its own folder"
    assert "DONE" not in found.values(), found
    assert not Path(f"{layout.device_key}.mine").exists()
