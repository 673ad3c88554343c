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
    for name in ("center", "room-jianshan-3"):
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, f"of {name}"], check=True, capture_output=True)
    text = (UNITS / "wutong-mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("listener 1883", f"listener {number} 127.0.0.1").replace("/etc/mosquitto", str(tmp_path))
    config = tmp_path / "mosquitto.conf"
    config.write_text(text + "user root\n", encoding="utf-8")
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, process.communicate()[1].decode()
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield number
    finally:
        process.terminate()
        process.communicate(timeout=10)


class Client:
    """A client that says what it was told."""

    def __init__(self, port: int, username: str | None, topics: list[str]) -> None:
        self.connected: Queue[bool] = Queue()
        self.subscribed: Queue[bool] = Queue()
        self.messages: Queue[str] = Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
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

    def say(self, topic: str) -> None:
        self.client.publish(topic, b"x", qos=1).wait_for_publish(10)

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
