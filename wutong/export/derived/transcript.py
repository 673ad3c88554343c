"""The words of a hearing with every version that they had: the fold of its leaves, as JSON, text and subtitles.

A pure function of the leaves, so that a verifier makes the same and compares: frozen with `forms.FORM`. The fold is
`sync.record.transcript`: all lines, those too that were merged or withdrawn, each with who wrote which version and why,
and what did not count. Subtitles are what was said: no struck line, none that has no time of its own. In the text a row
is one row, whatever people wrote: only `transcript.json` has the ends of lines in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.record.event import Event
from sync.record.transcript import Transcript, Utterance
from sync.runtime.units import NS_PER_MS
from wutong.export.derived.clock_text import clock_text
from wutong.export.derived.one_line import one_line

_VERSION = ("number", "id", "by", "act", "reason")
_SET = ("text", "role", "seat", "struck", "doubtful", "gone")
_BY = {"engine": "语音识别", "corrector": "自动校正", "clerk": "书记员"}


def transcript_of(events: Sequence[Event]) -> Transcript:
    """The fold; `KeyError`, `TypeError` or `ValueError` for bodies of another form."""
    transcript = Transcript()
    for event in events:
        if event.kind == "utterance":
            transcript.utterance(event)
        elif event.kind == "revision":
            transcript.revise(event)
    return transcript


def transcript_files(events: Sequence[Event], *, in_one_line: bool = True) -> dict[str, bytes]:
    """`transcript.json`, `.txt`, `.srt` and `.vtt`; not `in_one_line`: as the second form had them."""
    shown = one_line if in_one_line else str
    opening = next((e for e in events if e.kind == "open"), None)
    opened_ns = 0 if opening is None else opening.room_ns
    writers = {e.number: e.body for e in events if e.kind == "revision"}
    lines = transcript_of(events).lines
    value = {
        "hearing": events[0].hearing if events else None,
        "opened_utc_ns": None if opening is None else str(opening.utc_ns),
        "case": {} if opening is None else opening.body.get("case", {}),
        "lines": [_line(line, opened_ns, writers) for line in lines],
    }
    return {
        "transcript.json": json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n",
        "transcript.txt": _text(lines, opened_ns, writers, shown).encode(),
        "transcript.srt": _srt(lines, opened_ns, shown).encode(),
        "transcript.vtt": _vtt(lines, opened_ns, shown).encode(),
    }


def _line(line: Utterance, opened_ns: int, writers: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": line.id,
        "seat": line.seat,
        "role": line.role,
        "start_ms": (line.start_ns - opened_ns) // NS_PER_MS,
        "end_ms": (line.end_ns - opened_ns) // NS_PER_MS,
        "text": line.text,
        "voice": line.voice,
        "source": line.source,
        "written_utc_ns": str(line.written_utc_ns),
        "struck": line.struck,
        "doubtful": line.doubtful,
        "gone": line.gone,
        "versions": [_version(version, opened_ns, writers) for version in line.versions],
    }


def _version(version: Mapping[str, Any], opened_ns: int, writers: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """A version as the fold has it, and the name of its writer; `counts` is false where it changed nothing."""
    said = {key: version[key] for key in _VERSION if key in version}
    body = writers.get(int(version["number"]), {})
    said |= {"name": str(body.get("name") or ""), "undoes": str(body.get("undoes") or "")}
    said |= {"utc_ns": str(version["utc_ns"]), "counts": not version.get("void", False)}
    said |= {key: version[key] for key in _SET if key in version}
    for key in ("start", "end"):
        if f"{key}_ns" in version:
            said[f"{key}_ms"] = (int(version[f"{key}_ns"]) - opened_ns) // NS_PER_MS
    return said


def _text(
    lines: Sequence[Utterance],
    opened_ns: int,
    writers: Mapping[int, Mapping[str, Any]],
    shown: Callable[[str], str],
) -> str:
    out = []
    for line in lines:
        state = "（已并入他行）" if line.gone == "merged" else "（已撤回）" if line.gone else ""
        state += "（已删除）" if line.struck else ""
        state += "（存疑）" if line.doubtful else ""
        out.append(f"[{clock_text(line.start_ns - opened_ns)}] {line.role}：{line.text}{state}")
        for number, version in enumerate(line.versions, 1):
            said = _version(version, opened_ns, writers)
            who = _BY.get(said["by"], said["by"]) + (f" {said['name']}" if said["name"] else "")
            why = f"，{said['reason']}" if said.get("reason") else ""
            void = "" if said["counts"] else "，未生效"
            out.append(f"    第{number}版 {who} {said['act']}{why}{void}：{_changes(said)}")
    return "".join(f"{shown(row)}\n" for row in out)


def _changes(said: Mapping[str, Any]) -> str:
    parts = [str(said["text"])] if "text" in said else []
    parts += [f"{key}={json.dumps(said[key], ensure_ascii=False)}" for key in _SET[1:] if key in said]
    return " ".join(parts)


def _cues(lines: Sequence[Utterance], opened_ns: int, shown: Callable[[str], str]) -> list[tuple[int, int, str, str]]:
    """(from, to) since the opening, who and what, in the order of time."""
    said = [line for line in lines if not line.gone and not line.struck and line.end_ns > line.start_ns and line.text]
    said.sort(key=lambda line: line.start_ns)
    return [
        (
            max(line.start_ns - opened_ns, 0),
            max(line.end_ns - opened_ns, 0),
            shown(line.role),
            shown(" ".join(line.text.split())),
        )
        for line in said
    ]


def _srt(lines: Sequence[Utterance], opened_ns: int, shown: Callable[[str], str]) -> str:
    return "".join(
        f"{number}\n{clock_text(start, ',')} --> {clock_text(end, ',')}\n{role}：{words.replace('-->', '→')}\n\n"
        for number, (start, end, role, words) in enumerate(_cues(lines, opened_ns, shown), 1)
    )


def _vtt(lines: Sequence[Utterance], opened_ns: int, shown: Callable[[str], str]) -> str:
    cues = "".join(
        f"{clock_text(start)} --> {clock_text(end)}\n<v {_escaped(role)}>{_escaped(words)}\n\n"
        for start, end, role, words in _cues(lines, opened_ns, shown)
    )
    return f"WEBVTT\n\n{cues}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
