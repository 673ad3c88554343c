"""The signer's socket: who is answered, what nonsense and floods do, and what a signer that is away looks like."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import ConfigError, LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.room.paths import RoomPaths
from sync.room.signer import MAX_LINE, RoomSigner
from tests.support.rooms.signer_peer import signing

ROOM = "jianshan/c03"


def head(size: int, root: int = 1, hearing: str = "h") -> bytes:
    return Checkpoint(ROOM, hearing, size, bytes([root] * 32), size, 1).to_text().encode()


def said(path: Path, question: bytes, *, close: bool = False) -> bytes:
    """What comes back to raw bytes."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(20)
        line.connect(str(path))
        line.sendall(question)
        if close:
            line.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    return answer


def test_it_says_how_often_it_has_signed_and_refused_and_signs_nothing_for_it(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM):
        asked = RoomSigner(layout.signer_socket)
        assert asked.counts() == {"signed": 0, "refused": 0}
        asked.sign(head(1))
        with pytest.raises(LedgerError):
            asked.sign(b"pay me\n")
        assert asked.counts() == {"signed": 1, "refused": 1}
        more = said(layout.signer_socket, b'{"do":"counts","data":"AAAA"}\n')
        assert json.loads(more)["code"] == "signer-refused", "the question is that alone"
    with pytest.raises(LedgerError) as away:
        asked.counts()
    assert away.value.code == "signer"


def test_a_service_has_a_checkpoint_signed_and_the_key_is_the_folders(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM) as signer:
        asked = RoomSigner(layout.signer_socket)
        signer.public_key().verify(asked.sign(head(1)), head(1))
        assert asked.public_key() == signer.public_key()
        with pytest.raises(LedgerError, match="不一致") as refused:
            asked.sign(head(1, 2))
        assert refused.value.code == "signer-refused"
        with pytest.raises(LedgerError, match="none of the room's forms"):
            asked.sign(b"pay me\n")
        with pytest.raises(LedgerError, match="none of the room's forms"):
            asked.sign(bytes(100_000))
        assert layout.signer_socket.stat().st_mode & 0o777 == 0o660
    assert layout.device_key.stat().st_mode & 0o777 == 0o600
    assert layout.signer.stat().st_mode & 0o777 == 0o700


def test_a_signer_that_is_away_is_said_to_be_and_found_again(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    asked = RoomSigner(layout.signer_socket)
    for _ in range(2):
        with pytest.raises(LedgerError, match="wutong-signer") as away:
            asked.sign(head(1))
        assert away.value.code == "signer"
        with signing(layout, ROOM):
            asked.sign(head(1))
    assert asked.known_key() is not None
    with pytest.raises(LedgerError):
        asked.probe()


@pytest.mark.parametrize(
    "question",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"nonsense\n",
        b'{"do":"sign"}\n',
        b'{"do":"sign","data":7}\n',
        b'{"do":"sign","data":"%%%"}\n',
        '{"do":"sign","data":"é"}\n'.encode(),
        b'{"do":"sign","data":"","more":1}\n',
        b'{"do":"key","do":"key"}\n',
        b'{"do":"private"}\n',
        b'{"do":' + b"9" * 5000 + b"}\n",
        b"[" * 10_000 + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_nonsense_is_refused_and_costs_nobody_elses_turn(tmp_path: Path, question: bytes) -> None:
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM):
        assert json.loads(said(layout.signer_socket, question))["code"] == "signer-refused"
        RoomSigner(layout.signer_socket).sign(head(1))


def test_a_question_without_end_is_cut(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM):
        assert said(layout.signer_socket, b"x", close=True) == b""
        with contextlib.suppress(ConnectionError):  # it hangs up while we speak
            assert said(layout.signer_socket, b"x" * (4 * MAX_LINE)) == b""
        RoomSigner(layout.signer_socket).sign(head(1))


def test_many_who_say_nothing_do_not_fill_it_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.signer.door.QUESTION_S", 0.2)
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM):
        lines = [socket.socket(socket.AF_UNIX) for _ in range(80)]
        for line in lines:
            line.connect(str(layout.signer_socket))
        for line in lines:
            line.settimeout(20)
            while line.recv(4096):
                pass  # each is told that there are too many, or hung up on
            line.close()
        RoomSigner(layout.signer_socket).sign(head(1))


_CROWD = """
import contextlib, socket, sys
lines = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[2]))]
for line in lines:
    line.connect(sys.argv[1])
    with contextlib.suppress(OSError):  # a newer one has its place already
        line.sendall(sys.argv[3].encode())
print("there", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def crowd(path: Path, lines: int, said: str = "") -> Iterator[None]:
    """Another process that holds many lines and says no whole question."""
    command = [sys.executable, "-c", _CROWD, str(path), str(lines), said]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        yield


@pytest.mark.parametrize("said", ["", '{"do":'], ids=["nothing", "half a question"])
def test_silent_lines_of_other_processes_make_nobody_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr("edge.signer.door.QUESTION_S", 600.0)
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM), contextlib.ExitStack() as others:
        for _ in range(5):
            others.enter_context(crowd(layout.signer_socket, 40, said))
        RoomSigner(layout.signer_socket).sign(head(1))
        silent = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for line in silent:  # nor do those of one's own
            others.callback(line.close)
            line.connect(str(layout.signer_socket))
        RoomSigner(layout.signer_socket).sign(head(2))


def test_one_process_has_its_share_of_questions_and_leaves_the_others_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = RoomPaths(tmp_path)
    go_on = threading.Event()

    class Patient:
        """A key that takes its time, as a token does."""

        def __init__(self) -> None:
            self.key = Ed25519PrivateKey.generate()

        def public_key(self) -> object:
            return self.key.public_key()

        def sign(self, data: bytes, /) -> bytes:
            go_on.wait(60)
            return self.key.sign(data)

    question = json.dumps({"do": "sign", "data": base64.b64encode(head(1)).decode()}).encode() + b"\n"
    with signing(layout, ROOM, key=Patient()), contextlib.ExitStack() as lines:  # type: ignore[arg-type]  # it is one as far as it goes
        monkeypatch.setattr("edge.signer.door.MOST_OF_PROCESS", 2)
        asked = []
        for _ in range(3):
            line = lines.enter_context(socket.socket(socket.AF_UNIX))
            line.settimeout(20)
            line.connect(str(layout.signer_socket))
            line.sendall(question)
            asked.append(line)
        # Two are at work, and only the third is answered: it is one too many of this process.
        ready, _, _ = select.select(asked, [], [], 20)
        assert json.loads(ready[0].recv(4096))["code"] == "signer"
        command = [sys.executable, "-c", _ASKS, str(layout.signer_socket)]
        other = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert "key" in json.loads(other.stdout)
        go_on.set()
        for line in asked:
            if line not in ready:
                assert "signature" in json.loads(line.recv(4096))


_ASKS = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
line.sendall(b'{"do":"key"}\\n')
print(line.recv(4096).decode())
"""


@contextlib.contextmanager
def impostor(path: Path, answer: Callable[[socket.socket], None]) -> Iterator[RoomSigner]:
    """Somebody at the signer's place, who answers one question; who asks it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(20)

        def serve() -> None:
            line, _ = listener.accept()
            with line, contextlib.suppress(OSError):
                answer(line)

        thread = threading.Thread(target=serve)
        thread.start()
        yield RoomSigner(path, answer_s=0.3)
        thread.join()


def test_an_answer_in_drops_is_waited_for_no_longer_than_any_other(tmp_path: Path) -> None:
    """Otherwise whoever takes the socket's place holds what signs for as long as they like."""
    tick = threading.Event()

    def drip(line: socket.socket) -> None:
        while True:  # until who asked has hung up
            line.sendall(b" ")
            tick.wait(0.02)

    with impostor(tmp_path / "s", drip) as asked, pytest.raises(LedgerError) as away:
        asked.sign(head(1))
    assert away.value.code == "signer"


@pytest.mark.parametrize("said", ['{"signature":"é"}', '{"signature":"%"}', '{"signature":7}', '{"key":"é"}', "{}"])
def test_an_answer_that_is_no_base64_is_one_that_is_away(tmp_path: Path, said: str) -> None:
    with (
        impostor(tmp_path / "s", lambda line: line.sendall(said.encode() + b"\n")) as asked,
        pytest.raises(LedgerError) as away,
    ):
        asked.probe() if "key" in said else asked.sign(head(1))
    assert away.value.code == "signer"


def test_who_asks_too_often_waits_and_is_answered(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM, per_s=200, burst=3):
        failures: list[BaseException] = []

        def ask(number: int) -> None:
            try:
                RoomSigner(layout.signer_socket).sign(head(1, 1, f"h{number}"))
            except LedgerError as error:
                failures.append(error)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures


def test_two_signers_of_one_room_are_refused(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM):
        with pytest.raises(ConfigError, match="another signer"), signing(layout, ROOM):
            pass
        RoomSigner(layout.signer_socket).sign(head(1))


def test_what_takes_the_sockets_place_does_not_pass_for_the_signer(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    asked = RoomSigner(layout.signer_socket)
    with signing(layout, ROOM):
        asked.sign(head(1))
    true = asked.public_key()

    class Liar:
        """It names the true key, and signs with one of its own."""

        def public_key(self) -> object:
            return true

        def sign(self, data: bytes, /) -> bytes:
            return Ed25519PrivateKey.generate().sign(data)

    other = RoomPaths(tmp_path / "other")
    with signing(other, ROOM, key=Liar()) as _, pytest.raises(LedgerError, match="does not sign with the key"):  # type: ignore[arg-type]  # it is one as far as it goes
        RoomSigner(other.signer_socket).sign(head(1))


_STRANGER = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
line = socket.socket(socket.AF_UNIX); line.settimeout(10)
try:
    line.connect(sys.argv[1]); line.sendall(b'{"do":"key"}\\n'); print(line.recv(4096).decode())
except OSError as error: print(type(error).__name__)
try: open(sys.argv[2]).read(); print("READ THE KEY")
except OSError as error: print(type(error).__name__)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another account takes root")
def test_another_account_is_not_answered_whatever_the_modes_are_and_cannot_read_the_key(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    with signing(layout, ROOM):
        for folder in (tmp_path, *list(tmp_path.parents)[:3], layout.signer_socket.parent):
            folder.chmod(folder.stat().st_mode | 0o711)
        command = [sys.executable, "-c", _STRANGER, str(layout.signer_socket), str(layout.device_key)]
        assert subprocess.run(command, capture_output=True, text=True).stdout.split() == ["PermissionError"] * 2
        layout.signer_socket.chmod(0o666)
        answer = subprocess.run(command, capture_output=True, text=True).stdout
        assert "may not ask" in answer
        assert "PermissionError" in answer
