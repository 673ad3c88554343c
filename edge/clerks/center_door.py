"""How the room asks its center who somebody is: one request by the room's own certificate, believed by its signature.

Promises: the password goes to the center over TLS and nowhere else, is written nowhere and kept by nobody here. What
the center refuses is said in its own words and by its code. `CenterError` "center-away" says that it cannot be asked;
"no-persons", that it knows no persons (a center of an earlier version).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import httpx
from pydantic import BaseModel, Field, ValidationError

from edge.clerks.known_clerk import ClerkSaid, KnownClerk, read_clerk
from sync.errors import AccessError, CenterError, LedgerError
from sync.ledger.note import Verifier
from sync.tls.identity import TlsIdentity
from sync.uplink.trust.certificate import ask_for_center

PATH = "/api/rooms/clerk-sign-in"
STANDING_PATH = "/api/rooms/clerk-standing"
TIMEOUT = httpx.Timeout(12, connect=3)
_MOST_BYTES = 64 * 1024


class _Refusal(BaseModel):
    code: str = Field(max_length=40)
    message: str = Field(max_length=1000)


class _Standing(BaseModel):
    gone: list[str] = Field(max_length=64)


class CenterDoor:
    """All methods belong to one event loop."""

    def __init__(
        self,
        url: str,
        room: str,
        verifiers: Callable[[], Sequence[Verifier]],
        now_s: Callable[[], float],
        *,
        identity: TlsIdentity | None = None,
        token: str = "",
    ) -> None:
        """`identity` shows the room's certificate; `token` is the old way."""
        self._room = room
        self._verifiers = verifiers
        self._now_s = now_s
        self._identity = identity
        headers = {"X-Wutong": "1"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=TIMEOUT,
            trust_env=False,
            verify=True if identity is None else identity.context,
            event_hooks={"request": [ask_for_center]},
        )

    async def close(self) -> None:
        """Ask nothing more."""
        await self._http.aclose()

    async def ask(self, login: str, password: str, totp: str) -> KnownClerk:
        """Who that is; `AccessError` with the center's code, or `CenterError` "center-away" or "no-persons"."""
        answer = await self._post(PATH, {"login": login, "password": password, "totp": totp})
        try:
            said = ClerkSaid.model_validate_json(answer.content)
            return read_clerk(said.signed, self._room, self._verifiers(), self._now_s())
        except (ValidationError, LedgerError) as error:
            raise CenterError(
                f"中心的答复无法确认：{error} (the center's answer is not believed; compare the clocks)",
                code="center-unbelieved",
            ) from error

    async def gone(self, persons: Sequence[str]) -> list[str]:
        """Which of these may have no panel here any more, by what the center knows now; errors as of `ask`."""
        answer = await self._post(STANDING_PATH, {"persons": list(persons)})
        try:
            return _Standing.model_validate_json(answer.content).gone
        except ValidationError as error:
            raise CenterError("the center's answer cannot be read", code="center-unbelieved") from error

    async def is_away(self) -> bool:
        """Whether the center cannot be reached now."""
        try:
            await self._send("GET", "/api/session", None)
        except CenterError:
            return True
        return False

    async def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        answer = await self._send("POST", path, body)
        if answer.status_code == 200:
            return answer
        if answer.status_code in (404, 405):
            raise CenterError("中心尚不认识个人帐号 (this center knows no persons yet)", code="no-persons")
        try:
            refusal = _Refusal.model_validate_json(answer.content)
        except ValidationError:
            raise _away(f"HTTP {answer.status_code}") from None
        if answer.status_code >= 500:
            raise CenterError(refusal.message, code=refusal.code)
        raise AccessError(refusal.message, code=refusal.code)

    async def _send(self, method: str, path: str, body: dict[str, object] | None) -> httpx.Response:
        if self._identity is not None and self._identity.is_outdated:
            await asyncio.to_thread(self._identity.follow)
        try:
            async with self._http.stream(method, path, json=body) as answer:
                content = b""
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > _MOST_BYTES:
                        raise _away("the answer is larger than any honest one")
                return httpx.Response(answer.status_code, content=content)
        except httpx.HTTPError as error:
            raise _away(str(error) or type(error).__name__) from error


def _away(why: str) -> CenterError:
    return CenterError(
        f"中心暂时无法连接，录制不受影响 (the center cannot be reached; recording is not affected): {why}",
        code="center-away",
    )
