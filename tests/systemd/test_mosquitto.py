"""The broker's example configuration lets a room touch its own topics only, and strangers nothing."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from server.tls.court import CourtAuthority
from sync.tls.authority import open_authority
from tests.support.paths import UNITS
from tests.support.peers.mqtt_peer import MqttPeer, is_refused
from tests.support.peers.tls_court import DAY, certified, shows, utc_now
from tests.support.ports import free_port

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
OWN, OTHER = "court/v1/jianshan/3", "court/v1/jianshan/4"


@dataclass
class Broker:
    """A broker with the example's files, and who has certificates of its court."""

    port: int
    court: CourtAuthority
    folder: Path
    process: subprocess.Popen[bytes]

    def context(self, name: str | None) -> ssl.SSLContext:
        """What somebody of this name shows; None shows nothing."""
        files = None
        if name == "center":
            files = self.court.files
        elif name is not None:
            files = certified(self.court.authority, self.folder, name)
        return shows(files, self.court.files.authority)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Broker]:
    """A real broker with the example's files, on a free port."""
    assert MOSQUITTO is not None, "the program mosquitto is missing; apt install mosquitto"
    number = free_port()
    court = CourtAuthority(tmp_path / "center", "Test court TLS")
    rights = tmp_path / "wutong.acl"
    shutil.copy(UNITS / "wutong-mosquitto.acl", rights)
    text = (UNITS / "wutong-mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("listener 8883", f"listener {number} 127.0.0.1").replace("/etc/mosquitto", str(tmp_path))
    text = text.replace("/var/lib/wutong-broker", str(court.broker_folder))
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"user {getpass.getuser()}\n{text}", encoding="utf-8")
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "mosquitto did not start"
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield Broker(number, court, tmp_path, process)
    finally:
        process.terminate()
        process.wait(timeout=10)


def client(broker: Broker, name: str | None, topics: list[str], client_id: str = "", *, will: str = "") -> MqttPeer:
    return MqttPeer(broker.port, broker.context(name), topics, client_id, will=will)


def test_a_stranger_is_refused(port: Broker) -> None:
    stranger = client(port, None, [])
    assert not stranger.accepted
    stranger.close()


def test_a_room_writes_its_own_topics_and_no_other_s(port: Broker) -> None:
    center, room = client(port, "center", ["court/v1/#"]), client(port, "jianshan/3", [])
    refused = [f"{OTHER}/events", f"{OWN}/receipts", f"{OWN}/docket", "court/v1/jianshan/3x/events"]
    for topic in [*refused, f"{OWN}/live/bench/frag", f"{OWN}/events"]:
        room.say(topic)
    assert [center.messages.get(timeout=10) for _ in range(2)] == [f"{OWN}/live/bench/frag", f"{OWN}/events"]
    assert center.messages.empty()
    center.close()
    room.close()


def test_a_room_hears_what_is_for_it_and_nothing_of_another(port: Broker) -> None:
    room = client(port, "jianshan/3", [f"{OTHER}/#", f"{OWN}/events", f"{OWN}/receipts"])
    center = client(port, "center", [])
    for topic in (f"{OTHER}/receipts", f"{OTHER}/caption", f"{OWN}/events", f"{OWN}/receipts"):
        center.say(topic)
    assert room.messages.get(timeout=10) == f"{OWN}/receipts"
    assert room.messages.empty()
    center.close()
    room.close()


@pytest.mark.parametrize("taken", ["center", "jianshan/3"])
def test_nobody_takes_the_client_id_of_another_account(port: Broker, taken: str) -> None:
    """Whatever id a client says: neither the center nor a room loses its line by it."""
    center, room = client(port, "center", ["court/v1/#"], "center"), client(port, "jianshan/3", [])
    for _ in range(12):
        thief = client(port, "jianshan/4", [], taken)
        assert thief.accepted
        thief.say(f"{OTHER}/status")
        assert center.messages.get(timeout=10) == f"{OTHER}/status"
        thief.close()
    room.say(f"{OWN}/status")
    assert center.messages.get(timeout=10) == f"{OWN}/status"
    assert center.lost.empty()
    assert room.lost.empty()
    center.close()
    room.close()


def test_the_same_account_takes_over_its_own_connection(port: Broker) -> None:
    """A room whose line broke without a word comes back before the broker has noticed."""
    before = client(port, "jianshan/3", [])
    after = client(port, "jianshan/3", [])
    assert after.accepted
    assert before.lost.get(timeout=10)
    before.close()
    after.close()


@pytest.mark.parametrize("who", ["jianshan/3", "center"])
def test_nobody_leaves_anything_in_the_broker(port: Broker, who: str) -> None:
    """Not by its own topics, either: who asks for it loses the line, and only that one."""
    topic = f"{OWN}/status" if who != "center" else f"{OWN}/docket"
    other = client(port, "jianshan/4", [])
    for _ in range(3):
        one = client(port, who, [])
        one.client.publish(topic, b"kept", qos=1, retain=True)
        assert one.lost.get(timeout=10)
        one.close()
    heir = client(port, who, [], will=topic)
    assert not heir.accepted
    heir.close()
    late = client(port, "center", ["court/v1/#"])
    reader = client(port, "jianshan/3", [f"{OWN}/docket"])
    other.say(f"{OTHER}/status")
    assert late.messages.get(timeout=10) == f"{OTHER}/status"
    late.say(f"{OWN}/docket")
    assert reader.messages.get(timeout=10) == f"{OWN}/docket"
    assert late.messages.empty()
    assert reader.messages.empty()
    assert other.lost.empty()
    for one in (late, reader, other):
        one.close()


def test_what_is_larger_than_any_honest_message_ends_its_line_and_takes_no_memory(port: Broker) -> None:
    """Forty of eight megabytes each, by topics that a room does have, to a center that reads none of them."""
    room = client(port, "jianshan/3", [])
    sent = [room.client.publish(f"{OWN}/live/t{n}/init", bytes(8_000_000), qos=1) for n in range(40)]
    room.lost.get(timeout=60)
    status = Path(f"/proc/{port.process.pid}/status").read_text(encoding="utf-8")
    most = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    assert most < 64 * 2**20
    assert not all(one.is_published() for one in sent)
    room.close()


@pytest.mark.parametrize(
    "heard", ["$SYS/#", "$SYS/broker/clients/connected", "#", "+/+/+/+/receipts", "court/v1/+/4/#"]
)
def test_no_wildcard_hears_the_broker_or_another_room(port: Broker, heard: str) -> None:
    room = client(port, "jianshan/3", [heard, f"{OWN}/notices"])
    center = client(port, "center", [])
    for topic in (f"{OTHER}/receipts", f"{OTHER}/docket", f"{OWN}/notices"):
        center.say(topic)
    assert room.messages.get(timeout=10) == f"{OWN}/notices"
    rest = {room.messages.get() for _ in range(room.messages.qsize())}
    assert rest <= {f"{OWN}/notices"}
    center.close()
    room.close()


def refused(broker: Broker, context: ssl.SSLContext) -> bool:
    """Whether the broker answers nothing to who shows this."""
    return is_refused(broker.port, context)


def test_no_certificate_a_foreign_one_and_one_that_has_ended_or_not_begun_are_refused(port: Broker) -> None:
    court, folder = port.court, port.folder
    foreign = open_authority(folder / "foreign", "Test court TLS", utc_now())  # the same name, another key
    assert refused(port, shows(None, court.files.authority))
    assert refused(port, shows(certified(foreign, folder / "foreign", "jianshan/3"), court.files.authority))
    ended = certified(court.authority, folder, "jianshan/5", now=utc_now() - 30 * DAY, lasts=DAY)
    assert refused(port, shows(ended, court.files.authority))
    begins = certified(court.authority, folder, "jianshan/6", now=utc_now() + 30 * DAY)
    assert refused(port, shows(begins, court.files.authority))
    assert not refused(port, shows(certified(court.authority, folder, "jianshan/3"), court.files.authority))


def test_what_is_older_than_tls_1_2_or_no_tls_at_all_is_refused(port: Broker) -> None:
    context = port.context("jianshan/3")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    assert refused(port, context)
    with socket.create_connection(("127.0.0.1", port.port), timeout=10) as line:
        line.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01r")
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(16)[:1] != b"\x20"


@pytest.mark.parametrize("name", ["+", "#", "jianshan/+", "+/3", "jianshan/#", "broker", "Center", "center/x", "%u"])
def test_a_name_that_means_more_than_one_room_opens_none(port: Broker, name: str) -> None:
    """The authority never gives such a name; the broker would not follow it either."""
    center = client(port, "center", ["court/v1/#"])
    wanted = [f"{OWN}/receipts", "court/v1/+/+/receipts", "court/v1/#"]
    strange = client(port, name, wanted if "#" in name else [*wanted, f"court/v1/{name}/receipts"])
    strange.say(f"{OWN}/events")
    room = client(port, "jianshan/3", [])
    room.say(f"{OWN}/status")
    center.say(f"{OWN}/receipts")
    heard = center.messages.get(timeout=10)
    assert heard == f"{OWN}/status"
    assert strange.messages.empty()
    for one in (center, strange, room):
        one.close()


def test_a_revoked_certificate_is_refused_once_the_broker_has_read_the_list_and_nothing_brings_it_back(
    port: Broker,
) -> None:
    """Neither a session of before, in either version, nor a second list of the same second."""
    rooms = {name: certified(port.court.authority, port.folder, name) for name in ("jianshan/3", "jianshan/4")}
    serials = [x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number for files in rooms.values()]
    sessions = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = shows(rooms["jianshan/4"], port.court.files.authority)
        context.options &= ~ssl.OP_NO_TICKET
        context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", port.port), timeout=10) as line,
            context.wrap_socket(line, server_hostname="127.0.0.1") as tls,
        ):
            tls.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01r")
            tls.recv(4)
            sessions.append((context, tls.session))
    living = client(port, "center", [])
    for known in (serials[:1], serials):  # two lists within a second
        port.court.revoke(known)
        port.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while not refused(port, shows(rooms["jianshan/4"], port.court.files.authority)):
        assert time.monotonic() < deadline
    assert refused(port, shows(rooms["jianshan/3"], port.court.files.authority))
    for context, session in sessions:
        with (
            socket.create_connection(("127.0.0.1", port.port), timeout=10) as line,
            contextlib.suppress(OSError),
            context.wrap_socket(line, server_hostname="127.0.0.1", session=session) as tls,
        ):
            tls.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01r")
            assert tls.recv(4) == b""
    assert living.lost.empty()  # whoever is not revoked keeps the line
    living.close()


def test_the_drop_in_confines_the_broker(tmp_path: Path) -> None:
    unit = tmp_path / "mosquitto.service"
    whole = "[Service]\nType=notify\nExecStart=/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf\n"
    unit.write_text(whole + (UNITS / "wutong-mosquitto.service.conf").read_text(encoding="utf-8"), encoding="utf-8")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:]


def test_processes_of_a_center_have_lines_of_their_own_and_hear_what_the_others_receipt(port: Broker) -> None:
    first = MqttPeer(port.port, port.context("center-1"), [f"{OWN}/events", f"{OTHER}/live/+/frag"])
    second = MqttPeer(port.port, port.context("center-2"), [f"{OWN}/receipts", f"{OWN}/status"])
    room = MqttPeer(port.port, port.context("jianshan/3"), [f"{OWN}/receipts"])
    try:
        room.say(f"{OWN}/events")
        assert first.messages.get(timeout=10) == f"{OWN}/events"
        room.say(f"{OWN}/status")
        assert second.messages.get(timeout=10) == f"{OWN}/status"
        first.say(f"{OWN}/receipts")
        assert second.messages.get(timeout=10) == f"{OWN}/receipts"
        assert room.messages.get(timeout=10) == f"{OWN}/receipts"
        assert first.lost.empty()
        assert second.lost.empty()
    finally:
        for one in (first, second, room):
            one.close()
