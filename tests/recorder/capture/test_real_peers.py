"""Real devices behind the same interface: PortAudio on a PulseAudio null sink, and an RTSP camera of GStreamer."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from sync.media.fmp4 import BoxReader, Fragment
from tests.support.peers.gstreamer_camera import gstreamer_camera
from tests.support.peers.pulse_peer import PulsePeer
from tests.support.rooms.recorder_room import SIMULATED_CAMERA, SIMULATED_MICS, RecorderRoom, profile_text, spans

RoomOf = Callable[..., RecorderRoom]


@pytest.fixture
def card(tmp_path: Path) -> Iterator[PulsePeer]:
    peer = PulsePeer(tmp_path / "pulse", channels=4, rate_hz=16_000)
    yield peer
    peer.stop()


@pytest.fixture
def camera_url() -> Iterator[str]:
    with gstreamer_camera("--user", "court", "s3cret-word") as place:
        yield f"rtsp://court:s3cret-word@{place}"


async def test_sound_from_portaudio_is_kept_bit_by_bit(room_of: RoomOf, card: PulsePeer) -> None:
    mics = 'driver = "pyaudio"\ndevice = "courtroom"\nchannels = 4\n'
    room = room_of(profile_text(mics, SIMULATED_CAMERA, segment_s=60), card.environment)
    await room.until(room.running, "the sound card is heard")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: room.track("mics").get("kept"))
    pcm = np.random.default_rng(6).integers(-9_000, 9_000, (3 * 16_000, 4)).astype(np.int16)
    player = card.play(pcm.tobytes(), 4, 16_000)
    await room.until(lambda: room.levels["seats"]["judge"]["peak_db"] > -20, "the level moves")
    assert await asyncio.to_thread(player.wait, 30) == 0
    await room.until(lambda: room.levels["seats"]["judge"]["peak_db"] <= -80, "and rests")
    await room.pass_media("mics", 0.5)
    room.say("close")
    view = await room.closed("mics", "mix")
    assert len(spans(view, "mics")) == 1
    kept = b""
    for path in room.files("mics"):
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                assert len(frame.layout.channels) == 4
                kept += frame.to_ndarray().tobytes()
    samples = np.frombuffer(kept, np.int16).reshape(-1, 4)
    # The sound server swallows the first milliseconds of a player; from then on every sample is there.
    (place,) = np.flatnonzero((samples == pcm[4_000]).all(axis=1))
    assert np.array_equal(samples[place : place + 44_000], pcm[4_000:])


async def test_a_channel_without_any_signal_is_an_alarm_of_the_hearing(room_of: RoomOf, card: PulsePeer) -> None:
    # A null sink that nobody feeds gives exact zeros, as a dead cable does.
    mics = 'driver = "pyaudio"\ndevice = "courtroom"\nchannels = 4\n'
    room = room_of(profile_text(mics), card.environment)
    await room.until(room.running)
    assert room.status["alarms"] == []
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: len([a for a in room.status["alarms"] if a["code"] == "silence"]) == 4, "four alarms")
    seats = {"judge", "plaintiff", "defendant", "clerk"}
    await room.until(lambda: {a.subject for a in room.view().alarms} == seats, "an event for each")


async def test_a_device_that_is_not_there_is_said_with_those_that_are(room_of: RoomOf, card: PulsePeer) -> None:
    mics = 'driver = "pyaudio"\ndevice = "Dante"\nchannels = 4\n'
    room = room_of(profile_text(mics), card.environment)
    await room.until(lambda: room.track("mics").get("state") == "failed" and room.track("mics")["why"])
    assert "Dante" in room.track("mics")["why"]
    assert "courtroom" in room.track("mics")["why"]
    await room.until(lambda: room.track("bench").get("state") == "running", "the camera does not care")


async def test_an_rtsp_camera_is_copied_and_comes_back_after_a_kill(room_of: RoomOf, camera_url: str) -> None:
    cameras = f'[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "{camera_url}"\n'
    room = room_of(profile_text(SIMULATED_MICS, cameras))
    await room.until(room.running, "the camera is seen")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 2)
    (worker,) = room.workers("network_camera")
    assert "s3cret" not in Path(f"/proc/{worker}/cmdline").read_text() + Path(f"/proc/{worker}/environ").read_text()
    os.kill(worker, 9)
    await room.until(lambda: room.track("bench").get("restarts") == 1 and room.running(), "back")
    await room.pass_media("bench", 2)
    room.say("close")
    view = await room.closed("bench", "mics")
    (gap,) = [g for g in view.gaps if g.track == "bench"]
    assert gap.to_ns is not None
    assert "终止" in gap.why
    assert len(spans(view, "bench")) == 1
    assert "s3cret-word" not in (room.folder / "recorder.log").read_text(encoding="utf-8")

    # Not re-encoded: what is kept still says, in its own words, that GStreamer's encoder made it.
    reader = BoxReader()
    items = list(reader.feed(room.files("bench")[0].read_bytes()))
    assert reader.init is not None
    assert (reader.init.table.width, reader.init.table.height) == (320, 240)
    fragments = [i for i in items if isinstance(i, Fragment)]
    assert fragments[0].key_frame
    with av.open(str(room.files("bench")[0])) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 25


async def test_an_rtsp_camera_that_is_away_is_said_and_the_rest_records(room_of: RoomOf) -> None:
    cameras = '[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "rtsp://u:hidden@127.0.0.1:9/x"\n'
    room = room_of(profile_text(SIMULATED_MICS, cameras))
    await room.until(lambda: any(a["subject"] == "bench" for a in room.status.get("alarms", [])), "an alarm")
    await room.until(lambda: room.track("mics").get("state") == "running")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: room.track("mics").get("kept"))
    closed_ns = room.say("close")
    view = await room.closed("bench", "mics", "mix")
    (gap,) = [g for g in view.gaps if g.track == "bench"]
    assert (gap.from_ns, gap.to_ns) == (view.opened_ns, closed_ns)
    assert "hidden" not in (room.folder / "recorder.log").read_text(encoding="utf-8")


@pytest.fixture
def navy(tmp_path: Path) -> None:
    source = "color=navy:s=320x180:r=25:d=2"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, str(tmp_path / "navy.mp4")], check=True)


@pytest.mark.usefixtures("navy")
async def test_a_video_file_is_a_camera_with_the_wall_clock_in_it(room_of: RoomOf) -> None:
    cameras = (
        '[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "file"\nfile = "navy.mp4"\nwidth = 320\nheight = 180\n'
    )
    room = room_of(profile_text(SIMULATED_MICS, cameras))
    await room.until(room.running)
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 4)  # longer than the file: it is played again
    room.say("close")
    await room.closed("bench")
    with av.open(str(room.files("bench")[0])) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="gray")
    assert picture[:40, :160].max() > 200  # white signs on a dark picture
    assert picture[100:].max() < 100
