"""The gate of a server that programs alone ask: nobody signs in there, and what is refused is in its log.

Promises: a route that does not declare a machine's rule does not exist; host, rule and body are judged before a route
sees anything, and every answer carries the headers, as at the servers for people (`sync.http.rights.access`). Each
refusal is a line of the log, those of one address beyond the first ten in a minute one count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import structlog
from fastapi import APIRouter, FastAPI, Request, WebSocket

from sync.errors import AccessError, WutongError
from sync.http import answers
from sync.http.answers import CODE
from sync.http.audit.outcomes import Outcome
from sync.http.audit.refusals import RefusalCounter
from sync.http.rights.gate import AccessGate
from sync.http.rights.origins import Origins
from sync.http.rights.rules import Rule

log = structlog.get_logger(__name__)

_REFUSALS = frozenset({401, 403, 413, 421, 429, 503, 507})


class MachineDoor:
    """A `Doorman`. All methods belong to one event loop."""

    def __init__(self, *, secure: bool, origins: Origins | None, now_s: Callable[[], float] = time.monotonic) -> None:
        """`secure`: it is reached by https. `origins`: by which names it is asked; None: by any, as a server whose own
        names nobody has told it, and which asks each for a token."""
        self._secure = secure
        self._origins = origins
        self._refusals = RefusalCounter(now_s)

    @classmethod
    def at(cls, host: str, names: Collection[str], *, secure: bool, asks_for_token: bool) -> MachineDoor:
        """The door of a server that listens at `host` and whose certificate says `names`.

        Without a certificate, and with one for all names of a domain, nobody has told it its own; but where no token is
        asked for, a page of another site that has its own name point here is not to ask, either.
        """
        unknown = not names or any(name.startswith("*") for name in names)
        origins = None if unknown and asks_for_token else Origins(setting="--certificate", names=[host, *names])
        return cls(secure=secure, origins=origins)

    def install(self, app: FastAPI) -> None:
        """Put the gate before `app`."""
        answers.install(app)
        app.add_middleware(AccessGate, access=self, routes_of=app)

    @staticmethod
    def include(app: FastAPI, router: APIRouter) -> None:
        """Add a router's routes to the app itself, where the gate sees them."""
        app.router.routes.extend(router.routes)

    @property
    def secure(self) -> bool:
        """Whether it is reached by https."""
        return self._secure

    async def admit(self, rule: Rule | None, request: Request | WebSocket) -> None:
        """Check one request against the rule of its route; `AccessError` to refuse."""
        if rule is None or rule.machine is None or not isinstance(request, Request):
            raise AccessError("this address is not open to anybody", code="undeclared")
        host = request.headers.get("host")
        if self._origins is not None and not self._origins.serves(host):
            raise WutongError(self._origins.host_refusal(host), code="host")
        await rule.machine(request)

    async def tell(self, request: Request | WebSocket, status: int) -> Outcome | None:
        """Log what is about to be refused."""
        if status in _REFUSALS:
            address = request.client.host if request.client else "?"
            method = request.scope.get("method", "WS")
            self.note(address, f"{request.scope.get(CODE) or status} {method} {request.url.path}"[:200])
        return None

    def note(self, address: str, detail: str) -> None:
        """Log a refusal; `detail` begins with its code."""
        self.flush(now=False)
        if not self._refusals.counts(address, detail):
            log.warning("refused", address=address, detail=detail)

    def flush(self, *, now: bool = True) -> None:
        """Log the counts of the minute that is over, or of what there is `now`."""
        for address, detail in self._refusals.due(now=now):
            log.warning("refused", address=address, detail=detail)

    async def catch_up(self, request: Request) -> None:
        """There are no rights of people here."""

    def closed(self, outcome: Outcome) -> None:
        """There are no WebSockets here."""
