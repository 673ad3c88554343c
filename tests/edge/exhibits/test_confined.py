"""What a foreign file may make of the program that reads it: code in it is let loose, and each thing it tries fails."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.exhibits import drawer, office
from edge.exhibits.desk import ReadingDesk
from edge.exhibits.drawer import PageDrawer
from edge.exhibits.store import MOST_WAITING, ExhibitStore
from sync.errors import MediaError
from sync.room.paths import RoomPaths
from sync.runtime.confinement import landlock, seccomp
from tests.support.files.evidence_files import pdf
from tests.support.files.hostile_calls import MAY_BE_REFUSED_TO_ALL, NAMES, SEEMS_DONE, SOURCE
from tests.support.rooms.edge_room import until
from tests.support.rooms.signer_peer import signing

pytestmark = pytest.mark.process

_HOSTILE = (
    SOURCE
    + """
from pathlib import Path
import edge.exhibits.worker as worker
worker_file = ""
victim, address, datagrams, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
TRIES = {
    **tries(victim, address, datagrams, file),
    "stream": lambda: socket.socket(socket.AF_UNIX),
    "pair": lambda: socket.socketpair(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "run": lambda: subprocess.run(["/bin/true"]),
    "fork": lambda: os.fork(),
    "listing": lambda: os.listdir(Path(file).parent),
    "profile": lambda: Path("/etc/passwd").read_text(),
    "write": lambda: Path(file).with_name("mine").write_text("x"),
    "write-own": lambda: open(worker_file, "r+b"),
    "delete-own": lambda: os.unlink(worker_file),
    "flags of a pipe": lambda: fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK | 0x2000),
    "signal of a pipe": lambda: fcntl.ioctl(0, 0x5452, struct.pack("i", 1)),
    "type at the terminal": lambda: fcntl.ioctl(0, 0x5412, b"x"),
    "allocate": lambda: bytearray(2 * 1024**3),
    "limits": lambda: resource.prlimit(0, resource.RLIMIT_AS, (-1, -1)),
    "chmod-own": lambda: os.chmod(worker_file, 0o777),
    "memfd": lambda: os.memfd_create("x"),
    "cwd": lambda: os.chdir("/"),
}

def answer(asked, opened):
    global worker_file
    if "open" in asked:
        worker_file = asked["open"]
        Path(worker_file).read_bytes()
        return opened, {"media_type": "application/pdf", "pages": 3000, "name": "x", "converted": ""}
    name = list(TRIES)[asked["page"]] if asked["page"] < len(TRIES) else "spin"
    if name == "spin":
        while True:
            pass
    return opened, {"code": "exhibit-type", "message": attempt(TRIES[name])}

worker.answer = answer
worker.main()
"""
)
_READER_S_OWN = [line.split('"')[1] for line in _HOSTILE.splitlines() if line.startswith('    "') and "lambda" in line]
READER_TRIES = (*NAMES, *_READER_S_OWN)
REFUSED = {"PermissionError: 1", "PermissionError: 13"}
"""EPERM and EACCES, and nothing else: an argument that makes no sense is refused to everybody."""


@dataclass
class Court:
    """What a process that was taken over finds: a process of its account, a socket like the journal's, a file."""

    victim: subprocess.Popen[bytes]
    journal: socket.socket
    key: Path

    def arguments(self) -> list[str]:
        """What `tries` is given: the victim, where it has memory, the socket, the file."""
        begins = Path(f"/proc/{self.victim.pid}/maps").read_text(encoding="utf-8").partition("-")[0]
        return [str(self.victim.pid), str(int(begins, 16)), self.journal.getsockname(), str(self.key)]

    def check_untouched(self) -> None:
        """Nothing was done to any of it."""
        pid = self.victim.pid
        assert self.victim.poll() is None, "the other process was ended"
        assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, os.getpid())
        assert os.sched_getscheduler(pid) == os.SCHED_OTHER
        assert os.sched_getaffinity(pid) == os.sched_getaffinity(0)
        assert resource.prlimit(pid, resource.RLIMIT_CPU) == resource.getrlimit(resource.RLIMIT_CPU)
        with pytest.raises(BlockingIOError):
            self.journal.recv(100)
        assert self.key.read_bytes() == b"the key"
        found = self.key.stat()
        assert (found.st_mode & 0o777, found.st_mtime_ns) == (0o600, 10**18)
        assert os.listxattr(self.key) == []


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    """Somebody to be harmed."""
    key = RoomPaths(tmp_path / "data").device_key
    key.parent.mkdir(parents=True)
    key.write_bytes(b"the key")
    key.chmod(0o600)
    os.utime(key, ns=(10**18, 10**18))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "journal"))
        journal.setblocking(False)
        victim = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
        try:
            yield Court(victim, journal, key)
        finally:
            victim.kill()
            victim.wait()


@pytest.fixture
def taken_over(court: Court, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that takes its reader over."""
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-")
    monkeypatch.setattr(drawer, "module_command", lambda module: [sys.executable, "-c", _HOSTILE, *court.arguments()])
    return file


async def test_code_in_the_reader_gets_nowhere(court: Court, taken_over: Path) -> None:
    opened = await PageDrawer.open(taken_over)
    found = {}
    try:
        for place, name in enumerate(READER_TRIES):
            with pytest.raises(MediaError) as said:
                await opened.draw(place, 1)
            found[name] = said.value.message
            court.check_untouched()
        assert opened.alive
    finally:
        await opened.close()
    assert found.pop("allocate") == "MemoryError: "
    assert {name: said for name, said in found.items() if said not in REFUSED} == {}
    assert taken_over.read_bytes() == b"%PDF-"
    assert not court.key.with_name("mine").exists()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_tried_is_done_by_who_is_not_confined(court: Court, name: str) -> None:
    """Otherwise the tests of who is confined would show less than they say."""
    ask = f"{SOURCE}\nprint(attempt(tries(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])[{name!r}]))"
    said = subprocess.run(
        [sys.executable, "-c", ask, *court.arguments()], stdin=subprocess.DEVNULL, capture_output=True, check=True
    ).stdout.decode()
    if name in MAY_BE_REFUSED_TO_ALL and said.strip() in {*REFUSED, "OSError: 95", "OSError: 38"}:
        pytest.skip(f"refused to everybody here: {said}")
    assert said.strip() == "done"


async def test_a_reader_that_spins_is_ended_and_the_next_one_works(
    taken_over: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawer, "DRAW_S", 0.5)
    opened = await PageDrawer.open(taken_over)
    with pytest.raises(MediaError, match="无法检查"):
        await opened.draw(1000, 1)
    assert not opened.alive
    again = await PageDrawer.open(taken_over)
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
%(source)s
import json
from pathlib import Path
found = {}
here = Path(os.environ["HOME"])
TRIES = tries(%(victim)s, %(address)s, %(datagrams)r, %(file)r)
TRIES |= {
    "connection": lambda: socket.create_connection(("127.0.0.1", %(port)d), 2),
    "internet datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "signer": lambda: socket.socket(socket.AF_UNIX).connect(%(signer)r),
    "sequenced": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(%(signer)r),
    "write": lambda: open(%(file)r + ".mine", "w"),
    "profile": lambda: open("/etc/shadow").read(),
    "its root": lambda: os.stat("/proc/%(victim)s/root/"),
    "owner of a socket": lambda: fcntl.ioctl(socket.socketpair()[0], 0x8901, struct.pack("i", %(victim)s)),
    "signal of a pipe": lambda: fcntl.ioctl(os.pipe()[0], 0x5452, struct.pack("i", 1)),
    "session": lambda: os.setsid(),
    "allocate": lambda: bytearray(7 * 1024**3),
    "child": lambda: subprocess.run(["/bin/cat", %(file)r], check=True, stderr=subprocess.DEVNULL),
    "run": lambda: subprocess.run(["/bin/true"], check=True),
    "own": lambda: (here / "x").write_text("x"),
    "own stream": lambda: socket.socketpair(),
    "own thread": lambda: __import__("threading").Thread(target=print).start(),
    "own rank": lambda: os.setpriority(os.PRIO_PROCESS, 0, 19),
}
print("\\n" + json.dumps({name: attempt(act) for name, act in TRIES.items()}))
"""
_MAY = {"run", "own", "own stream", "own thread", "own rank", *SEEMS_DONE}


async def test_an_office_program_reaches_nobody_and_sees_nothing_of_the_court(court: Court, tmp_path: Path) -> None:
    """A stand-in for LibreOffice, which the test machine does not have, tries what a document could make it do."""
    layout = RoomPaths(tmp_path / "data")
    home = tmp_path / "home"
    home.mkdir()
    program = tmp_path / "bin" / "soffice"
    program.parent.mkdir()
    victim, address, datagrams, file = court.arguments()
    with socket.socket() as listener, signing(layout, "jianshan/c03", key=Ed25519PrivateKey.generate()):
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        said = {"python": "/usr/bin/python3", "source": SOURCE, "port": listener.getsockname()[1], "victim": victim}
        said |= {"address": address, "datagrams": datagrams, "file": file, "signer": str(layout.signer_socket)}
        program.write_text(_OFFICE % said)
        program.chmod(0o755)
        found = json.loads((await office._run([str(program)], home)).splitlines()[-1])
    court.check_untouched()
    assert found.keys() >= set(NAMES)
    assert {found.pop(name) for name in _MAY} == {"done"}, "it writes its own folder and starts programs of its own"
    assert found.pop("allocate") == "MemoryError: "
    assert found.pop("child") == "CalledProcessError: "
    if os.geteuid() == 0:  # newer kernels let whoever may measure all processes, as root may, read this of all
        del found["environment"]
    assert {name: said for name, said in found.items() if said not in REFUSED} == {}
    assert not Path(f"{file}.mine").exists()


def test_processes_and_threads_are_bounded_by_what_the_account_has() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _LIMITS], stdin=subprocess.DEVNULL, capture_output=True, check=True
    ).stdout.split()
    had, most = int(said[0]), int(said[1])
    assert had >= len(list(Path("/proc/self/task").iterdir())) + 1
    assert most == had + 7


_LIMITS = """
import resource
from sync.runtime.confinement.confine import ProcessLimits, tasks_of_account
had = tasks_of_account()
ProcessLimits(2**33, 60, more_tasks=7).apply(had)
print(had, resource.getrlimit(resource.RLIMIT_NPROC)[0])
"""
