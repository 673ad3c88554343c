"""How fast a folder is verified: a hearing whose media was really encoded, sealed and witnessed, in its own folder.

Ten seconds of a busy picture (H.264), of the microphones (FLAC) and of the mix (AAC) are repeated on the time line
until the folder is large enough: about as many fragments a megabyte as a courtroom makes. What is measured is all
twelve steps over the whole folder, from a page cache that may be warm: the disk is not what is measured.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from sync.errors import DeviceError, LedgerError
from sync.ledger import keys
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.note import Note, cosign, read_note, sign
from sync.ledger.seal import body_of
from sync.ledger.tree import Tree, leaf_hash
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ns, to_ticks
from sync.record.event import seal_key
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.runtime.files.digests import Digests
from wutong.export.bundle import export
from wutong.export.sources.room import RoomSource
from wutong.verify.case import ExportCase
from wutong.verify.examine import examine
from wutong.verify.verdict import Verdict

HEARING = "20260101-000000-00000000"
ROOM = "bench/room"
CLIP_S = 10
SEGMENT_CLIPS = 6
NS = 1_000_000_000
_PICTURE = (
    f"-f lavfi -i testsrc2=s=960x540:r=25,noise=alls=12:allf=t -t {CLIP_S} -c:v libx264 -preset ultrafast -b:v 8M "
    "-maxrate 8M -bufsize 8M -g 25 -bf 0 -pix_fmt yuv420p"
)
_CLIPS = {
    "camera": ("video", _PICTURE),
    "mics": ("audio", f"-f lavfi -i anoisesrc=r=16000:a=0.02 -t {CLIP_S} -ac 4 -c:a flac -frame_size 800 -strict -2"),
    "mix": ("audio", f"-f lavfi -i anoisesrc=r=48000:a=0.02 -t {CLIP_S} -ac 1 -c:a aac -b:a 64k"),
}
_FORM = "-movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer -frag_duration 120000 -f mp4"


async def measure(folder: Path, megabytes: int, console: Console) -> Mapping[str, Any]:
    """`verify_mb_per_s` (10^6 bytes of media), and what was verified."""
    return await asyncio.to_thread(_measure, folder, megabytes, console)


def _measure(folder: Path, megabytes: int, console: Console) -> Mapping[str, Any]:
    center = Ed25519PrivateKey.generate()
    with console.status(f"a hearing of {megabytes} MB"):
        _hold(RoomPaths(folder / "room"), center, megabytes * 1_000_000)
        source = RoomSource(folder / "room", HEARING)
        export(source, folder / "export", people=False)
        source.close()
    with console.status("verifying"):
        began, began_cpu = time.perf_counter(), time.process_time()
        case = ExportCase(folder / "export", center.public_key())
        judgment = examine(case)
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    if judgment.verdict not in (Verdict.AUTHENTIC, Verdict.WITH_GAPS):
        raise LedgerError(f"the bench's own hearing is {judgment.verdict.word}: a figure of it would mean nothing")
    return {
        "verify_mb_per_s": round(judgment.media_bytes / 1e6 / took_s, 1),
        "verdict": judgment.verdict.word,
        "media_mb": round(judgment.media_bytes / 1e6, 1),
        "segments": len(case.media),
        "fragments": sum(fact.fragments for fact in case.media.values()),
        "leaves": judgment.leaves,
        "seconds": round(took_s, 2),
        "cpu_seconds": round(cpu_s, 2),
    }


def _clip(words: str) -> tuple[Init, list[Fragment]]:
    arguments = ["ffmpeg", "-v", "error", "-nostdin", *words.split(), *_FORM.split(), "pipe:1"]
    try:
        data = subprocess.run(arguments, capture_output=True, check=True, timeout=300).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise DeviceError(f"ffmpeg could not make the media of the bench: {error}") from error
    found = list(BoxReader().feed(data))
    (init,) = [item for item in found if isinstance(item, Init)]
    return init, [item for item in found if isinstance(item, Fragment)]


def _hold(layout: RoomPaths, center: Ed25519PrivateKey, wanted: int) -> None:
    """A whole hearing as a room's data folder has it."""
    clock = RoomClock.open(layout.clock)
    opened_ns, utc_ns = clock.now_ns(), clock.utc_now_ns()
    log, checkpoints = RoomLog(layout.log), Checkpoints(layout.log)
    clips = {track: _clip(words) for track, (_, words) in _CLIPS.items()}
    clip_bytes = sum(len(f.data) for _, fragments in clips.values() for f in fragments)
    rounds = max(wanted // clip_bytes + 1, 1)

    def say(kind: str, body: Mapping[str, Any], at_ns: int, key: str | None = None) -> None:
        at_utc_ns = utc_ns + at_ns - opened_ns
        log.append(kind, body, hearing=HEARING, room_ns=at_ns, utc_ns=at_utc_ns, key=key)

    tracks = [{"id": track, "kind": kind, "name": track} for track, (kind, _) in _CLIPS.items()]
    say(
        "open",
        {"case": {"case_no": "bench"}, "seats": [], "tracks": tracks, "court": "bench", "room": "room"},
        opened_ns,
    )
    end_ns = opened_ns + rounds * CLIP_S * NS
    say("close", {}, end_ns)
    for track, (init, fragments) in clips.items():
        for index, first in enumerate(range(0, rounds, SEGMENT_CLIPS)):
            clips_here = range(first, min(first + SEGMENT_CLIPS, rounds))
            body = _segment(layout, track, index, init, fragments, clips_here, opened_ns, utc_ns - opened_ns)
            say("segment", body, end_ns)
    for body in _short(log, tracks, end_ns):
        say("gap", body, end_ns)
    tree = Tree()
    events = log.of_hearing(HEARING)
    for event in events:
        tree.append(leaf_hash(leaf_of(event)))
    say("seal", body_of(0, tree, events, words_complete=True), end_ns, seal_key(HEARING, 0))
    seal = log.of_hearing(HEARING)[-1]
    tree.append(leaf_hash(leaf_of(seal)))
    device = keys.make_key(layout.device_key)
    now = dt.datetime.now(dt.UTC)
    layout.keys.mkdir(exist_ok=True)
    layout.device_certificate.write_bytes(keys.issue(keys.certificate_request(device, ROOM), ROOM, center, now))
    head = Checkpoint(ROOM, HEARING, tree.size, tree.root(), seal.number, clock.utc_now_ns())
    note = sign(head.to_text(), ROOM, device)
    witnessed = Note(note.text, (*note.lines, cosign(note, keys.CENTER, center, int(now.timestamp())))).to_text()
    checkpoints.add(HEARING, tree.size, read_note(note.to_text()).to_text(), seal=True)
    checkpoints.witnessed(HEARING, tree.size, witnessed)
    checkpoints.close()
    log.close()


def _segment(
    layout: RoomPaths,
    track: str,
    index: int,
    init: Init,
    fragments: list[Fragment],
    clips: range,
    opened_ns: int,
    offset_ns: int,
) -> dict[str, Any]:
    """Write one file; the body of its event."""
    path = layout.track(HEARING, track) / f"{index:05d}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    digests, size, count = Digests(), 0, 0
    from_ns = to_ns_ = 0
    with path.open("wb") as file:

        def put(data: bytes) -> None:
            nonlocal size
            file.write(data)
            digests.update(data)
            size += len(data)

        put(init.data)
        for clip in clips:
            base = to_ticks(opened_ns + clip * CLIP_S * NS, init.timescale)
            for fragment in fragments:
                at = base + fragment.decode_time
                if fragment.decode_time >= CLIP_S * init.timescale:
                    continue  # what an encoder says beyond the end would overlap the next
                at_ns = to_ns(at, init.timescale)
                put(retime(fragment, init, at, count, at_ns + offset_ns).data)
                from_ns = from_ns or at_ns
                to_ns_ = max(to_ns_, to_ns(at + fragment.duration, init.timescale))
                count += 1
    checks = digests.checks()
    return {
        "track": track,
        "index": index,
        "file": f"{track}/{path.name}",
        "bytes": size,
        "sha256": checks.sha256,
        "sm3": checks.sm3,
        "from_ns": from_ns,
        "to_ns": to_ns_,
        "fragments": count,
        "mime": init.mime,
    }


def _short(log: RoomLog, tracks: list[dict[str, str]], end_ns: int) -> list[dict[str, Any]]:
    """Tracks whose last clip ends a little early have a gap there, as the recorder would say."""
    last = {track["id"]: 0 for track in tracks}
    for event in log.of_hearing(HEARING):
        if event.kind == "segment":
            last[str(event.body["track"])] = max(last[str(event.body["track"])], int(event.body["to_ns"]))
    return [
        {"track": track, "from_ns": at_ns, "to_ns": end_ns, "why": "end of the clip"}
        for track, at_ns in last.items()
        if end_ns - at_ns > 10_000_000
    ]
