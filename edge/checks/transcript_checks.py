"""The checks of the room's hearing: run again when words change, off the event loop, and told to every panel.

Promises: a change is followed by new findings within `CALM_S` and the time of a run; while words pour in, a run begins
when the last one has ended and not before. Nobody waits for a run: the panel is told when it is done. Ignoring a
finding is an event; accepting one is an act of revision like any other.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from edge.checks.finding import CheckedLine, Facts, Finding, facts_of
from edge.checks.registry import check
from edge.state.room_state import RoomState
from sync.errors import HearingError
from sync.http.rights.rules import allow
from sync.record.bodies.words import CheckBody
from sync.record.hearing import Hearing

log = structlog.get_logger(__name__)

CALM_S: Final = 0.4
"""Words come in bursts: so long is waited for the rest of one."""
SLOW_S: Final = 5.0
"""A run that takes longer is worth a line in the log."""
_KINDS: Final = frozenset({"open", "utterance", "revision", "exhibit"})


class TranscriptChecks:
    """A `StateListener`. All methods belong to one event loop."""

    def __init__(self, state: RoomState) -> None:
        self._state = state
        self._changed = asyncio.Event()
        self._changed.set()
        self._found: list[tuple[str, Finding]] = []
        self._hearing: str | None = None

    def text(self, message: Mapping[str, Any]) -> None:
        """Notice what changes the words, the case, or what is ignored."""
        if message["type"] != "event":
            return
        kind = message["event"].get("kind")
        if kind in _KINDS:
            self._changed.set()
        elif kind == "check":
            self._show()

    def media(self, track: str, message: bytes) -> None:
        """Pictures are not checked."""

    async def run(self) -> None:
        """Check for ever."""
        self._state.listen(self)
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(CALM_S)
                self._changed.clear()
                await self._check()
        finally:
            self._state.leave(self)

    async def ignore(self, name: str, ignored: bool) -> int:
        """Let a finding stand, or take that back; the number of the event. `HearingError` `not-found`."""
        hearing = self._state.hearing
        finding = next((finding for found, finding in self._found if found == name), None)
        if hearing is None or finding is None or self._hearing != hearing.id:
            raise HearingError("没有这条提示，文字可能已经改过 (there is no such finding any more)", code="not-found")
        body: CheckBody = {
            "id": name,
            "ignored": ignored,
            "line": finding.line,
            "kind": finding.kind,
            "text": finding.words,
        }
        event = await self._state.append("check", body, hearing=hearing.id)
        return event.number

    async def _check(self) -> None:
        hearing = self._state.hearing
        lines, facts = ([], Facts()) if hearing is None else (lines_of(hearing), _facts(hearing))
        began_s = time.monotonic()
        self._found = await asyncio.to_thread(check, lines, facts)
        self._hearing = None if hearing is None else hearing.id
        took_s = time.monotonic() - began_s
        if took_s > SLOW_S:
            log.warning("checks_slow", seconds=round(took_s, 1), lines=len(lines))
        self._show()

    def _show(self) -> None:
        hearing = self._state.hearing
        there = hearing is not None and hearing.id == self._hearing
        ignored = set() if hearing is None else hearing.transcript.ignored
        self._state.show_checks([f.to_json(name, name in ignored) for name, f in self._found] if there else [])


def lines_of(hearing: Hearing) -> list[CheckedLine]:
    """The lines that will be read: not those that were struck, merged or withdrawn."""
    return [
        CheckedLine(
            id=line.id,
            role=line.role,
            text=line.text,
            seat=line.seat,
            start_ns=line.start_ns,
            end_ns=line.end_ns,
            proposals=tuple(_proposals(line.proposals)),
        )
        for line in hearing.transcript
        if not line.struck
    ]


def _proposals(said: Sequence[Mapping[str, Any]]) -> list[tuple[int, int, str, str, str]]:
    out = []
    for p in said:
        at, length, before, after = p.get("at"), p.get("length"), p.get("from"), p.get("to")
        if isinstance(at, int) and isinstance(length, int) and isinstance(before, str) and isinstance(after, str):
            out.append((at, length, before, after, str(p.get("why", ""))))
    return out


def _facts(hearing: Hearing) -> Facts:
    opened = dt.datetime.fromtimestamp(hearing.opened_utc_ns / 1_000_000_000, tz=dt.UTC).astimezone()
    exhibits = [exhibit.title for exhibit in hearing.exhibits]
    return facts_of(hearing.case, hearing.seats, exhibits, opened.date() if hearing.opened_utc_ns else None)


class Ignored(BaseModel):
    """What the clerk says of a finding."""

    model_config = ConfigDict(extra="forbid")

    ignored: bool


def add_checks(app: FastAPI, checks: TranscriptChecks) -> None:
    """Put the routes on `app`."""

    @app.put("/api/checks/{name}")
    @allow("clerk")
    async def ignore(name: str, body: Ignored) -> dict[str, Any]:
        return {"event": await checks.ignore(name, body.ignored)}
