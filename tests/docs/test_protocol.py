"""docs/protocol.md and docs/operations.md against the code: kinds of events, topics, routes, codes of alarms.

Routes and codes are read from the sources, so nothing is started.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

import pytest

from sync import topics
from sync.record.bodies import BODIES
from tests.support.paths import ROOT

PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PACKAGES = ("edge", "hardware", "recorder", "server", "sync", "transcriber")
METHODS = ("get", "post", "put", "delete", "websocket")


def _section(text: str, begins: str) -> str:
    return re.split(r"^## ", text[text.index(begins) + 3 :], maxsplit=1, flags=re.MULTILINE)[0]


def _rows(section: str) -> list[list[str]]:
    """The cells of each row of its table, without the head."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@functools.cache
def _sources() -> tuple[ast.Module, ...]:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in paths)


def _calls() -> Iterator[ast.Call]:
    yield from (node for tree in _sources() for node in ast.walk(tree) if isinstance(node, ast.Call))


def _text(call: ast.Call, place: int) -> str | None:
    argument = call.args[place] if len(call.args) > place else None
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_every_kind_of_event_stands_in_the_table_with_all_that_it_says() -> None:
    events = _section(PROTOCOL, "## Events")
    rows = {kind: row[2] for row in _rows(events) for kind in row[0].split(" / ")}
    assert rows.keys() == BODIES.keys()
    prose = " ".join(line for line in events.splitlines() if not line.startswith("|"))
    prose += _section(PROTOCOL, "## The transcript")
    said = {kind: set(re.findall(r"\w+", rows[kind] + prose)) for kind in rows}
    assert {kind: missing for kind, body in BODIES.items() if (missing := set(body.__annotations__) - said[kind])} == {}


def test_every_topic_stands_in_the_table_with_its_quality_of_service() -> None:
    rows = _rows(_section(PROTOCOL, "## MQTT"))
    named = {row[0].split("`")[1]: row for row in rows}
    from_rooms = {topic.replace("+", "<track>"): str(quality) for topic, quality in topics.FROM_ROOMS}
    assert {name: row[1] for name, row in named.items() if "(down)" not in row[0]} == from_rooms
    assert {name for name, row in named.items() if "(down)" in row[0]} == set(topics.ROOM_READS)


@pytest.mark.slow
def test_every_route_is_described() -> None:
    described = {_shape(path) for path in re.findall(r"/api/[\w/{},.-]+", PROTOCOL)}
    decorators = (call for call in _calls() if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS)
    routes = {route for call in decorators if (route := _text(call, 0)) is not None and route.startswith("/api/")}
    assert len(routes) > 50
    assert {route for route in routes if _shape(route) not in described} == set()


def _shape(route: str) -> str:
    """A route whatever its parameters are called."""
    return re.sub(r"\{[^}]*\}", "{}", route).rstrip("/.")


def test_every_alarm_tells_an_operator_what_to_do() -> None:
    """Each code has its row, and each row a code that is still in the sources."""
    codes = {_text(call, 0) for call in _calls() if _called(call) in ("AlarmKind", "set_alarm")}
    codes |= {_text(call, 1) for call in _calls() if _called(call) == "alarm"}
    rows = _rows(_section(OPERATIONS, "## Alarms"))
    named = {code for row in rows for code in re.findall(r"`([a-z-]+)`", row[0])}
    assert codes - {None} - named == set()
    literals = {node.value for tree in _sources() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert named - literals == set()
