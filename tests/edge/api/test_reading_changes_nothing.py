"""Every GET of a room leaves the room as it was: its files, its database and its events.

But for two things, which are what they are for: the events by which the room's audit says who looked, and the larger
picture of a page (`1@2.jpg`), which is drawn when somebody zooms in and kept so that it is drawn once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from edge.service import assemble
from tests.support.files import databases
from tests.support.files.evidence_files import pdf
from tests.support.peers.route_walk import ask, requests
from tests.support.rooms.edge_room import Room, until

PAGES = 2
_NOT_THE_AUDIT = {
    "event": " WHERE kind != 'access'",
    "outbox": " WHERE number NOT IN (SELECT number FROM event WHERE kind = 'access')",
}


def files(room: Room) -> dict[str, str]:
    """What lies in the room's folder: name -> SHA-256. What SQLite keeps of one file is looked at as a database."""
    data = room.layout.data
    return {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.suffix not in (".db", ".db-wal", ".db-shm") and not path.match("pages/*/*@2.jpg")
    }


def rows(room: Room) -> dict[str, list[Any]]:
    """Every table of every database, without the audit's events and their places in the outbox."""
    found: dict[str, list[Any]] = {}
    for path in sorted(room.layout.data.glob("*.db")):
        names = databases.rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for (name,) in names:
            where = _NOT_THE_AUDIT.get(name, "")
            if name != "sqlite_sequence":
                found[f"{path.name}: {name}"] = databases.rows(path, f"SELECT * FROM {name}{where}")
    return found


def signed_until(room: Room) -> int:
    """The number of the last event that a signed checkpoint is over; the notary signs some seconds behind it."""
    notes = databases.rows(room.layout.log, "SELECT note FROM checkpoint")
    return max(
        (int(line[5:]) for (note,) in notes for line in note.splitlines() if line.startswith("last ")), default=0
    )


def last_of_hearings(room: Room) -> int:
    """The number of the last event of any hearing."""
    ((last,),) = databases.rows(
        room.layout.log, "SELECT coalesce(max(number), 0) FROM event WHERE kind != 'access' AND hearing IS NOT NULL"
    )
    return int(last)


@pytest.mark.parametrize("state", ["none", "closed"])
async def test_no_get_of_anybody_changes_anything_in_the_room(room: Room, tmp_path: Path, state: str) -> None:
    names = {"exhibit": "e1", "page": "1", "line": "u1", "kind": "pdf", "name": "names"}
    if state != "none":
        await room.open()
        added = await room.add("借条.pdf", pdf(PAGES))
        assert added.status_code == 200, added.text
        names["exhibit"] = added.json()["id"]
        shown = {"exhibit": names["exhibit"], "page": 1, "zoom": 1, "x": 0.5, "y": 0.5}
        assert (await room.clerk.put("/api/presentation", json=shown)).is_success
        await room.until_state(lambda now: now["hearing"]["exhibits"][0]["drawn"] == PAGES)
    if state == "closed":
        assert (await room.clerk.post("/api/hearing/close")).is_success
        await until(lambda: signed_until(room) >= last_of_hearings(room) > 0, 60)
    storage = room.profile.storage.model_copy(update={"data": tmp_path / "other"})
    described = assemble(room.profile.model_copy(update={"storage": storage}))
    try:
        asked = [one for one in requests(described.app, names, 2) if one.route[0] == "GET"]
    finally:
        described.close()
    before = await settled(room)
    good: set[str] = set()
    for one in asked:
        assert await ask(room.stranger, one) == ""
        if (await room.clerk.get(one.path, params=one.more.get("params"))).is_success:
            good.add(one.route[1])
    display = await room.stranger.get("/display", params={"token": room.token})
    assert display.is_success
    after = files(room), rows(room)
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert len({one.route for one in asked}) > 12
    assert len(good) > (4 if state == "none" else 7), good


async def settled(room: Room) -> tuple[dict[str, str], dict[str, list[Any]]]:
    """The room when nothing that runs by itself (the notary, the pages' pictures) has anything left to do."""
    same = 0
    seen = files(room), rows(room)

    def quiet() -> bool:
        nonlocal seen, same
        now = files(room), rows(room)
        same = same + 1 if now == seen else 0
        seen = now
        return same > 10

    await until(quiet, 60)
    return seen
