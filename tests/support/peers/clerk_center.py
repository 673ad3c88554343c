"""A center that knows a few clerks and nothing else: it answers what a room's panel asks, signed by its own key."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import AccessError
from sync.http import answers
from sync.http.rights.rules import public
from sync.http.serve import new_app, serving
from sync.ledger.keys import CENTER, public_pem
from sync.ledger.messages.signed_message import sign_text
from sync.room.paths import RoomPaths

ROOM = "jianshan/c03"
TWO = {"lin": ("00000000000000a1", "林书记"), "zhou": ("00000000000000b2", "周书记")}
"""login -> (id, name)"""
LIN, ZHOU = "00000000000000a1", "00000000000000b2"
PASSWORD = "correct horse"


@dataclass
class ClerkCenter:
    """Change what it does while it runs."""

    people: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {"lin": (LIN, "林书记"), "zhou": (ZHOU, "周书记")}
    )
    """login -> (id, name)"""
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    lasts_s: float = 3600.0
    totp: str = ""
    """Not empty: asked for after the password."""
    gone: list[str] = field(default_factory=list)
    asked: int = 0
    port: int = 0

    def signed(self, person: str, name: str, *, room: str = ROOM, made_s: float | None = None) -> dict[str, str]:
        """The center's word for somebody."""
        made_ns = int((time.time() if made_s is None else made_s) * 1e9)
        until_ns = made_ns + int(self.lasts_s * 1e9)
        said = {"person": person, "login": name, "name": name, "role": "clerk", "court": room.partition("/")[0]}
        said |= {"room": room}
        text = json.dumps({**said, "until_utc_ms": until_ns // 1_000_000}, ensure_ascii=False)
        return {"note": sign_text("clerk", room, [made_ns, until_ns], text, CENTER, self.key), "clerk": text}

    def enroll(self, layout: RoomPaths) -> None:
        """Make a room believe this center."""
        layout.center_key.parent.mkdir(parents=True, exist_ok=True)
        layout.center_key.write_bytes(public_pem(self.key.public_key()))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Serve until the block ends, or what it gives is called: it is away from then on."""
        app = new_app("a center")
        answers.install(app)

        @app.get("/api/session")
        @public()
        async def session() -> dict[str, str]:
            return {}

        @app.post("/api/rooms/clerk-sign-in")
        @public()
        async def sign_in(body: dict[str, str]) -> dict[str, Any]:
            self.asked += 1
            person, name = self.people.get(body["login"], ("", ""))
            if not person or body["password"] != PASSWORD:
                raise AccessError("帐号或密码不正确 (wrong account or password)", code="password")
            if self.totp and body["totp"] != self.totp:
                raise AccessError("请输入验证码 (enter the code of your app)", code="second-factor")
            return {"person": person, "name": name, "signed": self.signed(person, name)}

        @app.post("/api/rooms/clerk-standing")
        @public()
        async def standing(body: dict[str, list[str]]) -> dict[str, list[str]]:
            return {"gone": [one for one in body["persons"] if one in self.gone]}

        async with contextlib.AsyncExitStack() as stack:
            self.port = await stack.enter_async_context(serving(app, "127.0.0.1", self.port))
            yield stack.aclose
