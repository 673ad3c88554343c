"""The broker's example configuration lets a room touch its own topics only, and strangers nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.paths import UNITS
from wutong.broker_policy import rights_text

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
OWN, OTHER = "court/v1/jianshan/3", "court/v1/jianshan/4"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A real broker with the example's files, on a free port."""
    assert MOSQUITTO is not None, "the program mosquitto is missing; apt install mosquitto"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    passwords, rights = tmp_path / "wutong.passwords", tmp_path / "wutong.acl"
    shutil.copy(UNITS / "wutong-mosquitto.acl", rights)
    passwords.touch()
    with rights.open("a", encoding="utf-8") as file:
        file.write(rights_text("center", {"jianshan/4": "room-jianshan-4"}).split("\n\n", 1)[1])
    for name in ("center", "room-jianshan-3", "room-jianshan-4"):
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, f"of {name}"], check=True, capture_output=True)
    text = (UNITS / "wutong-mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("listener 1883", f"listener {number} 127.0.0.1").replace("/etc/mosquitto", str(tmp_path))
    config = tmp_path / "mosquitto.conf"
    config.write_text(text + "user root\n", encoding="utf-8")
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
        (tmp_path / "pid").write_text(str(process.pid))
        yield number
    finally:
        process.terminate()
        process.wait(timeout=10)


class Client:
    """A client that says what it was told."""

    def __init__(self, port: int, username: str | None, topics: list[str], client_id: str = "") -> None:
        self.connected: Queue[bool] = Queue()
        self.subscribed: Queue[bool] = Queue()
        self.messages: Queue[str] = Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self.lost: Queue[str] = Queue()
        self.client.on_disconnect = lambda c, u, f, reason, p: self.lost.put(str(reason))
        if username is not None:
            self.client.username_pw_set(username, f"of {username}")
        self.client.on_connect = lambda c, u, f, reason, p: self.connected.put(not reason.is_failure)
        self.client.on_subscribe = lambda c, u, m, reasons, p: self.subscribed.put(True)
        self.client.on_message = lambda c, u, message: self.messages.put(message.topic)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.accepted = self.connected.get(timeout=10)
        if self.accepted and topics:
            self.client.subscribe([(topic, 1) for topic in topics])
            self.subscribed.get(timeout=10)

    def say(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_a_stranger_is_refused(port: int) -> None:
    stranger = Client(port, None, [])
    assert not stranger.accepted
    stranger.close()


def test_a_room_writes_its_own_topics_and_no_other_s(port: int) -> None:
    center, room = Client(port, "center", ["court/v1/#"]), Client(port, "room-jianshan-3", [])
    refused = [f"{OTHER}/events", f"{OWN}/receipts", f"{OWN}/docket", "court/v1/jianshan/3x/events"]
    for topic in [*refused, f"{OWN}/live/bench/frag", f"{OWN}/events"]:
        room.say(topic)
    assert [center.messages.get(timeout=10) for _ in range(2)] == [f"{OWN}/live/bench/frag", f"{OWN}/events"]
    assert center.messages.empty()
    center.close()
    room.close()


def test_a_room_hears_what_is_for_it_and_nothing_of_another(port: int) -> None:
    room = Client(port, "room-jianshan-3", [f"{OTHER}/#", f"{OWN}/events", f"{OWN}/receipts"])
    center = Client(port, "center", [])
    for topic in (f"{OTHER}/receipts", f"{OTHER}/caption", f"{OWN}/events", f"{OWN}/receipts"):
        center.say(topic)
    assert room.messages.get(timeout=10) == f"{OWN}/receipts"
    assert room.messages.empty()
    center.close()
    room.close()


@pytest.mark.parametrize("taken", ["center", "room-jianshan-3"])
def test_nobody_takes_the_client_id_of_another_account(port: int, taken: str) -> None:
    """Whatever id a client says: neither the center nor a room loses its line by it."""
    center, room = Client(port, "center", ["court/v1/#"], "center"), Client(port, "room-jianshan-3", [])
    for _ in range(12):
        thief = Client(port, "room-jianshan-4", [], taken)
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


def test_the_same_account_takes_over_its_own_connection(port: int) -> None:
    """A room whose line broke without a word comes back before the broker has noticed."""
    before = Client(port, "room-jianshan-3", [])
    before.client.reconnect_delay_set(60, 60)
    after = Client(port, "room-jianshan-3", [])
    assert after.accepted
    assert before.lost.get(timeout=10)
    before.close()
    after.close()


@pytest.mark.parametrize("topic", ["live/bench/other", "live/bench/init/x", "live/init", "live", "status/x", "x"])
def test_nothing_is_kept_by_a_topic_that_no_room_has(port: int, topic: str) -> None:
    room = Client(port, "room-jianshan-3", [])
    for n in range(3):
        room.say(f"{OWN}/{topic}".replace("bench", f"t{n}"), bytes(1000), retain=True)
    room.say(f"{OWN}/status", retain=True)
    center = Client(port, "center", ["court/v1/#", "#"])
    assert center.messages.get(timeout=10) == f"{OWN}/status"
    assert {center.messages.get() for _ in range(center.messages.qsize())} <= {f"{OWN}/status"}
    center.close()
    room.close()


def test_what_a_room_has_kept_takes_no_more_memory_than_the_broker_may(port: int, tmp_path: Path) -> None:
    """Forty of eight megabytes each, by topics that a room does have."""
    room = Client(port, "room-jianshan-3", [])
    pid = int((tmp_path / "pid").read_text())
    sent = [room.client.publish(f"{OWN}/live/t{n}/init", bytes(8_000_000), qos=1, retain=True) for n in range(40)]
    room.lost.get(timeout=60)  # the broker ends the line of who asks for more than there is
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    most = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    assert most < 320 * 2**20
    assert not all(one.is_published() for one in sent)
    room.close()


@pytest.mark.parametrize(
    "heard", ["$SYS/#", "$SYS/broker/clients/connected", "#", "+/+/+/+/receipts", "court/v1/+/4/#"]
)
def test_no_wildcard_hears_the_broker_or_another_room(port: int, heard: str) -> None:
    room = Client(port, "room-jianshan-3", [heard, f"{OWN}/notices"])
    center = Client(port, "center", [])
    for topic in (f"{OTHER}/receipts", f"{OTHER}/docket", f"{OWN}/notices"):
        center.say(topic)
    assert room.messages.get(timeout=10) == f"{OWN}/notices"
    rest = {room.messages.get() for _ in range(room.messages.qsize())}
    assert rest <= {f"{OWN}/notices"}
    center.close()
    room.close()


def test_the_drop_in_confines_the_broker(tmp_path: Path) -> None:
    unit = tmp_path / "mosquitto.service"
    whole = "[Service]\nType=notify\nExecStart=/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf\n"
    unit.write_text(whole + (UNITS / "wutong-mosquitto.service.conf").read_text(encoding="utf-8"), encoding="utf-8")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:]
