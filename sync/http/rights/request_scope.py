"""What the gate knows of a request, in its scope, and what is told of it when it is answered."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Protocol

from fastapi import Request, WebSocket

from sync.errors import WutongError
from sync.http.answers import CODE
from sync.http.audit.outcomes import WEBSOCKET, Outcome

SESSION = "wutong_session"
"""Who asks, where they are signed in."""
ACTOR = "wutong_actor"
"""Under whose name it is noted, where a machine does what people do."""
RULE = "wutong_rule"
TEMPLATE = "wutong_template"
"""Of the route's path."""
PARAMS = "wutong_params"
"""What stands for the names in it."""
ADDED = "wutong_added"
"""What the route adds to what is noted."""
REFUSED = "wutong_refused"
"""Whether the gate itself refused."""
STILL = "wutong_still"
"""Checks of whether the answer may still be seen, which raise when it may not."""


class Outcomes(Protocol):
    """Who is told what became of each request of somebody who is signed in."""

    async def took(self, outcome: Outcome) -> None:
        """It is about to be answered. `StorageError`: it is not, because it could not be noted."""

    def closed(self, outcome: Outcome) -> None:
        """A WebSocket of this outcome has ended."""


def outcome_of(request: Request | WebSocket, status: int) -> Outcome | None:
    """What became of a request of somebody who is signed in, or of who acts as people do; None of everybody else's."""
    scope = request.scope
    session = scope.get(SESSION) or scope.get(ACTOR)
    if session is None:
        return None
    params = {name: str(value) for name, value in scope.get(PARAMS, {}).items()}
    return Outcome(
        session=session,
        address=_address(request),
        method=_method(request),
        route=str(scope.get(TEMPLATE)),
        params=params,
        status=status,
        code=str(scope.get(CODE, "")),
        said=dict(scope.get(ADDED, {})),
    )


def refusal_of(request: Request | WebSocket, status: int) -> tuple[str, str, str] | None:
    """(role, address, detail) of what was refused to somebody, or to a program, that is not signed in."""
    scope = request.scope
    rule = scope.get(RULE)
    inside = rule is not None and not rule.public and status in (401, 403)
    if outcome_known(scope) or not (inside or scope.get(REFUSED)):
        return None
    role = "device" if rule is not None and rule.machine is not None else ""
    return role, _address(request), f"{scope.get(CODE) or status} {_method(request)} {request.url.path}"[:200]


def outcome_known(scope: MutableMapping[str, Any]) -> bool:
    """Whether it is known under whose name a request is noted."""
    return scope.get(SESSION) is not None or scope.get(ACTOR) is not None


def check_still(scope: MutableMapping[str, Any]) -> None:
    """`WutongError` when what is being answered may not be seen any more; it is asked once."""
    try:
        for check in scope.get(STILL, ()):
            check()
    except WutongError:
        scope.pop(STILL)  # the refusal itself may be seen
        raise


def _address(request: Request | WebSocket) -> str:
    return request.client.host if request.client else "?"


def _method(request: Request | WebSocket) -> str:
    return str(request.scope.get("method", WEBSOCKET))
