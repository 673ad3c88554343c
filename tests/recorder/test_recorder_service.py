"""The recorder as it runs in a courtroom: opened, paused, closed, killed; with simulated devices."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from hardware import timecode
from sync.media.envelope import unpack_init
from sync.media.fmp4 import index_file
from tests.support.files.decoded_pictures import gray, time_of
from tests.support.files.rebuilt import Unit, rebuilt_file, whole_file
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans, whole

TRACKS = ("bench", "mics", "mix")
RoomOf = Callable[..., RecorderRoom]


def journal(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]


async def test_a_hearing_is_kept_from_open_to_close_without_its_pause(room_of: RoomOf) -> None:
    room = room_of()
    await room.until(room.running, "all sources run")
    assert not any(t["kept"] for t in room.status["tracks"])
    opened_ns = room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: all(t["kept"] for t in room.status["tracks"]), "everything is kept")
    await room.pass_media("bench", 5)  # more than one segment
    paused_ns = room.say("pause", reason="recess")
    await room.until(lambda: not any(t["kept"] for t in room.status["tracks"]), "nothing is kept")
    await room.pass_media("bench", 2)
    resumed_ns = room.say("resume")
    await room.pass_media("bench", 1)
    closed_ns = room.say("close")
    view = await room.closed(*TRACKS)
    assert view.gaps == []
    for track in TRACKS:
        first, second = spans(view, track)
        assert first[0] <= opened_ns < first[0] + 1_200_000_000
        assert paused_ns - 20_000_000 <= first[1] < resumed_ns
        assert paused_ns < second[0] <= resumed_ns
        assert second[1] >= closed_ns - 20_000_000
        segments = [s for s in view.segments if s.track == track]
        assert [s.index for s in segments] == list(range(len(segments)))
        for segment in segments:
            path = room.layout.hearing(room.hearing) / segment.file
            assert segment.bytes == path.stat().st_size
            assert segment.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            index = index_file(path)
            assert (index.fragments[0].from_ns, index.fragments[-1].to_ns) == (segment.from_ns, segment.to_ns)
            assert index.fragments[0].key_frame
            lines = journal(path)
            assert [(x["offset"], x["length"], x["room_ns"]) for x in lines] == [
                (f.offset, f.bytes, f.from_ns) for f in index.fragments
            ]
    assert len([s for s in view.segments if s.track == "bench"]) >= 3


async def test_what_is_live_is_what_is_kept_and_is_one_time_line(
    room_of: RoomOf, acted: tuple[Path, np.ndarray]
) -> None:
    mics = f'driver = "simulated"\nfile = "{acted[0]}"\nchannels = 4\n'
    room = room_of(profile_text(mics, segment_s=60))
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    start_ns = room.play(acted[0], in_s=4.0)  # by then it is decoded, on a busy machine too
    await room.until(lambda: room.clock.now_ns() > start_ns + 7_000_000_000)
    room.say("close")
    await room.closed(*TRACKS)

    # What was published makes byte for byte what is on disk, under an init that says how to open it.
    mime, init = unpack_init(room.inits["bench"][-1].payload)
    assert mime.startswith('video/mp4; codecs="avc1.')
    (file,) = room.files("bench")
    data = file.read_bytes()
    assert data.startswith(init)
    units = [Unit(f.init_id, f.payload, f.utc_ns) for f in room.fragments["bench"]]
    assert rebuilt_file(*whole_file(data), units) == data
    keys = {f.room_ns for f in room.fragments["bench"] if f.key_frame}
    assert {f.from_ns for f in index_file(file).fragments if f.key_frame} <= keys

    # The microphones' track is the sound that was played, bit by bit, where the time line says.
    pcm = acted[1]
    samples, from_ns = decode_sound(room.files("mics")[0])
    at = round((start_ns - from_ns) * 16_000 / 1e9)
    best = max(range(at - 40, at + 41), key=lambda a: int(np.sum(samples[a : a + 48_000] == pcm[:48_000])))
    assert np.array_equal(samples[best : best + 6 * 16_000], pcm[: 6 * 16_000])
    assert abs(best - at) <= 16  # a millisecond

    # The mix says the same at the same time, within the 10 ms that nobody hears.
    mix, mix_from_ns = decode_sound(room.files("mix")[0])
    heard_ns = mix_from_ns + int(np.argmax(np.abs(mix[:, 0].astype(int)) > 2_000)) * 1_000_000_000 // 48_000
    assert abs(heard_ns - (start_ns + 1_000_000_000)) < 10_000_000

    # Each picture shows the UTC of its capture; the file and its journal say the same.
    utc_offset_ns = journal(file)[0]["utc_ns"] - journal(file)[0]["room_ns"]
    errors_ms, lit_ns = [], []
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            shown_ms = timecode.read(gray(frame))
            assert shown_ms is not None
            room_ns = int(time_of(frame) * 1_000_000_000)
            errors_ms.append(shown_ms - (room_ns + utc_offset_ns) / 1e6)
            if gold_pixels(frame) > 500:
                lit_ns.append(room_ns)
    assert abs(float(np.median(errors_ms))) < 20
    # And the seat lights up when its voice begins: the clerk's or the judge's, in this camera.
    assert abs(lit_ns[0] - (start_ns + 1_000_000_000)) < 150_000_000


def decode_sound(path: Path) -> tuple[np.ndarray, int]:
    """(samples of all channels, room time of the first)."""
    with av.open(str(path)) as container:
        blocks = []
        for frame in container.decode(audio=0):
            block = frame.to_ndarray()
            if frame.format.is_planar:
                block = (block.T * 32_767).astype(np.int16)
            blocks.append(block.reshape(-1, len(frame.layout.channels)))
    return np.concatenate(blocks), index_file(path).fragments[0].from_ns


def gold_pixels(frame: av.VideoFrame) -> int:
    hsv = cv2.cvtColor(frame.to_ndarray(format="bgr24"), cv2.COLOR_BGR2HSV)
    return int(np.count_nonzero(cv2.inRange(hsv, (12, 100, 180), (30, 220, 255))))


@pytest.mark.parametrize(("word", "tracks"), [("simulated_camera", ("bench",)), ("microphones", ("mics", "mix"))])
async def test_a_killed_worker_is_back_and_its_gap_is_declared(
    room_of: RoomOf, word: str, tracks: tuple[str, ...]
) -> None:
    room = room_of()
    await room.until(room.running)
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 1)
    before = {t: room.inits[t][-1].init_id for t in TRACKS}
    (pid,) = room.workers(word)
    os.kill(pid, signal.SIGKILL)
    await room.until(lambda: room.track(tracks[0]).get("restarts") == 1 and room.running(), "back")
    assert all(room.inits[t][-1].init_id > before[t] for t in tracks)
    assert all(room.inits[t][-1].init_id == before[t] for t in TRACKS if t not in tracks)
    await room.pass_media(tracks[0], 1)
    room.say("close")
    view = await room.closed(*TRACKS)
    # On a busy machine a simulated camera also leaves out frames, and says so for itself.
    killed = [gap for gap in view.gaps if "来不及" not in gap.why]
    assert {g.track for g in killed} == set(tracks)
    for gap in killed:
        assert "终止" in gap.why
        assert gap.to_ns is not None
    for track in TRACKS:
        (span,) = spans(view, track)  # kept or declared, nothing in between
        assert span[0] <= view.opened_ns
    alarm = next(a for a in view.alarms if a.code == "source")
    assert alarm.cleared_ns is not None


async def test_a_killed_recorder_loses_no_whole_fragment_and_declares_the_gap(room_of: RoomOf) -> None:
    room = room_of(profile_text(segment_s=30))
    await room.until(room.running)
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: all(t["kept"] for t in room.status["tracks"]))
    await room.pass_media("bench", 2)
    children = [*room.workers("simulated_camera"), *room.workers("microphones")]
    await room.end(signal.SIGKILL)
    await room.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "no orphans")
    kept = {t: index_file(room.files(t)[-1], salvage=True) for t in TRACKS}
    with room.files("bench")[-1].open("ab") as torn:  # as a power cut would leave it
        torn.write(b"\0\0\x10\0moof" + bytes(100))
    room.start()
    await room.until(room.running, "runs again")
    await room.pass_media("bench", 2)
    room.say("close")
    view = await room.closed(*TRACKS)
    for track in TRACKS:
        first = next(s for s in view.segments if s.track == track and s.index == 0)
        assert first.to_ns == kept[track].fragments[-1].to_ns
        assert whole(room.files(track)[0])
        (span,) = spans(view, track)
        assert view.closed_ns is not None
        assert span[1] >= view.closed_ns - 20_000_000
        (gap,) = [g for g in view.gaps if g.track == track]
        assert gap.from_ns == first.to_ns
        assert "录制服务" in gap.why


async def test_a_recorder_that_was_dead_at_the_close_still_says_what_is_missing(room_of: RoomOf) -> None:
    room = room_of()
    await room.until(room.running)
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("mics", 1)
    assert await room.end() == 0  # stopped by systemd: segments are closed on the way out
    assert {s.track for s in room.view().segments} == set(TRACKS)
    closed_ns = room.say("close")
    room.start()
    view = await room.closed(*TRACKS)
    for track in TRACKS:
        (gap,) = [g for g in view.gaps if g.track == track]
        assert gap.to_ns == closed_ns


async def test_levels_status_and_thumbnails_are_told(room_of: RoomOf) -> None:
    room = room_of()
    await room.until(room.running)
    await room.until(lambda: room.thumbs.get("bench") and room.levels, "thumbnail and levels")
    assert set(room.levels["seats"]) == {"judge", "plaintiff", "defendant", "clerk"}
    assert -90 < room.levels["seats"]["judge"]["rms_db"] < -60
    picture = cv2.imdecode(np.frombuffer(room.thumbs["bench"].payload, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (180, 320, 3)
    assert room.status["disk"]["hours_left"] > 0
    assert [t["id"] for t in room.status["tracks"]] == list(TRACKS)


async def test_a_second_recorder_of_the_same_room_is_refused(room_of: RoomOf) -> None:
    room = room_of()
    await room.until(room.running)
    second = room_of()
    assert second._process is not None
    assert second._process.wait(20) == 2
    assert "another recorder" in (room.folder / "recorder.log").read_text(encoding="utf-8")


async def test_a_wrong_hearing_folder_ends_the_service_with_one_line(room_of: RoomOf) -> None:
    room = room_of(profile_text(mics='driver = "simulated"\nfile = "nowhere"\nchannels = 4\n'))
    assert room._process is not None
    assert room._process.wait(20) == 2
    assert "Traceback" not in (room.folder / "recorder.log").read_text(encoding="utf-8")


async def test_a_camera_that_was_held_up_leaves_frames_out_and_is_in_time_again(room_of: RoomOf) -> None:
    room = room_of()
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 2)
    (camera,) = room.workers("hardware.workers.simulated_camera")
    os.kill(camera, signal.SIGSTOP)
    await room.pass_media("mics", 1.2)
    os.kill(camera, signal.SIGCONT)
    await room.pass_media("bench", 2)
    closed_ns = room.say("close")
    view = await room.closed(*TRACKS)
    gaps = [gap for gap in view.gaps if gap.track == "bench"]
    assert gaps, "frames that were left out are declared"
    assert sum((gap.to_ns or 0) - gap.from_ns for gap in gaps) > 500_000_000
    # The track reaches the end of the hearing: its media time did not fall behind the room's. It may run past it by as
    # long as the recorder took to hear of the close, and by no more than what was captured since.
    assert closed_ns - 300_000_000 < max(to for _, to in spans(view, "bench")) <= room.clock.now_ns()
