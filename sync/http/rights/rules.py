"""What a route declares before it is served: who may use it, and how large a body it may be sent.

A route that declares nothing is refused, and so is a body that is larger than its route declares. Without a word a
body has at most `BODY_BYTES`: only a route that takes files, or long texts, says more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import FastAPI, Request

from sync.errors import AccessError, ConfigError
from sync.http.rights.people import Session

F = TypeVar("F", bound=Callable[..., object])

_RULE = "__wutong_rule__"

BODY_BYTES = 64 * 1024
"""The largest body of a route that declares no other size."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


@dataclass(frozen=True)
class Rule:
    """Who may use a route, and the largest body that it is sent."""

    roles: frozenset[str] = frozenset()
    public: bool = False
    machine: Callable[[Request], Awaitable[None]] | None = None
    acts_as: Session | None = None
    """Of a machine that does what people do: under whose name each of its requests is noted, as theirs are."""
    body_bytes: int = BODY_BYTES
    while_locked: bool = False
    """Whether it may be used by a session that is locked: it shows no words and no pictures then, and changes nothing
    of the record."""


def allow(*roles: str, body_bytes: int = BODY_BYTES, while_locked: bool = False) -> Callable[[F], F]:
    """Declare that people with one of these roles may use the route."""
    return declare(Rule(roles=frozenset(roles), body_bytes=body_bytes, while_locked=while_locked))


def public() -> Callable[[F], F]:
    """Declare that everybody may use the route (its pages, or it checks a token of its own)."""
    return declare(Rule(public=True))


def machine(check: Callable[[Request], Awaitable[None]], *, body_bytes: int = BODY_BYTES) -> Callable[[F], F]:
    """Declare a route for programs: `check` runs before any body is read and raises `AccessError` to refuse."""
    return declare(Rule(machine=check, body_bytes=body_bytes))


def declare(rule: Rule) -> Callable[[F], F]:
    """Attach a rule to an endpoint."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _RULE, rule)
        return endpoint

    return mark


def rule_of(endpoint: object) -> Rule | None:
    """What an endpoint declares, or None."""
    rule = getattr(endpoint, _RULE, None)
    return rule if isinstance(rule, Rule) else None


def check_declared(app: FastAPI) -> None:
    """`ConfigError` if a route of the app declares no rule, or takes large bodies of strangers; part of start-up."""
    for route in app.router.routes:
        rule = rule_of(getattr(route, "endpoint", None))
        path = getattr(route, "path", route)
        if rule is None:
            raise ConfigError(f"the route {path!r} does not declare who may use it")
        methods: set[str] = getattr(route, "methods", None) or set()
        if rule.body_bytes <= 0 or (rule.body_bytes > BODY_BYTES and (rule.public or methods <= SAFE_METHODS)):
            raise ConfigError(f"the route {path!r} declares a body that it may not be sent")


def check_unlocked(session: Session, rule: Rule) -> None:
    """`AccessError` "locked" where a panel is locked and the route is not for a locked one."""
    if session.locked and not rule.while_locked:
        raise AccessError("面板已锁定，请先解锁 (the panel is locked; unlock it first)", code="locked")
