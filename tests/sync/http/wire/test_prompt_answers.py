"""An answer leaves at once: none of its pieces waits in the system for the peer's word that it has the one before."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from sync.http.rights.rules import public
from sync.http.serve import new_app, serving
from sync.http.wire.connection import GuardedConnection


async def test_the_system_holds_no_piece_of_an_answer_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    made = GuardedConnection.connection_made

    def connection_made(self: GuardedConnection, transport: Any) -> None:
        line = transport.get_extra_info("socket")
        seen.append(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    monkeypatch.setattr(GuardedConnection, "connection_made", connection_made)
    app = new_app("prompt")

    @app.get("/api/here")
    @public()
    async def here() -> dict[str, str]:
        return {}

    async with serving(app, "127.0.0.1", 0) as port, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"http://127.0.0.1:{port}/api/here")).status_code == 200
    assert seen == [1]
