"""The room's profile as the center keeps it: told once after each start, without secrets (`hardware.profile_text`).

A center that knows no such question is asked again a day later; one that is away, or refuses, in ever longer turns.
Nothing in the room waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Self

import httpx
import structlog

from sync.room.paths import RoomPaths

log = structlog.get_logger(__name__)

ROUTE = "/api/rooms/profile"
AGAIN_S = 20.0
MOST_S = 3600.0
DAY_S = 24 * 3600.0
_UNKNOWN = (404, 405)


class ProfileTeller:
    """Tells one text; `is_ready` says whether the room can show who it is."""

    def __init__(self, http: httpx.AsyncClient, text: str, is_ready: Callable[[], bool]) -> None:
        self._http = http
        self._text = text
        self._is_ready = is_ready

    @classmethod
    def of(cls, http: httpx.AsyncClient | None, text: str, layout: RoomPaths) -> Self | None:
        """For a room with a center and a text; it shows the certificate that it got there."""
        return None if http is None or not text else cls(http, text, layout.tls_certificate.exists)

    async def run(self) -> None:
        """Until it is told."""
        wait_s = AGAIN_S
        while True:
            if self._is_ready():
                answer_s = await self.tell()
                if answer_s is None:
                    return
                wait_s = answer_s or min(wait_s * 2, MOST_S)
            await asyncio.sleep(wait_s)

    async def tell(self) -> float | None:
        """Once: None when it is told, else after how many seconds to try again; 0.0: later than last time."""
        body = {"profile": self._text, "sha256": hashlib.sha256(self._text.encode()).hexdigest()}
        try:
            answer = await self._http.post(ROUTE, json=body, headers={"X-Wutong": "1"})
        except httpx.HTTPError:
            return 0.0
        if answer.status_code == 200:
            log.info("profile_told", bytes=len(self._text.encode()))
            return None
        if answer.status_code in _UNKNOWN:
            return DAY_S
        log.warning("profile_not_taken", status=answer.status_code, next="it is told again later")
        return 0.0
