"""One hearing through the real parts: opened unenrolled, enrolled, witnessed, closed, sealed, time-stamped.

A real broker with the product's access list, the center, the room's edge and uplink as processes of their own, the
command `wutong enroll` at both ends, and a time-stamp authority made of OpenSSL.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.ledger import note, token
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import CENTER, load_key
from sync.ledger.leaf import leaf_of
from sync.ledger.seal import check
from sync.ledger.tree import leaf_hash, root_of
from sync.record.hearing import Hearing
from sync.room.checkpoints import Checkpoints
from sync.room.enrollment import center_key
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.support.peers.tsa import Authority
from tests.support.ports import free_port
from wutong.demo.broker import account, write_config

ADDRESS = "jianshan/c03"
HEARING = "20261122-093000-00c0ffee"
S = 1_000_000_000


def until(condition: Callable[[], Any], timeout_s: float = 90) -> Any:
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, "this did not happen"
        time.sleep(0.1)
    return value


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/session").status_code == 401
    except httpx.HTTPError:
        return False


@dataclass
class Stage:
    """Everything that runs."""

    center_url: str
    center_config: Path
    center_data: Path
    panel_url: str
    profile: Path
    layout: RoomPaths
    authority: Authority

    def wutong(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wutong", *arguments], capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip


def center_toml(folder: Path, port: int, mqtt_port: int, password: Path) -> str:
    return f"""
[web]
port = {port}
[mqtt]
port = {mqtt_port}
username = "center"
password_file = "{password}"
[people]
codes_until = 2099-12-31
[storage]
data = "{folder / "center"}"
reserve_gib = 0
[[rooms]]
court = "jianshan"
room = "c03"
token_file = "{folder / "token"}"
"""


def room_toml(folder: Path, url: str, panel_port: int, mqtt_port: int, password: Path, tsa_url: str) -> str:
    return f"""
seats = [{{ id = "judge", roles = ["审判长"], channel = 0 }}]
cameras = [{{ id = "bench", name = "审判席", driver = "simulated" }}]
[room]
court = "jianshan"
room = "c03"
court_name = "尖山区人民法院"
room_name = "第三法庭"
[microphones]
driver = "simulated"
channels = 1
[storage]
data = "{folder / "room"}"
reserve_gib = 0
[transcriber]
engine = "off"
[panel]
port = {panel_port}
[center]
url = "{url}"
token_file = "{folder / "token"}"
tsa_url = "{tsa_url}"
mqtt_port = {mqtt_port}
mqtt_username = "{ADDRESS}"
mqtt_password_file = "{password}"
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    ports = [free_port() for _ in range(3)]
    center, room = account(tmp_path, "center"), account(tmp_path, ADDRESS)
    broker = write_config(tmp_path / "broker", ports[0], center, {ADDRESS: room})
    (tmp_path / "token").write_text(secrets.token_urlsafe(32))
    (tmp_path / "token").chmod(0o600)
    url, panel_url = f"http://127.0.0.1:{ports[1]}", f"http://127.0.0.1:{ports[2]}"
    config, profile = tmp_path / "center.toml", tmp_path / "room.toml"
    config.write_text(center_toml(tmp_path, ports[1], ports[0], center.password_file))
    authority = Authority(tmp_path / "tsa")
    processes: list[subprocess.Popen[bytes]] = []

    def run(*command: str) -> None:
        processes.append(subprocess.Popen(command))

    with ExitStack() as stack:
        tsa_url = stack.enter_context(authority.serving())
        profile.write_text(room_toml(tmp_path, url, ports[2], ports[0], room.password_file, tsa_url))
        try:
            run("mosquitto", "-c", str(broker))
            run(sys.executable, "-m", "wutong", "server", "--config", str(config))
            for service in ("signer", "edge", "uplink"):
                run(sys.executable, "-m", "wutong", "room", service, "--profile", str(profile))
            until(lambda: answers(url) and answers(panel_url))
            layout = RoomPaths(tmp_path / "room")
            yield Stage(url, config, tmp_path / "center", panel_url, profile, layout, authority)
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def signed_in(url: str, data: Path, role: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"X-Wutong": "1"}, timeout=20) as http:
        code = json.loads((data / "codes.json").read_text())[role]
        assert http.post("/api/session", json={"code": code}).status_code == 200
        yield http


def test_a_hearing_is_witnessed_sealed_and_stamped_and_everything_fits(stage: Stage) -> None:
    layout, log = stage.layout, RoomLog(stage.layout.log)
    checkpoints = Checkpoints(layout.log)

    def say(kind: str, at_s: float, **body: Any) -> None:
        log.append(kind, body, hearing=HEARING, room_ns=int(at_s * S), utc_ns=int(at_s * S))

    def alarms() -> list[tuple[str, bool]]:
        alarms = Hearing.of(HEARING, log.of_hearing(HEARING)).alarms
        return [(a.code, a.cleared_ns is None) for a in alarms if a.code == "not-enrolled"]

    room = {"court": "jianshan", "room": "c03", "court_name": "尖山区人民法院", "room_name": "第三法庭"}
    case = {"id": "c1", "case_no": "(2026)黑05民初1号", "cause": "", "title": "", "parties": {}, "public": True}
    tracks = [{"id": "bench", "kind": "video", "name": "审判席"}]
    say("open", 10, case=case, seats=[], tracks=tracks, **room)
    # Not enrolled: it is signed all the same, and a person is told.
    until(lambda: checkpoints.last(HEARING))
    until(lambda: alarms() == [("not-enrolled", True)])
    assert checkpoints.last_witnessed(HEARING) is None

    printed = stage.wutong("enroll", "--config", str(stage.center_config), "--room", ADDRESS)
    assert printed.returncode == 0, printed.stderr
    found = re.search(r"([A-Z2-7]{5}-){5}[A-Z2-7]\.([A-Z2-7]{4}-){7}[A-Z2-7]{4}", printed.stdout)
    assert found is not None
    done = stage.wutong("enroll", "--profile", str(stage.profile), "--code", found[0])
    assert done.returncode == 0, done.stderr
    fingerprint = re.compile(r"([0-9a-f]{8} ){3}[0-9a-f]{8}")
    assert fingerprint.search(done.stdout)[0] == fingerprint.search(printed.stdout)[0]  # type: ignore[index]
    used = stage.wutong("enroll", "--profile", str(stage.profile), "--code", found[0])
    assert used.returncode == 2
    assert "was used" in used.stderr

    until(lambda: checkpoints.last_witnessed(HEARING))
    until(lambda: alarms() == [("not-enrolled", False)])
    say("close", 20)
    spans = {"from_ns": 10 * S, "to_ns": 20 * S}
    media = {
        "index": 0,
        "file": "bench/00000.mp4",
        "bytes": 5,
        "sha256": "0" * 64,
        "sm3": "0" * 64,
        "mime": "video/mp4",
    }
    say("segment", 21, track="bench", fragments=1, **media, **spans)
    until(lambda: (last := checkpoints.last(HEARING)) is not None and last.seal and last.witnessed and last.token)

    # By the rules of the verifier: leaves, seal, tree, both signatures, the third party's time.
    events = log.of_hearing(HEARING)
    digests = [leaf_hash(leaf_of(event)) for event in events]
    seal = check(events, digests)
    assert seal is not None
    last = checkpoints.last(HEARING)
    assert last is not None
    assert last.size == seal.leaves + 1 == len(events)
    read = note.read_note(last.best)
    head = Checkpoint.from_text(read.text)
    assert (head.root, head.last_number) == (root_of(digests), events[-1].number)
    assert note.signed_by(read, note.Verifier(ADDRESS, load_key(layout.device_key).public_key())) == 0
    center = center_key(layout)
    assert center is not None
    assert note.signed_by(read, note.Verifier(CENTER, center, note.COSIGNATURE)) is not None
    roots = token.read_roots(stage.authority.root_pem)
    assert token.verify(layout.token(HEARING).read_bytes(), read.text, roots)

    # What people see, at both ends.
    with signed_in(stage.center_url, stage.center_data, "inspector") as http:

        def at_center() -> Any:
            shown = http.get(f"/api/hearings/{HEARING}").json()
            return shown if shown["integrity"]["stamped"] else None

        shown = until(at_center)
        assert shown["sealed"]["root"] == seal.root.hex()
        assert shown["integrity"]["witnessed_leaves"] == last.size
    with signed_in(stage.panel_url, layout.data, "clerk") as http:
        state = until(lambda: (s := http.get("/api/state").json())["integrity"]["stamped"] and s)
        assert state["hearing"]["sealed"]["root"] == seal.root.hex()
        assert state["integrity"] | {"witnessed_utc_ms": 0} == {
            "enrolled": True, "witnessed_leaves": last.size, "witnessed_utc_ms": 0, "refused": None, "stamped": True,
        }  # fmt: skip
    listed = stage.wutong("enroll", "--config", str(stage.center_config), "--list")
    assert ADDRESS in listed.stdout
    log.close()
    checkpoints.close()
