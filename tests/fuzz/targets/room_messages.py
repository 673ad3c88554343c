"""What the center says to a room, and the envelope of it: receipts, notices, demand, docket, witness, self-test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pydantic import BaseModel

from sync.errors import LedgerError
from sync.ledger.messages.receipts import MAX_RECEIPTS_BYTES, Receipts, UnsignedReceipts
from sync.ledger.messages.signed_message import read_envelope
from sync.record.docket import MAX_DOCKET_BYTES, Docket
from sync.record.notice import MAX_NOTICE_BYTES, HearingNotice
from sync.text.strict_json import read_strict
from sync.uplink.files.selftest_round_trip import MAX_ORDER_BYTES, _Order
from sync.uplink.live.live_publisher import MAX_DEMAND_BYTES
from sync.uplink.proof.witness import MAX_ANSWER_BYTES, Answer
from sync.uplink.wanted_tracks import Demand

_KINDS: dict[bytes, tuple[type[BaseModel], int]] = {
    b"r": (Receipts, MAX_RECEIPTS_BYTES),
    b"u": (UnsignedReceipts, MAX_RECEIPTS_BYTES),
    b"n": (HearingNotice, MAX_NOTICE_BYTES),
    b"d": (Demand, MAX_DEMAND_BYTES),
    b"k": (Docket, MAX_DOCKET_BYTES),
    b"w": (Answer, 2 * MAX_ANSWER_BYTES),
    b"t": (_Order, MAX_ORDER_BYTES),
}


def target(data: bytes) -> None:
    """The first byte says which; `e` is the envelope."""
    if data[:1] == b"e":
        with contextlib.suppress(LedgerError):
            read_envelope(data[1:], "receipts", limit=MAX_RECEIPTS_BYTES)
        return
    model, limit = _KINDS.get(data[:1], _KINDS[b"k"])
    try:
        said = model.model_validate(read_strict(data[1:], limit=limit))
    except ValueError:
        return
    said.model_dump_json().encode()


def seeds() -> Iterator[bytes]:
    yield b'u{"numbers": [1, 9223372036854775807], "refused": [2]}'
    yield b'r{"stored": [{"number": 1, "sha256": "' + b"0" * 64 + b'"}], "refused": [], "batches": []}'
    part = b'{"id": "room:1", "from_ns": 1, "to_ns": null, "level": "withdrawn"}'
    yield b'n{"hearing": "h1", "level": "restricted", "parts": [' + part + b"]}"
    yield b'e{"note": "wutong/receipts", "receipts": "{}"}'
    yield b'd{"tracks": ["bench", "mix"], "levels": true}'
    yield (
        'k{"date": "2026-11-29", "hearings": [{"id": "c1", "time": "09:30", "case_no": "(2026)黑05民初123号", '
        '"cause": "民间借贷", "parties": {"原告": "张三、李四"}, "vocabulary": {"person": ["王·五"], '
        '"term": ["借条"]}, "public": false}]}'
    ).encode()
    yield b'w{"hearing": "h1", "size": 3, "note": "x", "refused": ""}'
    yield (
        b't{"id": "t1", "tracks": {"bench": [{"file": "bench/00000.mp4", "index": 0, "bytes": 1, "sha256": "'
        + b"0" * 64
        + b'"}]}}'
    )
