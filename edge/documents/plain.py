"""The transcript for machines: subtitles (SRT, VTT) of what stands; JSON with every version and its place in time."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from edge.documents.form import DRAFT, CourtForm
from sync.paper.characters import writable
from sync.record.hearing import Hearing
from sync.record.nanoseconds import ns_as_text
from sync.record.transcript import Utterance
from sync.runtime.units import NS_PER_MS
from sync.text.characters import clean_line

FORM = "wutong-transcript/1"
LEAST_CUE_NS = 1_000_000_000
"""What the clerk typed takes no time; a player shows no cue that ends as it begins."""


def srt_of(hearing: Hearing, form: CourtForm) -> bytes:
    """SubRip; of a draft the first cue says so. Times are from the opening."""
    cues = [f"{n}\n{start} --> {end}\n{text}\n" for n, (start, end, text) in enumerate(_cues(hearing, form, ","), 1)]
    return "\n".join(cues).encode()


def vtt_of(hearing: Hearing, form: CourtForm) -> bytes:
    """WebVTT, with the speaker as a voice."""
    note = f"NOTE {DRAFT}\n\n" if form.draft else ""
    cues = []
    for line in _said(hearing):
        role = _flat(line.role).replace(">", "").replace("&", "")
        words = _flat(line.text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        start, end = (_at(hearing, ns, ".") for ns in (line.start_ns, _end_ns(line)))
        cues.append(f"{start} --> {end}\n<v {role}>{words}\n")
    return ("WEBVTT\n\n" + note + "\n".join(cues)).encode()


def json_of(hearing: Hearing, form: CourtForm) -> bytes:
    """Everything: lines with all versions, what was laid before people, signatures with their strokes, objections.

    Nanoseconds are decimal text; `*_ms` are from the opening.
    """
    value = {
        "form": FORM,
        "draft": form.draft,
        "hearing": hearing.id,
        "court": form.court,
        "case": hearing.case,
        "heads": dict(form.heads),
        "opened_utc_ns": str(hearing.opened_utc_ns),
        "lines": [_line(hearing, line) for line in hearing.transcript.lines],
        "versions": [ns_as_text(asdict(one)) for one in hearing.signing.versions],
        "people": [
            {"role": p.role, "name": p.name, "state": p.state, "reason": p.reason, "at_utc_ns": _text(p.at_utc_ns)}
            for p in form.people
        ],
        "signatures": [ns_as_text(asdict(one)) for one in hearing.signing.signatures],
        "objections": [ns_as_text(asdict(one)) for one in hearing.signing.objections],
    }
    return json.dumps(value, ensure_ascii=False, indent=1).encode(errors="backslashreplace") + b"\n"


def _line(hearing: Hearing, line: Utterance) -> dict[str, Any]:
    times = {f"{end}_ms": (getattr(line, f"{end}_ns") - hearing.opened_ns) // NS_PER_MS for end in ("start", "end")}
    made: dict[str, Any] = ns_as_text(asdict(line))
    return made | times


def _cues(hearing: Hearing, form: CourtForm, point: str) -> list[tuple[str, str, str]]:
    cues = [(f"00:00:00{point}000", f"00:00:02{point}000", f"（{DRAFT}）")] if form.draft else []
    for line in _said(hearing):
        words = f"{_flat(line.role)}：{_flat(line.text)}".replace("-->", "→")
        cues.append((_at(hearing, line.start_ns, point), _at(hearing, _end_ns(line), point), words))
    return cues


def _said(hearing: Hearing) -> list[Utterance]:
    said = [line for line in hearing.transcript if not line.struck and clean_line(line.text)]
    return sorted(said, key=lambda line: line.start_ns)


def _end_ns(line: Utterance) -> int:
    return max(line.end_ns, line.start_ns + LEAST_CUE_NS)


def _at(hearing: Hearing, ns: int, point: str) -> str:
    ms = max(ns - hearing.opened_ns, 0) // NS_PER_MS
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"


def _flat(text: str) -> str:
    return writable(clean_line(text))


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
