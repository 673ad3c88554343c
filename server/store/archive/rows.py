"""Rows of lists as they leave the store: hearings, and words that were found."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row
from typing_extensions import TypedDict

from server.store import tables as t
from sync.record.bodies.session import OpenedCase
from sync.record.hearing import State
from sync.record.milliseconds import to_ms


class HearingRow(TypedDict):
    """A hearing in a list."""

    id: str
    room: str
    court_name: str
    room_name: str
    case: OpenedCase
    state: State
    opened_utc_ns: int
    closed_utc_ns: int | None
    duration_ns: int | None


class SearchHit(TypedDict):
    """Words that were found."""

    hearing: str
    utterance: str
    role: str
    start_ns: int
    text: str
    case: OpenedCase
    room: str
    court_name: str
    room_name: str
    opened_utc_ns: int
    opened_ns: int


def hearing_row(row: Row[Any]) -> dict[str, Any]:
    """A row of `hearings` as screens get it."""
    duration_ns = None if row.closed_ns is None else row.closed_ns - row.opened_ns
    said: HearingRow = {
        "id": row.id,
        "room": row.room,
        "court_name": row.court_name,
        "room_name": row.room_name,
        "case": json.loads(row.case_json),
        "state": row.state,
        "opened_utc_ns": row.opened_utc_ns,
        "closed_utc_ns": row.closed_utc_ns,
        "duration_ns": duration_ns,
    }
    shown = to_ms(said)
    assert isinstance(shown, dict)
    return shown


def search_hit(row: Row[Any]) -> dict[str, Any]:
    """A row of `utterances` joined with its hearing as screens get it."""
    said: SearchHit = {
        "hearing": row.hearing,
        "utterance": row._mapping[t.utterances.c.id],
        "role": row.role,
        "start_ns": row.start_ns,
        "text": row.text,
        "case": json.loads(row.case_json),
        "room": row.room,
        "court_name": row.court_name,
        "room_name": row.room_name,
        "opened_utc_ns": row.opened_utc_ns,
        "opened_ns": row.opened_ns,
    }
    shown = to_ms(said)
    assert isinstance(shown, dict)
    return shown
