"""录音录像情况说明 as data: what was recorded, when, with which interruptions and gaps, and all check values.

A pure function of the leaves, the last checkpoint and the device's certificate, so that a verifier makes the same and
compares. So what is said here is frozen with `forms.FORM`: facts alone, no policy (whether a written explanation is
needed is not said). Names of the three lawful reasons are those of 法释〔2017〕5号, art. 3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, cast

from cryptography import x509

from sync.ledger.checkpoint import Checkpoint
from sync.record.bodies.session import OpenBody
from sync.record.event import Event
from sync.record.hearing import Hearing
from wutong.export.derived.signing import signing_counts, signing_of
from wutong.export.forms import FIRST, FORM, document_path, media_path

TITLE = "庭审录音录像情况说明"
REASONS = {"recess": "休庭", "closed_evidence": "不公开举证质证", "mediation": "不宜录制的调解"}
_MS = 1_000_000


def certificate_of(
    events: Sequence[Event],
    room: str,
    checkpoint: Checkpoint | None,
    device: bytes | None,
    excerpt: tuple[int, int] | None = None,
    form: str = FORM,
) -> dict[str, Any]:
    """The certificate, times `*_ms` since the opening; `KeyError`, `TypeError` or `ValueError` when leaves are not of
    their form."""
    hearing = Hearing.of(str(events[0].hearing), events)
    opening = next((e for e in events if e.kind == "open"), None)
    said: OpenBody = {} if opening is None else cast(OpenBody, opening.body)
    opened = hearing.opened_ns
    closing = next((e for e in events if e.kind == "close"), None)
    names = {str(t.get("id")): str(t.get("name", "")) for t in hearing.tracks}
    clocks = [e for e in events if e.kind == "clock"]
    seals = [e for e in events if e.kind == "seal"]

    def ms(at_ns: int | None) -> int | None:
        return None if at_ns is None else (at_ns - opened) // _MS

    value: dict[str, Any] = {
        "title": TITLE,
        "room": room,
        "court_name": str(said.get("court_name", "")),
        "room_name": str(said.get("room_name", "")),
        "hearing": hearing.id,
        "case": hearing.case,
        "seats": [{"id": str(s.get("id")), "role": str(s.get("role", ""))} for s in hearing.seats],
        "clerk": _clerk(hearing),
        "excerpt": None if excerpt is None else {"from_ms": ms(excerpt[0]), "to_ms": ms(excerpt[1])},
        "opened_utc_ns": str(hearing.opened_utc_ns),
        "closed_utc_ns": None if closing is None else str(closing.utc_ns),
        "closed_ms": ms(hearing.closed_ns),
        "preroll_ms": (opened - hearing.recorded_from_ns) // _MS,
        "interruptions": [
            {
                "from_ms": ms(p.from_ns),
                "to_ms": ms(p.to_ns),
                "reason": p.reason,
                "reason_text": REASONS.get(p.reason, p.reason),
            }
            for p in hearing.pauses
        ],
        "gaps": [
            {
                "track": g.track,
                "name": names.get(g.track, g.track),
                "from_ms": ms(g.from_ns),
                "to_ms": ms(g.to_ns),
                "why": g.why,
            }
            for g in hearing.gaps
        ],
        "clock": {
            "source": str(clocks[0].body.get("source", "")) if clocks else "",
            "error_ms": clocks[0].body.get("error_ms") if clocks else None,
            "steps": [
                {"at_ms": ms(e.room_ns), "by_ms": int(e.body["by_ns"]) // _MS} for e in clocks if e.body.get("by_ns")
            ],
        },
        "alarms": [
            {
                "code": a.code,
                "subject": a.subject,
                "text": a.text,
                "from_ms": ms(a.raised_ns),
                "to_ms": ms(a.cleared_ns),
            }
            for a in hearing.alarms
        ],
        "words": {
            "utterances": sum(e.kind == "utterance" for e in events),
            "revisions": sum(e.kind == "revision" for e in events),
            "complete": None if not seals else seals[-1].body.get("words_complete") is not False,
        },
        "tracks": [
            {"id": str(t.get("id")), "kind": str(t.get("kind", "")), "name": str(t.get("name", ""))}
            for t in hearing.tracks
        ],
        "segments": [
            {
                "path": media_path(s.track, s.index),
                "track": s.track,
                "from_ms": ms(s.from_ns),
                "to_ms": ms(s.to_ns),
                "bytes": s.bytes,
                "sha256": s.sha256,
                "sm3": s.sm3,
            }
            for s in sorted(hearing.segments, key=lambda s: (s.track, s.index))
        ],
        "exhibits": [
            {
                "number": e.number,
                "title": e.title,
                "filename": e.filename,
                "bytes": e.bytes,
                "sha256": e.sha256,
                "sm3": e.sm3,
            }
            for e in hearing.exhibits
        ],
        "ledger": {
            "leaves": None if checkpoint is None else checkpoint.size,
            "root": None if checkpoint is None else checkpoint.root.hex(),
            "signed_utc_ns": None if checkpoint is None else str(checkpoint.utc_ns),
            "sealed": bool(seals),
            "device": None if device is None else _device(device),
        },
    }
    if form != FIRST:
        lines = [line for line in hearing.utterances if not line.gone]
        value["words"] |= {"lines": len(lines), "struck": sum(line.struck for line in lines)}
        value["signing"] = signing_counts(events)
        value["documents"] = [
            {
                "path": document_path(d.sha256, d.kind),
                "kind": d.kind,
                "transcript": d.transcript,
                "bytes": d.bytes,
                "sha256": d.sha256,
                "sm3": d.sm3,
            }
            for d in signing_of(events).documents
        ]
    return value


def certificate_json(value: dict[str, Any]) -> bytes:
    """As it is written."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _clerk(hearing: Hearing) -> str:
    """The clerk by name where the docket says it, else the seat's role."""
    parties = hearing.case.get("parties", {})
    name = parties.get("书记员") if isinstance(parties, dict) else None
    return str(name or "")


def _device(pem: bytes) -> dict[str, str]:
    certificate = x509.load_pem_x509_certificate(pem)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "sha256": hashlib.sha256(pem).hexdigest(),
        "valid_from": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        "valid_to": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
    }
