"""`play/`: a page that plays the whole hearing from the folder, and the files that it plays. Needs no server."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from sync.media.tracks import MICROPHONES, MIX
from sync.record.bodies.session import OpenBody
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.timeline import Segment
from wutong.export.derived.certificate import REASONS
from wutong.export.derived.transcript import transcript_of
from wutong.export.forms import is_path, media_path
from wutong.export.player.page_pictures import FindPicture, pages_shown
from wutong.export.player.remux import parts_of, remux
from wutong.export.player.seats import seat_files

PAGE = Path(__file__).parent / "page"
_MS = 1_000_000


def make(
    folder: Path,
    events: Sequence[Event],
    hearing: Hearing,
    span: tuple[int, int] | None,
    progress: Callable[[str, int, int], None],
    picture: FindPicture,
    most_bytes: int | None = None,
) -> list[str]:
    """Write `play/` into the folder of an export; the paths that it has now.

    `picture` finds what the room drew; `most_bytes`: of pictures in one file, where the medium takes no larger ones.
    """
    out = folder / "play"
    out.mkdir()
    made: list[str] = []
    segments = sorted(hearing.segments, key=lambda s: s.index)
    starts = [s.from_ns for s in segments]
    base_ns = min(starts, default=hearing.opened_ns)
    end_ns = max((s.to_ns for s in segments), default=base_ns)
    sound = [folder / media_path(s.track, s.index) for s in segments if s.track == MIX]
    cameras = []
    done, of = 0, sum(s.bytes for s in segments if s.track != MICROPHONES)
    names = {str(t["id"]): str(t.get("name") or t["id"]) for t in hearing.tracks if t.get("kind") == "video"}
    for camera, name in names.items():
        own = [s for s in segments if s.track == camera]
        files = []
        parts = parts_of([(folder / media_path(camera, s.index), s.from_ns, s.to_ns) for s in own], most_bytes)
        for number, part in enumerate(parts, 1):
            file = f"{camera}.mp4" if number == 1 else f"{camera}-{number}.mp4"
            progress(f"play/{file}", done, of)
            remux(part.files, sound, base_ns, end_ns, out / file)
            made.append(f"play/{file}")
            files.append({"file": file, "from_ms": _since(part.from_ns, base_ns), "to_ms": _since(part.to_ns, base_ns)})
        done += sum(s.bytes for s in own)
        cameras.append({"id": camera, "name": name, "parts": files})
    if sound and not any(camera["parts"] for camera in cameras):
        remux([], sound, base_ns, end_ns, out / "sound.mp4")
        made.append("play/sound.mp4")
        files = [{"file": "sound.mp4", "from_ms": 0, "to_ms": _since(end_ns, base_ns)}]
        cameras.append({"id": MIX, "name": "声音", "parts": files})
    channels = _channels(hearing)
    mics = [folder / media_path(s.track, s.index) for s in segments if s.track == MICROPHONES]
    seats = seat_files(mics, channels, base_ns, out / "seats")
    made += [f"play/seats/{name}" for name in seats.values()]
    pages = pages_shown(hearing, folder / "exhibits", picture, out)
    made += sorted(f"play/{name}" for name in set(pages.values()))
    value = _data(events, hearing, segments, base_ns, end_ns, span, pages)
    roles = {str(seat.get("id")): str(seat.get("role", "")) for seat in hearing.seats}
    value |= {"cameras": cameras}
    value["seats"] = [{"role": roles[seat], "file": f"seats/{name}"} for seat, name in seats.items()]
    # U+2028 and "</" mean something inside of a script.
    text = json.dumps(value, ensure_ascii=True).replace("</", "<\\/")
    (out / "data.js").write_text(f"window.HEARING = {text};\n", encoding="utf-8")
    for name in ("index.html", "player.js", "player.css"):
        (out / name).write_bytes((PAGE / name).read_bytes())
    return [*made, "play/data.js", "play/index.html", "play/player.js", "play/player.css"]


def _channels(hearing: Hearing) -> dict[str, int]:
    """Seat -> its channel of the microphones' track, of seats whose names can be files."""
    found = {}
    for seat in hearing.seats:
        name, channel = str(seat.get("id")), seat.get("channel")
        if type(channel) is int and 0 <= channel < 8 and is_path(f"play/seats/{name}.mp4"):
            found[name] = channel
    return found


def _since(at_ns: int, base_ns: int) -> float:
    return (at_ns - base_ns) / _MS


def _data(
    events: Sequence[Event],
    hearing: Hearing,
    segments: Sequence[Segment],
    base_ns: int,
    end_ns: int,
    span: tuple[int, int] | None,
    pages: dict[tuple[str, int], str],
) -> dict[str, Any]:
    """All that the page shows; times are milliseconds on the time line of the files."""

    def ms(at_ns: int | None) -> float:
        return _since(end_ns if at_ns is None else at_ns, base_ns)

    opening = next((e for e in events if e.kind == "open"), None)
    said: OpenBody = {} if opening is None else cast(OpenBody, opening.body)
    names = {str(t["id"]): str(t.get("name") or t["id"]) for t in hearing.tracks}
    exhibits = {e.id: e for e in hearing.exhibits}
    return {
        "hearing": hearing.id,
        "case": hearing.case,
        "court_name": said.get("court_name", ""),
        "room_name": said.get("room_name", ""),
        "excerpt": None if span is None else [ms(span[0]), ms(span[1])],
        "opened_ms": ms(hearing.opened_ns),
        "opened_utc_ms": hearing.opened_utc_ns / _MS,
        "end_ms": ms(end_ns),
        "lines": [
            {
                "role": line.role,
                "from_ms": ms(line.start_ns),
                "to_ms": ms(line.end_ns),
                "text": line.text,
                "struck": line.struck,
                "versions": [str(v["text"]) for v in line.versions if "text" in v and not v.get("void")],
            }
            for line in transcript_of(events)
        ],
        "pauses": [
            {"from_ms": ms(p.from_ns), "to_ms": ms(p.to_ns), "why": REASONS.get(p.reason, p.reason)}
            for p in hearing.pauses
        ],
        "gaps": [
            {"from_ms": ms(g.from_ns), "to_ms": ms(g.to_ns), "track": names.get(g.track, g.track), "why": g.why}
            for g in hearing.gaps
        ],
        "marks": [{"at_ms": ms(m.at_ns), "text": m.text or m.kind} for m in hearing.marks],
        "shown": [
            {
                "from_ms": ms(p.from_ns),
                "to_ms": ms(p.to_ns),
                "page": p.page,
                "number": exhibits[p.exhibit].number,
                "title": exhibits[p.exhibit].title,
                "file": pages.get((p.exhibit, p.page), f"../exhibits/{exhibits[p.exhibit].sha256}"),
                "type": "image/jpeg" if (p.exhibit, p.page) in pages else exhibits[p.exhibit].media_type,
                "zoom": p.zoom,
                "x": p.x,
                "y": p.y,
            }
            for p in hearing.presentations
            if p.exhibit in exhibits
        ],
        "checks": [
            {"path": media_path(s.track, s.index), "bytes": s.bytes, "sha256": s.sha256, "sm3": s.sm3}
            for s in sorted(segments, key=lambda s: (s.track, s.index))
        ],
    }
