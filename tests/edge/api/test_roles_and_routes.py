"""Every role on every route of a room, by the status that it gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import websockets

from tests.edge.api.test_edge_access import CLERK, MACHINE, PUBLIC, TABLE
from tests.support.rooms.edge_room import Room

TOKEN = "token-of-the-court-0123456789abcdef"
NAMES = {"{exhibit}": "x", "{page}": "1", "{line}": "u1", "{kind}": "docx", "{name}": "n", "{part}": "p"}
MINE = {"clerk": CLERK, "court systems": MACHINE}
"""Which routes are somebody's alone; those for the public are everybody's."""


def path_of(route: str) -> str:
    for name, value in NAMES.items():
        route = route.replace(name, value)
    return route.replace("{rest:path}", "x").replace("{path:path}", "x.js")


@pytest_asyncio.fixture
async def served(tmp_path: Path, people: tuple[Path, str]) -> AsyncIterator[Room]:
    """A room that a court's own systems may ask, too."""
    room = Room(tmp_path, *people)
    file = tmp_path / "api-token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    panel = room.profile.panel.model_copy(update={"api_token_file": file})
    room.profile = room.profile.model_copy(update={"panel": panel})
    async with room:
        yield room


@pytest.mark.parametrize("role", ["stranger", "display", "court systems", "clerk"])
async def test_each_role_gets_what_is_declared_for_it_and_nothing_else(served: Room, role: str) -> None:
    """What is somebody's is answered by what it says (409 without a hearing, 422 without a body), never by 401 or 403;
    what is not is answered by nothing else."""
    headers = {"X-Wutong": "1"}
    if role == "court systems":
        headers["Authorization"] = f"Bearer {TOKEN}"
    if role == "display":
        # Whoever has the display's address has its token everywhere: it opens the display's two routes alone.
        headers["Authorization"] = f"Bearer {served.token}"
    params = {"token": served.token} if role == "display" else {}
    walked = 0
    async with httpx.AsyncClient(base_url=served.base, headers=headers, trust_env=False, timeout=30) as http:
        who = served.clerk if role == "clerk" else http
        # Who signs out has no rights any more: that comes last.
        for (method, route), owner in sorted(TABLE.items(), key=lambda row: row[0] == ("DELETE", "/api/session")):
            if method == "WS":
                continue
            walked += 1
            answer = await who.request(method, path_of(route), params=params, json=[])
            said = (role, method, route, answer.status_code, answer.text[:200])
            if route == "/api/display/page":
                # Without a presentation, whose token is right hears that there is none; everybody else is refused.
                assert answer.status_code == 422, said
                shown = await who.get("/api/display/page", params={**params, "of": "x", "page": 1})
                wanted = (404, "not-found") if role == "display" else (401, "token")
                assert (shown.status_code, shown.json()["code"]) == wanted, said
            elif owner == PUBLIC or MINE.get(role) == owner:
                assert answer.status_code not in (403, 500), said
                if route != "/api/session":  # who has no session, or a wrong code, hears so there
                    assert answer.status_code != 401, said
            else:
                assert (answer.status_code, answer.json()["code"]) in ((401, "signed-out"), (401, "token")), said
    assert walked == sum(method != "WS" for method, _ in TABLE)


@pytest.mark.parametrize(
    ("path", "cookies", "opens"),
    [
        ("/api/live", True, True),
        ("/api/live", False, False),
        ("/api/live?token={token}", False, False),
        ("/api/display?token={token}", False, True),
        ("/api/display", True, False),
        ("/api/display?token=x", True, False),
    ],
)
async def test_each_socket_opens_to_whom_it_is_for(served: Room, path: str, cookies: bool, opens: bool) -> None:
    connecting = served.socket(path.format(token=served.token), cookies=cookies)
    if opens:
        async with connecting as ws:
            assert await ws.recv()
        return
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connecting
    assert refused.value.response.status_code == 403
