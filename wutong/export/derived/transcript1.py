"""The words of an export of the first form (`wutong-export/1`), for the verifier: frozen, and used for nothing new.

A pure function of the leaves. An event `revision` of that form names the utterance that it changes (`utterance` or
`id`) and carries the new `text`; whatever else it says stays with that version.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.record.event import Event
from sync.runtime.units import NS_PER_MS
from wutong.export.derived.clock_text import clock_text


@dataclass(slots=True)
class TranscriptLine1:
    """What one speaker said at once; `versions` oldest first, the last one counts."""

    id: str
    seat: str
    role: str
    start_ns: int
    end_ns: int
    text: str
    versions: list[dict[str, Any]] = field(default_factory=list)


def lines_of(events: Sequence[Event]) -> list[TranscriptLine1]:
    """Lines in the order in which they began; `KeyError`, `TypeError` or `ValueError` for bodies of another form."""
    lines: dict[str, TranscriptLine1] = {}
    for event in events:
        body = event.body
        if event.kind == "utterance" and str(body["id"]) not in lines:
            line = TranscriptLine1(
                id=str(body["id"]),
                seat=str(body["seat"]),
                role=str(body["role"]),
                start_ns=int(body["start_ns"]),
                end_ns=int(body["end_ns"]),
                text=str(body["text"]),
            )
            line.versions.append({"number": event.number, "utc_ns": str(event.utc_ns), "text": line.text})
            lines[line.id] = line
        elif event.kind == "revision":
            found = lines.get(str(body.get("utterance", body.get("id", ""))))
            if found is None:
                continue
            if isinstance(body.get("text"), str):
                found.text = str(body["text"])
            found.versions.append({"number": event.number, "utc_ns": str(event.utc_ns), **_plain(body)})
    return sorted(lines.values(), key=lambda line: line.start_ns)


def transcript_files(events: Sequence[Event]) -> dict[str, bytes]:
    """`transcript.json`, `.txt` and `.srt`."""
    opening = next((e for e in events if e.kind == "open"), None)
    opened_ns = 0 if opening is None else opening.room_ns
    lines = lines_of(events)
    value = {
        "hearing": events[0].hearing if events else None,
        "opened_utc_ns": None if opening is None else str(opening.utc_ns),
        "case": {} if opening is None else opening.body.get("case", {}),
        "lines": [
            {
                "id": line.id,
                "seat": line.seat,
                "role": line.role,
                "start_ms": (line.start_ns - opened_ns) // NS_PER_MS,
                "end_ms": (line.end_ns - opened_ns) // NS_PER_MS,
                "text": line.text,
                "versions": line.versions,
            }
            for line in lines
        ],
    }
    return {
        "transcript.json": json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n",
        "transcript.txt": _text(lines, opened_ns).encode(),
        "transcript.srt": _subtitles(lines, opened_ns).encode(),
    }


def _text(lines: Sequence[TranscriptLine1], opened_ns: int) -> str:
    out = []
    for line in lines:
        out.append(f"[{clock_text(line.start_ns - opened_ns)}] {line.role}：{line.text}")
        if len(line.versions) > 1:
            out += [f"    第{n}版：{v.get('text', '')}" for n, v in enumerate(line.versions, 1)]
    return "".join(f"{row}\n" for row in out)


def _subtitles(lines: Sequence[TranscriptLine1], opened_ns: int) -> str:
    cues = []
    for number, line in enumerate(lines, 1):
        start, end = (clock_text(max(at - opened_ns, 0), ",") for at in (line.start_ns, line.end_ns))
        words = " ".join(line.text.split()).replace("-->", "→")
        cues.append(f"{number}\n{start} --> {end}\n{line.role}：{words}\n\n")
    return "".join(cues)


def _plain(value: Any) -> Any:
    """Nanoseconds as decimal text: JSON's numbers do not hold them."""
    if isinstance(value, dict):
        return {k: str(v) if k.endswith("_ns") and type(v) is int else _plain(v) for k, v in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
