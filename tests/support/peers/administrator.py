"""Somebody who manages the rooms of a center that runs in this process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx

from server.center import Center
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


def cookie_of(center: Center, role: str = "administrator", name: str = "管理员") -> dict[str, str]:
    """What the browser of somebody holds who has signed in in this role."""
    token, _ = center.access._people.let_in(role, name, f"test-{role}", time.time() + 3600)
    return {"Cookie": f"{center.access._cookie}={token}"}


@contextlib.asynccontextmanager
async def administrator(served: TlsCenter, role: str = "administrator") -> AsyncIterator[Administrator]:
    """At a center that serves HTTPS."""
    async with served.http(None, cookie_of(served.center, role)) as http:
        yield Administrator(http)
