"""Confidence monitoring: closed files are decoded again and compared with what was heard and seen live."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.monitoring.live_meters import PictureMeters, SoundMeters
from recorder.monitoring.picture import PictureWatch
from recorder.readback.compare import differences
from recorder.readback.job import Job
from recorder.readback.queue import Checked, ReadBackQueue
from sync.media.fmp4 import BoxReader, Fragment, index_file, to_ns
from sync.runtime.files.digests import checks_of
from sync.runtime.process.service import cancel_and_wait
from tests.support.rooms.recorder_room import RecorderRoom, profile_text

S = 1_000_000_000
RATE = 16_000
RoomOf = Callable[..., RecorderRoom]


def film(path: Path, source: str) -> Path:
    command = f"ffmpeg -v error -y -f lavfi -i {source} -t 8 -c:v libx264 -preset ultrafast -g 25 -bf 0"
    options = "-pix_fmt yuv420p -movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer"
    subprocess.run([*f"{command} {options}".split(), str(path)], check=True)
    return path


def seen_live(path: Path) -> PictureMeters:
    """What the live meter would have said of these pictures."""
    reader, watch, meters = BoxReader(), PictureWatch(), PictureMeters()
    fragments = [i for i in reader.feed(path.read_bytes()) if isinstance(i, Fragment)]
    assert reader.init is not None
    scale = reader.init.timescale
    for n, f in enumerate(fragments):
        start, end = to_ns(f.decode_time, scale), to_ns(f.decode_time + f.duration, scale)
        findings = watch.inspect(StampedFragment(WorkerRun(1, reader.init), n, f.data, start, end, 0, True))
        assert findings.signature is not None
        meters.add(start, findings.signature)
    return meters


def voices(seconds: int = 8) -> np.ndarray:
    """Two seats that speak all the time."""
    pcm = np.random.default_rng(7).normal(0, 2_000, (RATE * seconds, 2))
    return np.clip(pcm, -30_000, 30_000).astype(np.int16)


def sound(path: Path, pcm: np.ndarray) -> Path:
    command = f"ffmpeg -v error -y -f s16le -ar {RATE} -ch_layout stereo -i pipe:0 -c:a flac -strict -2 -frame_size 800"
    options = "-movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer -frag_duration 120000 -f mp4"
    subprocess.run([*f"{command} {options}".split(), str(path)], input=pcm.tobytes(), check=True)
    return path


def heard_live(pcm: np.ndarray) -> SoundMeters:
    meters = SoundMeters()
    for at in range(0, len(pcm), RATE // 10):
        block = pcm[at : at + RATE // 10].astype(float)
        levels = zip(np.abs(block).max(0), np.sqrt((block**2).mean(0)), (abs(block) >= 32_767).mean(0), strict=True)
        meters.add((at + RATE // 10) * S // RATE, [(int(p), float(r), float(c)) for p, r, c in levels])
    return meters


def job(path: Path, live: PictureMeters | SoundMeters, **other: Any) -> Job:
    index = index_file(path)
    span = (index.fragments[0].from_ns, index.fragments[-1].to_ns)
    video = isinstance(live, PictureMeters)
    facts: dict[str, Any] = {
        "path": path,
        "kind": "video" if video else "audio",
        "bytes": path.stat().st_size,
        "sha256": checks_of(path).sha256,
        "from_ns": span[0],
        "to_ns": span[1],
        "fragments": len(index.fragments),
        "channels": [] if video else ["审判长", "书记员"],
        "seconds": [] if isinstance(live, PictureMeters) else live.between(*span),
        "signatures": live.between(*span) if isinstance(live, PictureMeters) else [],
    }
    return Job(**{**facts, **other})


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "moving.mp4", "testsrc2=s=320x180:r=25")


def test_a_file_that_is_what_was_seen_and_heard_is_right(tmp_path: Path, moving: Path) -> None:
    assert differences(job(moving, seen_live(moving))) == []
    pcm = voices()
    assert differences(job(sound(tmp_path / "s.mp4", pcm), heard_live(pcm))) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("color=black:s=320x180:r=25", "全黑"),
        ("smptebars=s=320x180:r=25", "静止不动"),
        ("mandelbrot=s=320x180:r=25", "与直播不符"),
    ],
    ids=["black", "frozen", "another"],
)
def test_a_picture_that_is_not_the_one_of_the_live_meter_is_named(
    tmp_path: Path, moving: Path, source: str, what: str
) -> None:
    (found,) = differences(job(film(tmp_path / "wrong.mp4", source), seen_live(moving)))
    assert what in found


def test_a_changed_byte_is_found_though_everything_still_decodes(tmp_path: Path, moving: Path) -> None:
    data = bytearray(moving.read_bytes())
    changed = tmp_path / "changed.mp4"
    data[-30] ^= 1
    changed.write_bytes(data)
    found = differences(job(changed, seen_live(moving), sha256=checks_of(moving).sha256))
    assert any("校验值不符" in what for what in found)


def test_a_file_that_lost_its_end_is_too_short(tmp_path: Path, moving: Path) -> None:
    good = job(moving, seen_live(moving))
    short = tmp_path / "short.mp4"
    short.write_bytes(moving.read_bytes()[: index_file(moving).fragments[5].offset])
    found = "；".join(differences(good.model_copy(update={"path": short})))
    for what in (
        "文件长度不符",
        "校验值不符",
        "有 5 个片段，应为 8 个",
        "时长不符（5.00 秒，应为 8.00 秒）",
        "少了 3 个",
    ):
        assert what in found


def test_zeros_in_the_media_are_found_by_decoding_them(tmp_path: Path, moving: Path) -> None:
    data = bytearray(moving.read_bytes())
    fragment = index_file(moving).fragments[3]
    at = data.index(b"mdat", fragment.offset) + 4
    data[at : fragment.offset + fragment.bytes] = bytes(fragment.offset + fragment.bytes - at)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    assert differences(job(broken, seen_live(moving))) == ["少了 1 个直播中看到的画面"]


def test_a_file_that_is_gone_or_no_media_is_said(tmp_path: Path, moving: Path) -> None:
    good = job(moving, seen_live(moving))
    assert "读不出来" in differences(good.model_copy(update={"path": tmp_path / "none.mp4"}))[0]
    (tmp_path / "text.mp4").write_text("not media at all" * 100)
    assert "无法解码" in differences(good.model_copy(update={"path": tmp_path / "text.mp4"}))[-1]


def test_a_silent_a_faint_a_foreign_and_a_distorted_channel_are_named(tmp_path: Path) -> None:
    pcm = voices()
    wrong = pcm.copy()
    wrong[:, 1] = 0
    assert differences(job(sound(tmp_path / "a.mp4", wrong), heard_live(pcm))) == ["书记员：文件中没有声音，现场有"]
    wrong[:, 1] = pcm[:, 1] // 30
    assert differences(job(sound(tmp_path / "b.mp4", wrong), heard_live(pcm))) == ["书记员：文件中的声音比现场小得多"]
    wrong[:, 1] = np.where(pcm[:, 1] > 0, 32_767, -32_768)
    found = differences(job(sound(tmp_path / "c.mp4", wrong), heard_live(pcm)))
    assert set(found) == {"书记员：文件中的声音失真，现场没有", "书记员：文件中有现场没有的声音"}
    assert any("没有这一声道" not in what for what in found)


def test_the_mix_is_silent_only_if_nobody_spoke(tmp_path: Path) -> None:
    pcm, still = voices(), np.zeros((RATE * 8, 2), np.int16)
    file = sound(tmp_path / "mix.mp4", still)
    assert differences(job(file, heard_live(pcm), channels=[])) == ["文件中没有声音，现场有"]
    assert differences(job(file, heard_live(still), channels=[])) == []


def test_a_word_shorter_than_three_seconds_is_no_difference(tmp_path: Path) -> None:
    pcm = voices()
    wrong = pcm.copy()
    wrong[3 * RATE : 5 * RATE] = 0
    assert differences(job(sound(tmp_path / "s.mp4", wrong), heard_live(pcm))) == []


async def test_a_reader_that_dies_is_replaced_and_one_that_cannot_keep_up_says_so(moving: Path) -> None:
    told: list[Checked] = []
    skipped: list[int] = []
    back = ReadBackQueue(told.append, skipped.append)
    good = job(moving, seen_live(moving))
    for index in range(70):
        back.check("h", "bench", index, lambda: good)
    assert skipped == [1, 2, 3, 4, 5, 6]
    running = asyncio.create_task(back.run())
    try:
        async with asyncio.timeout(60):
            while not told:
                await asyncio.sleep(0.02)
            assert back.pid is not None
            os.kill(back.pid, signal.SIGKILL)
            while len(told) < 64 or skipped[-1]:
                await asyncio.sleep(0.02)
    finally:
        await cancel_and_wait(running)
    assert [c.index for c in told] == list(range(6, 70))
    assert all(c.found == () for c in told)


def readback_alarms(room: RecorderRoom) -> list[dict[str, Any]]:
    return [a for a in room.status.get("alarms", []) if a["code"] == "readback"]


async def test_a_file_that_was_damaged_after_writing_is_an_alarm_on_the_screens_and_in_the_log(
    room_of: RoomOf,
) -> None:
    room = room_of(profile_text(segment_s=4))
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: {"bench", "mics", "mix"} <= {s.track for s in room.view().segments}, "first segments")
    await room.until(lambda: room.workers("recorder.readback.worker"), "the reader")
    (reader,) = room.workers("recorder.readback.worker")
    os.kill(reader, signal.SIGSTOP)
    try:
        index = max(s.index for s in room.view().segments if s.track == "bench")
        await room.until(
            lambda: any(s.track == "bench" and s.index > index for s in room.view().segments), "the next segment"
        )
        damaged = room.files("bench")[index + 1]
        with damaged.open("r+b") as file:
            file.seek(damaged.stat().st_size // 2)
            file.write(bytes(4096))
    finally:
        os.kill(reader, signal.SIGCONT)
    await room.until(lambda: readback_alarms(room), "the alarm")
    (alarm,) = readback_alarms(room)
    assert alarm["subject"] == "bench"
    assert alarm["text"].startswith(f"审判席第 {index + 2} 段录像与现场不符：文件内容已改变")
    await room.until(lambda: any(a.code == "readback" for a in room.view().alarms), "the event")
    await room.until(lambda: not readback_alarms(room), "the next files are right")
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert [a.subject for a in view.alarms if a.code == "readback"] == ["bench"]
