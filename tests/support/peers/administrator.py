"""Somebody who manages the rooms of a center that runs in this process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from server.center import Center
from server.people.acting import CENTER
from server.people.court_tree import Court
from server.people.person import PersonForm, Post
from tests.support.peers.tls_center import TlsCenter


class Administrator:
    """Their browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(self, method: str, path: str, *, status: int = 200, **more: Any) -> Any:
        """The answer's JSON; it has this status."""
        answer = await self.http.request(method, f"/api/admin{path}", **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json()

    async def add_room(self, court: str, room: str, name: str = "第九法庭") -> Any:
        """A room of a court."""
        return await self.ask("POST", "/rooms", json={"court": court, "room": room, "room_name": name})


async def signed_in(center: Center, *posts: str, courts: Sequence[str] = ("court1", "court9")) -> dict[str, str]:
    """What the browser of somebody holds who has signed in in the first of these posts, written `role@court`; the
    center knows the courts afterwards."""
    for slug in courts:
        if slug not in center.persons.known.tree.courts:
            await center.persons.courts.add(Court(slug, f"{slug}法院", "", None), CENTER)
    held = tuple(Post(*post.split("@")) for post in posts)
    name = f"{posts[0].partition('@')[0]}-{len(center.persons.known.everybody())}"
    person = await center.persons.store.add(PersonForm(name, "管理员", held[0].court, held), CENTER)
    token, _ = center.access._people.open_person(held[0].role, person.name, person.id, held[0].court)
    return {"Cookie": f"{center.access._cookie}={token}"}


@contextlib.asynccontextmanager
async def administrator(served: TlsCenter, *posts: str) -> AsyncIterator[Administrator]:
    """At a center that serves HTTPS, in these posts."""
    async with served.http(None, await signed_in(served.center, *posts)) as http:
        yield Administrator(http)
