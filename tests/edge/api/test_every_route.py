"""Whatever anybody asks any route of a room, the answer is one, in time, and says nothing of how it is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.service import assemble
from tests.support.peers.route_walk import ask, requests
from tests.support.rooms.edge_room import Room

NAMES = {"exhibit": "e1", "page": "1", "line": "u1", "kind": "pdf", "name": "names"}
SIGN_OUT = ("DELETE", "/api/session")


@pytest.mark.parametrize("role", ["clerk", "stranger"])
@pytest.mark.parametrize("hearing", [False, True])
async def test_no_request_of_anybody_makes_an_answer_of_another_form(
    room: Room, tmp_path: Path, role: str, hearing: bool
) -> None:
    # The routes are read from an app of its own: the one that serves is inside the service.
    storage = room.profile.storage.model_copy(update={"data": tmp_path / "other"})
    described = assemble(room.profile.model_copy(update={"storage": storage}))
    if hearing:
        await room.open()
    http = room.clerk if role == "clerk" else room.stranger
    wrong: list[str] = []
    routes = set()
    try:
        for asked in requests(described.app, NAMES, 8, first=2 + hearing):
            if asked.route == SIGN_OUT:
                continue
            routes.add(asked.route)
            if words := await ask(http, asked):
                wrong.append(f"{asked.method} {asked.path[:200]} {str(asked.more)[:300]}: {words}")
    finally:
        described.close()
    assert wrong == []
    assert len(routes) > 35
