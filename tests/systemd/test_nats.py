"""NATS by the product's policy lets a room touch its own topics only, and strangers nothing, as Mosquitto does."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509

from server.tls.court import CourtAuthority
from server.tls.nats_users import NATS_USERS, common_name_user
from sync.tls.authority import open_authority
from sync.tls.identity import TlsFiles
from sync.tls.names import certificate_uri
from tests.support.paths import UNITS
from tests.support.peers.mqtt_peer import MqttPeer, is_refused
from tests.support.peers.nats_broker import NatsBroker
from tests.support.peers.tls_court import DAY, certified, shows, utc_now
from wutong.demo.nats import nats_program

OWN, OTHER = "court/v1/jianshan/3", "court/v1/jianshan/4"
ROOM, NEIGHBOR = "jianshan/3", "jianshan/4"


def uri_of(files: TlsFiles) -> str:
    """The name that a certificate alone has."""
    return certificate_uri(x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number)


@dataclass
class NatsCourt:
    """A node, and who has certificates of its court."""

    broker: NatsBroker
    folder: Path
    files: dict[str, TlsFiles] = field(default_factory=dict)

    def context(self, name: str | None) -> ssl.SSLContext:
        """What somebody of this name shows; None shows nothing."""
        shown = None
        if name == "center":
            shown = self.broker.court.files
        elif name is not None:
            shown = self.files.get(name) or certified(self.broker.court.authority, self.folder, name)
        return shows(shown, self.broker.authority)

    def peer(
        self, name: str, topics: list[str], client_id: str = "", *, will: str = "", username: str = ""
    ) -> MqttPeer:
        context = self.context(name)
        return MqttPeer(self.broker.port, context, topics, client_id, will=will, keeps_will=False, username=username)

    def admit(self, *names: str) -> None:
        """The list has these, and the node has been told to read it again."""
        self.broker.court.admit({uri_of(self.files[name]): name for name in names})
        self.broker.read_again()


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCourt]:
    """One node for all tests of this file."""
    folder = tmp_path_factory.mktemp("nats")
    authority = CourtAuthority(folder / "center", "Test court TLS")
    files = {name: certified(authority.authority, folder, name) for name in (ROOM, NEIGHBOR)}
    authority.admit({uri_of(one): name for name, one in files.items()})
    broker = NatsBroker(folder, authority)
    try:
        broker.start()
        yield NatsCourt(broker, folder, files)
    finally:
        broker.stop()


def test_a_room_writes_its_own_topics_and_no_other_s(court: NatsCourt) -> None:
    """Nor those by which NATS itself is ruled; what is refused is dropped without a word, as Mosquitto does it."""
    center, room = court.peer("center", ["court/v1/+/+/events", "court/v1/+/+/live/+/frag"]), court.peer(ROOM, [])
    refused = [
        f"{OTHER}/events",
        f"{OWN}/receipts",
        f"{OWN}/docket",
        "court/v1/jianshan/3x/events",
        f"{OWN}/live/a/b/frag",
        "$JS/API/STREAM/DELETE/$MQTT_msgs",
        "$MQTT/msgs/court/v1/jianshan/4/events",
        "$SYS/REQ/SERVER/PING",
    ]
    for topic in [*refused, f"{OWN}/live/bench/frag", f"{OWN}/events"]:
        room.say(topic)
    assert [center.messages.get(timeout=10) for _ in range(2)] == [f"{OWN}/live/bench/frag", f"{OWN}/events"]
    assert center.messages.empty()
    center.close()
    room.close()


def test_a_last_will_is_for_the_room_s_own_topics(court: NatsCourt) -> None:
    center = court.peer("center", ["court/v1/+/+/status"])
    for topic in (f"{OTHER}/status", f"{OWN}/status"):
        court.peer(ROOM, [], will=topic).vanish()
    assert center.messages.get(timeout=10) == f"{OWN}/status"
    assert center.messages.empty()
    center.close()


@pytest.mark.parametrize(
    "heard", [f"{OTHER}/#", f"{OWN}/events", "#", "$SYS/#", "$MQTT/#", "$MQTT/sub/#", "$JS/#", "+/+/+/+/receipts"]
)
def test_a_room_hears_what_is_for_it_and_nothing_else(court: NatsCourt, heard: str) -> None:
    room, center = court.peer(ROOM, [heard, f"{OWN}/notices"]), court.peer("center", [])
    for topic in (f"{OTHER}/receipts", f"{OTHER}/docket", f"{OWN}/events", f"{OWN}/notices"):
        center.say(topic)
    assert room.messages.get(timeout=10) == f"{OWN}/notices"
    assert {room.messages.get() for _ in range(room.messages.qsize())} <= {f"{OWN}/notices"}
    center.close()
    room.close()


def test_processes_of_a_center_have_lines_of_their_own_and_hear_what_the_others_receipt(court: NatsCourt) -> None:
    first, second = court.peer("center-1", []), court.peer("center-2", [])
    room, only = court.peer(ROOM, [f"{OWN}/receipts"]), court.peer("center", [f"{OWN}/receipts"])
    # Of each of many rooms, as a process asks for them; and what is for rooms alone.
    rooms = [f"court/v1/jianshan/r{number}/{topic}" for number in range(100) for topic in ("status", "events")]
    forbidden = [(f"{OWN}/docket", 0), ("#", 0), ("$MQTT/#", 0)]
    first.client.subscribe([(topic, 0) for topic in (f"{OWN}/events", f"{OTHER}/live/+/frag", *rooms)])
    first.subscribed.get(timeout=10)
    second.client.subscribe([(f"{OWN}/receipts", 0), (f"{OWN}/status", 0), *forbidden])
    second.subscribed.get(timeout=10)
    try:
        room.say(f"{OWN}/events")
        assert first.messages.get(timeout=10) == f"{OWN}/events"
        first.say(f"{OWN}/docket")
        first.say(f"{OWN}/events")  # which a room says
        first.say(f"{OWN}/receipts")
        assert second.messages.get(timeout=10) == f"{OWN}/receipts"
        assert room.messages.get(timeout=10) == f"{OWN}/receipts"
        room.say(f"{OWN}/status")
        assert second.messages.get(timeout=10) == f"{OWN}/status"
        assert first.messages.empty()
        assert only.messages.empty(), "the only process of a center stores everything itself"
        assert is_refused(court.broker.port, court.context("center-65"))
        assert first.lost.empty()
        assert second.lost.empty()
    finally:
        for one in (first, second, room, only):
            one.close()


@pytest.mark.parametrize("said", ["center", "CN=center", "jianshan/4"])
def test_nobody_is_whom_he_only_says_to_be(court: NatsCourt, said: str) -> None:
    room, center = court.peer(ROOM, [f"{OTHER}/receipts", f"{OWN}/receipts"], username=said), court.peer("center", [])
    center.say(f"{OTHER}/receipts")
    center.say(f"{OWN}/receipts")
    assert room.messages.get(timeout=10) == f"{OWN}/receipts"
    assert room.messages.empty()
    center.close()
    room.close()


def test_who_shows_nothing_or_nothing_of_the_list_is_refused(court: NatsCourt) -> None:
    """A foreign certificate, one that has ended, one of the authority that was never handed out, a name of no room."""
    port, authority, folder = court.broker.port, court.broker.authority, court.folder
    assert is_refused(port, shows(None, authority))
    foreign = open_authority(folder / "foreign", "Test court TLS", utc_now())
    assert is_refused(port, shows(certified(foreign, folder / "foreign", ROOM), authority))
    own, other = court.broker.court.authority, folder / "other"
    other.mkdir()
    ended = certified(own, other, "jianshan/5", now=utc_now() - 30 * DAY, lasts=DAY)
    assert is_refused(port, shows(ended, authority))
    assert is_refused(port, shows(certified(own, other, ROOM), authority)), "the list has another one of this room"
    for name in ("+", "jianshan/+", "broker", "Center", "*", ">"):
        assert is_refused(port, shows(certified(own, other, name), authority)), name
    assert not is_refused(port, court.context(ROOM))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01r")
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(16)[:1] != b"\x20"


def test_what_is_older_than_tls_1_2_is_refused(court: NatsCourt) -> None:
    context = court.context(ROOM)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    assert is_refused(court.broker.port, context)


@pytest.mark.parametrize("shown", [ROOM, "center", None])
def test_the_door_of_its_own_protocol_is_open_to_nobody(court: NatsCourt, shown: str | None) -> None:
    """Neither to who shows a certificate of the court nor to who only says to be somebody of the list."""
    with socket.create_connection(("127.0.0.1", court.broker.ports[0].own), timeout=10) as plain:
        plain.recv(4096)
        said: list[bytes] = []
        try:
            with court.context(shown).wrap_socket(plain, server_hostname="127.0.0.1") as line:
                user = common_name_user("center")
                line.sendall(f'CONNECT {{"user":"{user}","pass":"","verbose":false,"lang":"x"}}\r\nPING\r\n'.encode())
                while piece := line.recv(4096):
                    said.append(piece)
        except OSError:
            pass
        assert b"PONG" not in b"".join(said)


def test_what_is_larger_than_any_honest_message_ends_its_line_and_no_other(court: NatsCourt) -> None:
    room, other = court.peer(ROOM, []), court.peer(NEIGHBOR, [])
    for number in range(10):
        room.client.publish(f"{OWN}/live/t{number}/init", bytes(8_000_000), qos=1)
    assert room.lost.get(timeout=60)
    assert other.lost.empty()
    room.close()
    other.close()


def test_who_is_taken_from_the_list_loses_the_line_and_does_not_come_back(court: NatsCourt) -> None:
    center, room = court.peer("center", []), court.peer(ROOM, [])
    neighbor = court.peer(NEIGHBOR, [f"{OTHER}/receipts"])
    try:
        court.admit(NEIGHBOR)
        assert room.lost.get(timeout=10)
        assert is_refused(court.broker.port, court.context(ROOM))
        center.say(f"{OTHER}/receipts")
        assert neighbor.messages.get(timeout=10) == f"{OTHER}/receipts"
        assert neighbor.lost.empty()
        assert center.lost.empty()
    finally:
        court.admit(ROOM, NEIGHBOR)
    deadline = time.monotonic() + 10
    while is_refused(court.broker.port, court.context(ROOM)):
        assert time.monotonic() < deadline
    for one in (center, room, neighbor):
        one.close()


def test_a_list_that_cannot_be_read_changes_nothing(court: NatsCourt) -> None:
    """Cut in the middle, empty, or another's: who was let in is let in, and nobody else."""
    path = court.broker.court.broker_folder / NATS_USERS
    whole = path.read_text()
    room = court.peer(ROOM, [])
    strange = court.context("jianshan/7")
    try:
        for broken in (whole[: len(whole) // 2], "", "users: []\n"):
            path.write_text(broken)
            said = court.broker.log().lower().count("reload")
            court.broker.read_again()
            deadline = time.monotonic() + 10
            while court.broker.log().lower().count("reload") == said:
                assert time.monotonic() < deadline, court.broker.log()[-2000:]
                time.sleep(0.02)  # the node only writes a line
            assert room.lost.empty()
            assert not is_refused(court.broker.port, court.context(ROOM))
            assert is_refused(court.broker.port, strange)
    finally:
        path.write_text(whole)
        court.broker.read_again()
    room.close()


def test_what_nats_cannot_refuse_is_what_the_documents_say_of_it(court: NatsCourt) -> None:
    """It keeps what a room retains on its own topics; and an id that is known takes the line of whoever has it."""
    room = court.peer(ROOM, [], "an-id-that-is-known")
    room.client.publish(f"{OWN}/status", b"kept", qos=1, retain=True).wait_for_publish(10)
    room.client.publish(f"{OTHER}/status", b"kept", qos=1, retain=True).wait_for_publish(10)
    late = court.peer("center", ["court/v1/+/+/status"])
    assert late.messages.get(timeout=10) == f"{OWN}/status"
    assert late.messages.empty(), "nothing on the topics of another is kept"
    thief = court.peer(NEIGHBOR, [], "an-id-that-is-known")
    assert thief.accepted
    assert room.lost.get(timeout=10)
    thief.client.publish(f"{OTHER}/status", b"", qos=1, retain=True).wait_for_publish(10)
    again = court.peer(ROOM, [])
    again.client.publish(f"{OWN}/status", b"", qos=1, retain=True).wait_for_publish(10)  # forgets it
    for one in (room, late, thief, again):
        one.close()


@pytest.mark.parametrize("name", ["wutong-nats.conf", "wutong-nats-cluster.conf"])
def test_nats_itself_takes_the_example(court: NatsCourt, tmp_path: Path, name: str) -> None:
    folder = court.broker.court.broker_folder
    text = (UNITS / name).read_text(encoding="utf-8")
    shutil.copy(folder / NATS_USERS, tmp_path / NATS_USERS)
    text = text.replace("../../var/lib/wutong-broker/", "").replace("/var/lib/wutong-broker", str(folder))
    path = tmp_path / "nats.conf"
    path.write_text(text.replace("/var/lib/wutong-nats", str(tmp_path / "store")), encoding="utf-8")
    done = subprocess.run([nats_program(), "-t", "--config", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_drop_in_confines_it(tmp_path: Path) -> None:
    unit = tmp_path / "nats-server.service"
    whole = "[Service]\nType=simple\nExecStart=/usr/sbin/nats-server -c /etc/nats-server.conf\n"
    unit.write_text(whole + (UNITS / "wutong-nats.service.conf").read_text(encoding="utf-8"), encoding="utf-8")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:]
