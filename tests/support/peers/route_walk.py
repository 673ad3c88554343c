"""Requests that nobody would make, for every route: schemathesis draws them from the routes' own description.

The description (OpenAPI) is made here, for the test alone: no server of ours publishes one.
"""

from __future__ import annotations

import asyncio
import copy
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings

NEVER_S = 150.0
"""A route that has not answered by then never will, so that it is named before the test's own time is over. How soon an
answer comes is for other tests: of a paper the process that makes it may have to start first.
"""
_FOREIGN = ("Traceback", "sqlalchemy", "sqlite3", "SELECT ", "INSERT ", 'File "', "pydantic_core", "site-packages")
"""What tells a stranger how a server is made."""
_BUSY = {503, 507}
"""Answers that say, in words and with a code, to come back later."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    route: tuple[str, str]
    """Method and path as declared."""
    method: str
    path: str
    more: dict[str, Any]


def described(app: FastAPI) -> Any:
    """The schema of an app, with every route that has a method."""
    for route in app.router.routes:
        if getattr(route, "methods", None) and hasattr(route, "include_in_schema"):
            route.include_in_schema = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two of the library's routes have one name
        return schemathesis.openapi.from_dict({**app.openapi(), "openapi": "3.1.0"})


def requests(app: FastAPI, names: Mapping[str, str], count: int, *, first: int = 1) -> Iterator[Asked]:
    """`count` requests for each route; every other one of them names what there is (`names`: parameter -> value)."""
    schema = described(app)
    key = (json.dumps(schema.raw_schema, sort_keys=True, default=str), tuple(sorted(names.items())), count, first)
    if key not in _MADE:
        _MADE[key] = list(_made(schema, names, count, first))
    for one in _MADE[key]:
        yield Asked(one.route, one.method, one.path, copy.deepcopy(one.more))


_MADE: dict[object, list[Asked]] = {}
"""Drawing them takes longer than asking them, and whoever asks is asked the same."""


def _made(schema: Any, names: Mapping[str, str], count: int, first: int) -> Iterator[Asked]:
    for result in schema.get_all_operations():
        operation = result.ok()
        cases = _drawn(operation.as_strategy(), count, first)
        for number, case in enumerate(cases):
            if number % 2:
                case.path_parameters = {k: names.get(k, v) for k, v in (case.path_parameters or {}).items()}
            kwargs = case.as_transport_kwargs(base_url="http://server")
            url = httpx.URL(str(kwargs["url"]))
            more = {k: kwargs[k] for k in ("params", "json", "data", "files") if kwargs.get(k) is not None}
            if "files" in more:
                more["files"] = [(name, _sendable(part)) for name, part in _pairs(more["files"])]
            headers = {k: v for k, v in (kwargs.get("headers") or {}).items() if k.lower() not in _OURS}
            more["headers"] = headers
            route = (operation.method.upper(), operation.path)
            yield Asked(route, kwargs["method"], url.raw_path.decode(), more)


def _pairs(files: Any) -> list[tuple[str, Any]]:
    return list(files.items()) if isinstance(files, Mapping) else list(files)


def _sendable(part: Any) -> Any:
    """A part of a form as httpx takes it: numbers and the like as the text that a form has of them."""
    if isinstance(part, tuple):
        return (part[0], _sendable(part[1]), *part[2:])
    return part if isinstance(part, str | bytes) or hasattr(part, "read") else str(part)


def _drawn(cases: Any, count: int, first: int) -> list[Any]:
    drawn: list[Any] = []
    checks = list(HealthCheck)

    @seed(first)
    @settings(max_examples=count, phases=[Phase.generate], database=None, deadline=None, suppress_health_check=checks)
    @given(cases)
    def draw(case: Any) -> None:
        drawn.append(case)

    draw()
    return drawn


_OURS = {"user-agent", "x-schemathesis-testcaseid", "authorization", "cookie", "x-wutong", "host", "content-length"}


async def ask(http: httpx.AsyncClient, asked: Asked) -> str:
    """What is wrong with the answer, in words; "" when nothing is."""
    data = asked.more.get("data")
    if isinstance(data, str | bytes):
        asked.more["content"] = asked.more.pop("data")
    try:
        request = http.build_request(asked.method, asked.path, timeout=None, **asked.more)
    except (httpx.InvalidURL, UnicodeError, TypeError, ValueError):
        return ""  # no program can send it
    try:
        async with asyncio.timeout(NEVER_S):
            answer = await http.send(request)
    except TimeoutError:
        return f"no answer in {NEVER_S} s"
    except (httpx.LocalProtocolError, httpx.RemoteProtocolError):
        return ""  # refused below HTTP
    if answer.status_code < 400:
        return ""
    if answer.status_code >= 500 and answer.status_code not in _BUSY:
        return f"{answer.status_code}: {answer.text[:300]}"
    if any(word in answer.text for word in _FOREIGN):
        return f"an answer tells how the server is made: {answer.text[:300]}"
    if asked.method == "HEAD" or asked.route[0] == "HEAD":
        return ""
    try:
        said = json.loads(answer.text)
        assert isinstance(said["code"], str)
        assert isinstance(said["message"], str)
    except (ValueError, KeyError, TypeError, AssertionError):
        return f"{answer.status_code} is not an error as all are: {answer.text[:300]!r}"
    return ""
