"""An honest hearing, made by the parts that make one in a courtroom: ffmpeg's media, the recorder's selector and
segments, the room's log, the notary's checkpoints and seal, a certificate and the center's cosignature."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.integrity.notary import Notary
from edge.state.shown import Words
from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.storage.gaps import MissingSpan
from recorder.storage.segment import ClosedSegment, SegmentFile, next_index
from recorder.storage.selector import FragmentSelector
from recorder.storage.stretch import Stretch
from sync.ledger import keys
from sync.ledger.note import Note, cosign, read_note
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ns, to_ticks
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.runtime.files.digests import checks_of
from tests.support.files.kept_fragments import keep

S = 1_000_000_000
ROOM = "jianshan/room-03"
OPENED_NS = 5_000 * S
OPENED_UTC_NS = 1_709_343_000 * S
"""2024-03-02 01:30 UTC."""
OFFSET_NS = OPENED_UTC_NS - OPENED_NS
LENGTH_S = 8
TRACKS = [
    {"id": "judge", "kind": "video", "name": "审判席"},
    {"id": "mics", "kind": "audio", "name": "话筒"},
    {"id": "mix", "kind": "audio", "name": "混音"},
]
SEATS = [
    {"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0},
    {"id": "clerk", "role": "书记员", "roles": ["书记员"], "channel": 1},
]
CASE = {
    "id": "d-1",
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "title": "张三诉李四",
    "parties": {"原告": "张三", "被告": "李四", "书记员": "王五"},
    "public": True,
}
_PAGE = b"BT /F1 36 Tf 72 700 Td (IOU 50000) Tj ET 72 680 300 4 re f"
PDF = (
    b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
    b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
    b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n" % (len(_PAGE), _PAGE)
)
_FLAGS = "-movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer -frag_duration 120000 -f mp4"
_MAKE = {
    "judge": f"-f lavfi -i testsrc2=s=320x180:r=25 -t {LENGTH_S + 2} -c:v libx264 -preset ultrafast -g 25 -bf 0"
    " -pix_fmt yuv420p",
    "mics": f"-f lavfi -i sine=f=440:r=16000 -t {LENGTH_S + 2} -ac 2 -c:a flac -frame_size 800 -strict -2",
    "mix": f"-f lavfi -i sine=f=440:r=48000 -t {LENGTH_S + 2} -ac 1 -c:a aac -b:a 64k",
}


@dataclass
class Media:
    """What ffmpeg made of one track, from zero."""

    run: WorkerRun
    fragments: list[Fragment]


def make_media(folder: Path) -> dict[str, Media]:
    """Real H.264, FLAC and AAC."""
    made = {}
    for track, words in _MAKE.items():
        path = folder / f"{track}.mp4"
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *words.split(), *_FLAGS.split(), str(path)], check=True)
        reader = BoxReader()
        found = list(reader.feed(path.read_bytes()))
        (init,) = [item for item in found if isinstance(item, Init)]
        made[track] = Media(WorkerRun(1, init), [item for item in found if isinstance(item, Fragment)])
    return made


class FixedClock:
    """Both clocks of a machine, set by hand."""

    def __init__(self) -> None:
        self.now_ns = OPENED_NS
        self.offset_ns = OFFSET_NS

    def monotonic_ns(self) -> int:
        return self.now_ns

    def utc_ns(self) -> int:
        return self.now_ns + self.offset_ns


class Tape:
    """One track of the recorder: its real selector and segments, without threads."""

    def __init__(self, folder: Path, hearing: str, segment_s: int) -> None:
        self.selector = FragmentSelector(self._offer, self._finish, self._missing)
        self._folder, self._hearing, self._segment_ns = folder, hearing, segment_s * S
        self._orders: deque[StampedFragment | int] = deque()
        self._segment: SegmentFile | None = None
        self.closed: list[ClosedSegment] = []
        self.gaps: list[MissingSpan] = []

    def _offer(self, hearing: str, fragment: StampedFragment) -> bool:
        self._orders.append(fragment)
        return True

    def _finish(self, hearing: str, until_ns: int) -> bool:
        self._orders.append(until_ns)
        return True

    def _missing(self, missing: MissingSpan) -> None:
        self.gaps.append(missing)

    def work(self) -> None:
        while self._orders:
            order = self._orders.popleft()
            if isinstance(order, int):
                self._close()
                self.selector.finished(self._hearing, order)
                continue
            segment = self._segment
            if segment is not None and order.key_frame and order.from_ns - segment.from_ns >= self._segment_ns:
                self._close()
            if self._segment is None:
                self._segment = SegmentFile(self._folder, next_index(self._folder), order.run)
            keep(self._segment, order)
            self.selector.kept(self._hearing, order)

    def _close(self) -> None:
        if self._segment is not None and (closed := self._segment.close()) is not None:
            self.closed.append(closed)
        self._segment = None


@dataclass
class Center:
    """The center's key, and what it says."""

    key: Ed25519PrivateKey

    def enroll(self, layout: RoomPaths, at: dt.datetime, room: str = ROOM) -> Ed25519PrivateKey:
        device = keys.make_key(layout.device_key)
        layout.keys.mkdir(exist_ok=True)
        layout.device_certificate.write_bytes(keys.issue(keys.certificate_request(device, room), room, self.key, at))
        layout.center_key.write_bytes(keys.public_pem(self.key.public_key()))
        return device

    def witness(self, note: str, unix_s: int) -> str:
        read = read_note(note)
        return Note(read.text, (*read.lines, cosign(read, keys.CENTER, self.key, unix_s))).to_text()


@dataclass
class Story:
    """What happens in a hearing, in seconds after the opening."""

    pause: tuple[float, float, str] | None = None
    lost: tuple[float, float] | None = None
    """The camera gives nothing."""
    seal: bool = True
    close: bool = True
    segment_s: int = 2
    shift_s: int = 0
    """How late the media begins."""
    words: list[tuple[float, float, str, str]] = field(
        default_factory=lambda: [
            (0.5, 1.5, "judge", "现在开庭。"),
            (1.8, 2.6, "clerk", "请核对当事人身份。"),
            (6.2, 7.0, "judge", "本案借款金额是五万元。"),
        ]
    )


class HonestRoom:
    """A room's data folder with one hearing in it."""

    def __init__(self, data: Path, hearing: str, center: Center | None, device_at: dt.datetime | None = None) -> None:
        self.layout = RoomPaths(data)
        self.hearing = hearing
        self.center = center
        self.time = FixedClock()
        self.clock = RoomClock(0, self.time)
        at = device_at or dt.datetime.fromtimestamp(OPENED_UTC_NS / 1e9 - 86_400, dt.UTC)
        self.device = keys.make_key(self.layout.device_key) if center is None else center.enroll(self.layout, at)
        self.log = RoomLog(self.layout.log)
        self.checkpoints = Checkpoints(self.layout.log)
        self._s = 0.0
        self.words = Words.DONE
        self.notary = Notary(
            ROOM,
            self.device,
            self.clock,
            self.log,
            self.checkpoints,
            words=lambda *_: self.words,
            monotonic=lambda: self._s,
        )

    def say(self, kind: str, body: dict[str, Any], at_s: float) -> None:
        """An event at a moment after the opening."""
        room_ns = OPENED_NS + round(at_s * S)
        self.time.now_ns = max(self.time.now_ns, room_ns)
        self.log.append(kind, body, hearing=self.hearing, room_ns=room_ns, utc_ns=room_ns + OFFSET_NS)

    def sign(self) -> None:
        """The notary looks, and the center answers."""
        self._s += 30
        self.time.now_ns += S // 10
        self.notary.step()
        last = self.checkpoints.last(self.hearing)
        if last is not None and self.center is not None and last.witnessed is None:
            unix_s = (self.time.utc_ns()) // S + 1
            self.checkpoints.witnessed(self.hearing, last.size, self.center.witness(last.note, unix_s))

    def hold(self, media: dict[str, Media], story: Story) -> None:
        """The whole hearing."""
        self._open()
        exhibit = hashlib.sha256(PDF).hexdigest()
        folder = self.layout.exhibits(self.hearing)
        folder.mkdir(parents=True)
        (folder / exhibit).write_bytes(PDF)
        events: list[tuple[float, str, dict[str, Any]]] = [
            (
                1.0,
                "exhibit",
                {
                    "id": "e1",
                    "number": 1,
                    "title": "借条",
                    "filename": "借条.pdf",
                    "media_type": "application/pdf",
                    "sha256": exhibit,
                    "sm3": checks_of(folder / exhibit).sm3,
                    "bytes": len(PDF),
                    "pages": 1,
                },
            ),
            (2.0, "present", {"exhibit": "e1", "page": 1, "zoom": 1.0, "x": 0.5, "y": 0.5}),
            (3.0, "withdraw", {}),
            (3.2, "mark", {"id": "m1", "kind": "重点", "text": "借条原件"}),
        ]
        for n, (start, end, seat, text) in enumerate(story.words):
            role = next(s["role"] for s in SEATS if s["id"] == seat)
            body = {
                "id": f"u{n}",
                "seat": seat,
                "role": role,
                "start_ns": OPENED_NS + round(start * S),
                "end_ns": OPENED_NS + round(end * S),
                "text": text,
                "confidence": 0.9,
                "words": [],
            }
            events.append((end + 0.3, "utterance", body))
        if story.pause is not None:
            events += [(story.pause[0], "pause", {"reason": story.pause[2]}), (story.pause[1], "resume", {})]
        events.append(
            (
                4.5 if story.pause is None else 3.5,
                "revision",
                {"id": "u1", "text": "请当事人核对身份。", "by": "书记员"},
            )
        )
        for n, (at, kind, body) in enumerate(sorted(events, key=lambda e: e[0])):
            self.say(kind, body, at)
            if n % 2:
                self.sign()
        if story.close:
            self.say("close", {}, LENGTH_S)
        for track, made in media.items():
            self._record(track, made, story)
        self.sign()
        for _ in range(2 if story.seal else 0):
            self.sign()

    def _open(self) -> None:
        court, room = ROOM.split("/")
        body = {
            "case": CASE,
            "seats": SEATS,
            "tracks": TRACKS,
            "court": court,
            "room": room,
            "court_name": "尖山区人民法院",
            "room_name": "第三法庭",
        }
        self.say("open", body, 0)
        self.say("clock", {"by_ns": 0, "source": "chrony", "error_ms": 1.5}, 0)

    def _record(self, track: str, made: Media, story: Story) -> None:
        tape = Tape(self.layout.track(self.hearing, track), self.hearing, story.segment_s)
        end = OPENED_NS + LENGTH_S * S if story.close else None
        stretches = [Stretch(OPENED_NS, end)]
        if story.pause is not None:
            at = [OPENED_NS + round(second * S) for second in story.pause[:2]]
            stretches = [Stretch(OPENED_NS, at[0]), Stretch(at[1], end)]
        tape.selector.want(self.hearing, stretches, ended=story.close)
        init = made.run.init
        base = to_ticks(OPENED_NS + story.shift_s * S, init.timescale)
        for number, fragment in enumerate(made.fragments):
            from_ns = to_ns(base + fragment.decode_time, init.timescale)
            lost = story.lost if track == "judge" else None
            if lost is not None and lost[0] * S <= from_ns - OPENED_NS < lost[1] * S:
                tape.selector.trouble(from_ns, "摄像机断线")
                continue
            stamped = retime(fragment, init, base + fragment.decode_time, number, from_ns + OFFSET_NS)
            to = to_ns(base + fragment.decode_time + fragment.duration, init.timescale)
            tape.selector.fragment(
                StampedFragment(made.run, number, stamped.data, from_ns, to, from_ns + OFFSET_NS, fragment.key_frame)
            )
            tape.work()
        tape.selector.tick(OPENED_NS + 60 * S)
        tape.work()
        for closed in tape.closed:
            body = {
                "track": track,
                "index": closed.index,
                "file": f"{track}/{closed.path.name}",
                "bytes": closed.bytes,
                "sha256": closed.sha256,
                "sm3": closed.sm3,
                "from_ns": closed.from_ns,
                "to_ns": closed.to_ns,
                "fragments": closed.fragments,
                "mime": closed.mime,
            }
            self.say("segment", body, LENGTH_S + 0.1)
        for gap in tape.gaps:
            self.say(
                "gap", {"track": track, "from_ns": gap.from_ns, "to_ns": gap.to_ns, "why": gap.why}, LENGTH_S + 0.2
            )

    def close(self) -> None:
        self.checkpoints.close()
        self.log.close()
