"""How guesses at persons are slowed down, and by whom: by the browser where its person is known there, else by login.

Promises: whoever guesses at a login from browsers that nobody has signed in with delays such browsers alone; the one
that its person always uses waits for its own mistakes only. Guesses at many logins from one address are counted by the
address; a whole court behind one address is not shut out by one who has forgotten a password. Second factors are
counted by person: only who has shown the first one gets there. Few are looked at at a time, those of known browsers
beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable

from fastapi import Request, Response

from server.access.audit import address_of
from server.factors.guess_limit import GuessLimit
from server.factors.known_browsers import KnownBrowsers
from sync.errors import AccessError
from sync.http.rights.cookies import cookie
from sync.http.wire.connection import neighborhood

MOST_WAITING = 4
"""Guesses by one key that are looked at or wait for it."""
ADDRESS_FREE = 50
_KNOWN_S = 180 * 24 * 3600


class GuessKeys:
    """By what one attempt is counted."""

    def __init__(self, login: str, browser: str, address: str) -> None:
        self.login, self.browser, self.address = f"login {login}", browser, f"address {neighborhood(address)}"

    @property
    def main(self) -> str:
        """Where the attempt waits."""
        return self.browser or self.login


class Guesses:
    """Counts what was wrong, and knows browsers."""

    def __init__(
        self, known: KnownBrowsers, name: str, *, secure: bool, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`name`: of this server's cookies."""
        self._known = known
        self._name = ("__Host-" if secure else "") + f"wutong_{name}_browser"
        self._secure = secure
        self._by_who = GuessLimit(now_s=now_s)
        self._by_address = GuessLimit(free=ADDRESS_FREE, now_s=now_s)
        self._strangers = asyncio.Semaphore(2)
        self._regulars = asyncio.Semaphore(1)
        self._waiting: Counter[str] = Counter()

    def keys(self, request: Request, login: str, person: str) -> GuessKeys:
        """`person`: whose login it is, empty for nobody's."""
        browser = self._known.key_for(cookie(request.headers, self._name), person) if person else ""
        return GuessKeys(login, browser, address_of(request))

    @contextlib.asynccontextmanager
    async def turn(self, keys: GuessKeys) -> AsyncIterator[None]:
        """The turn of one attempt; an `AccessError` out of the block counts as wrong, unless somebody else was away.
        `AccessError` "throttled"."""
        self._check(keys)
        if self._waiting[keys.main] >= MOST_WAITING:
            raise AccessError("登录尝试过多，请稍后再试 (too many attempts at once; wait)", code="throttled")
        self._waiting[keys.main] += 1
        try:
            async with self._regulars if keys.browser else self._strangers:
                self._check(keys)
                yield
        except AccessError as error:
            if error.code in ("password", "code"):
                self._by_who.failed(keys.main)
                if not keys.browser:
                    self._by_address.failed(keys.address)
            raise
        finally:
            self._waiting[keys.main] -= 1
            if not self._waiting[keys.main]:
                del self._waiting[keys.main]
        self._by_who.succeeded(keys.main)

    def _check(self, keys: GuessKeys) -> None:
        self._by_who.check(keys.main)
        if not keys.browser:
            self._by_address.check(keys.address)

    @contextlib.asynccontextmanager
    async def factor_turn(self, person: str) -> AsyncIterator[None]:
        """The turn of a second factor; an `AccessError` out of the block counts as wrong."""
        key = f"factor {person}"
        self._by_who.check(key)
        # Counted before it is judged, so that many at once are no more guesses than one after the other.
        self._by_who.failed(key)
        yield
        self._by_who.succeeded(key)

    def know(self, request: Request, response: Response, person: str) -> None:
        """Somebody has signed in in this browser."""
        value = self._known.with_person(cookie(request.headers, self._name), person)
        response.set_cookie(
            self._name, value, max_age=_KNOWN_S, httponly=True, samesite="strict", path="/", secure=self._secure
        )
