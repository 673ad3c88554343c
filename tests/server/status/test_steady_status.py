"""A status is never the same twice: what runs by itself is no change, and what is wrong always is one."""

from __future__ import annotations

import copy
import json
import typing
from typing import Any

import pytest

from server.config import RoomEntry
from server.live import tab_messages
from server.rooms import KnownRoom, Rooms
from server.status.steady_status import COUNTERS, without_counters
from sync.room.messages import RecorderStatus

ROOM = "court1/c03"
RECORDER: dict[str, Any] = {
    "at_ns": 1,
    "tracks": [
        {
            "id": "bench",
            "kind": "video",
            "name": "审判席",
            "mime": "video/mp4",
            "state": "running",
            "kept": True,
            "kept_bytes": 1,
            "last_fragment_ns": 1,
            "restarts": 0,
            "why": None,
            "fps": 25.0,
            "key_s": 1.0,
        }
    ],
    "hearing": "h1",
    "disk": {"free_bytes": 1, "hours_left": 1.0, "longest_wait_ms": 1.0},
    "clock": {"source": "chrony", "error_ms": 1.0},
    "copy": {"target": "b", "pending_files": 1, "pending_bytes": 1, "why": None},
    "readback": {"checked": 1, "longest_s": 1.0},
    "alarms": [],
}


def status(recorder: Any = RECORDER, **more: Any) -> bytes:
    case = {"case_no": "1", "public": True}
    hearing = {"id": "h1", "state": "open", "pause": None, "case": case, "opened_utc_ns": 1}
    return json.dumps({"online": True, "room_ns": 1, "hearing": hearing, "recorder": recorder, **more}).encode()


def watched_room() -> tuple[Rooms, list[KnownRoom]]:
    told: list[KnownRoom] = []
    rooms = Rooms([RoomEntry(court="court1", room="c03", token_sha256="0" * 64)])
    rooms.changed.add(told.append)
    return rooms, told


def fields(kind: Any, prefix: str = "") -> set[str]:
    """Every field of a TypedDict, and of those within it, by its path."""
    found = set()
    for name, hint in typing.get_type_hints(kind).items():
        inner = [one for one in (hint, *typing.get_args(hint)) if hasattr(one, "__total__")]
        found |= {prefix + name} | {path for one in inner for path in fields(one, f"{prefix}{name}.")}
    return found


def test_every_field_of_a_recorder_is_a_counter_or_is_told() -> None:
    told = fields(tab_messages.SteadyRecorder)
    counted = {path for path in fields(RecorderStatus) if path in COUNTERS or path.split(".")[0] in COUNTERS}
    assert told.isdisjoint(counted)
    assert told | counted == fields(RecorderStatus), "a new field is named a counter, or what screens are told"


@pytest.mark.parametrize("counter", sorted(COUNTERS))
def test_a_counter_that_runs_is_no_change_and_is_there_for_who_asks(counter: str) -> None:
    rooms, told = watched_room()
    rooms.status(ROOM, status())
    later = copy.deepcopy(RECORDER)
    field, _, name = counter.partition(".")
    value = {"free_bytes": 2} if field == "disk" else {"checked": 2} if field == "readback" else 2
    if not name:
        later[field] = value
    else:
        for one in later[field] if isinstance(later[field], list) else [later[field]]:
            one[name] = value
    rooms.status(ROOM, status(later))
    assert len(told) == 1
    shown = rooms.states[ROOM].to_screen()
    assert shown["recorder"] != without_counters(RECORDER)
    assert "disk" in shown["recorder"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tracks", 0, "state"), "failed"),
        (("tracks", 0, "kept"), False),
        (("tracks", 0, "why"), "gone"),
        (("tracks", 0, "restarts"), 1),
        (("tracks",), []),
        (("hearing",), None),
        (("clock", "source"), "free-running"),
        (("copy",), None),
        (("copy", "why"), "full"),
        (("alarms",), [{"code": "disk", "subject": "", "text": "x", "since_ns": 1}]),
        (("unheard_of",), 1),
    ],
)
def test_what_is_wrong_or_runs_otherwise_is_a_change(path: tuple[Any, ...], value: Any) -> None:
    rooms, told = watched_room()
    rooms.status(ROOM, status())
    later = copy.deepcopy(RECORDER)
    within: Any = later
    for step in path[:-1]:
        within = within[step]
    within[path[-1]] = value
    rooms.status(ROOM, status(later))
    assert len(told) == 2


def test_a_hearing_that_is_public_in_another_word_is_a_change() -> None:
    """`1` is not `true`: a case that says it is not tried in public any more."""
    rooms, told = watched_room()
    rooms.status(ROOM, status())
    hearing = json.loads(status())["hearing"]
    hearing["case"]["public"] = 1
    rooms.status(ROOM, status(hearing=hearing))
    assert len(told) == 2


@pytest.mark.parametrize(
    "recorder",
    [
        {},
        {"tracks": 5, "clock": [], "copy": "x", "disk": None},
        {"tracks": [[], None, {"kept_bytes": {"a_ns": 2**62}}], "clock": [{"error_ms": 1}]},
        {"tracks": {"kept_bytes": 1}, "copy": [1, {"pending_files": 1, "why": "x"}]},
    ],
)
def test_a_recorder_of_any_form_is_shown_without_its_counters(recorder: dict[str, Any]) -> None:
    rooms, told = watched_room()
    rooms.status(ROOM, status(recorder))
    rooms.status(ROOM, status(recorder))
    assert len(told) == 1
    for counters in (True, False):
        json.dumps(told[0].to_screen(counters=counters), allow_nan=False)
    assert "kept_bytes" not in json.dumps(told[0].to_screen(counters=False))


def test_only_who_has_fallen_silent_is_looked_at() -> None:
    now = [0.0]
    entries = [RoomEntry(court="court1", room=f"c{n}", token_sha256=f"{n:064}") for n in range(300)]
    rooms = Rooms(entries, monotonic_s=lambda: now[0])
    for n in range(300):
        now[0] = n / 100
        rooms.status(f"court1/c{n}", status())
    told: list[str] = []
    rooms.changed.add(lambda room: told.append(room.address))
    now[0] = 10.0
    rooms.status("court1/c0", status(room_ns=2))  # it was the first to speak, and is the last now
    now[0] = 15.5
    rooms.poll()
    silent = [f"court1/c{n}" for n in range(1, 50)]
    assert told == silent
    assert not rooms.states["court1/c49"].online
    assert rooms.states["court1/c0"].online
    assert len(rooms._online) == 300 - len(silent), "who is away is not asked again"
    now[0] = 100.0
    rooms.poll()
    rooms.poll()
    assert len(told) == 300
    rooms.status("court1/c7", status(room_ns=3))
    rooms.status("court1/c7", b'{"online": false}')
    assert not rooms._online
