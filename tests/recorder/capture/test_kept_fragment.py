"""What is published one by one and what is kept together are the same samples at the same times, whatever comes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.sources import TrackInfo
from recorder.capture.clock_fit import ClockFit
from recorder.capture.track import Track, TrackRun
from sync.media.access_unit import DELTA_FLAGS, KEY_FLAGS, SampleRow, WorkerStamps, pack_fragment
from sync.media.fmp4 import parse_fragment
from sync.room.clock import ClockMap, RoomClock
from sync.runtime.units import NS_PER_S
from tests.support.files.rebuilt import Unit, rebuilt_file, rebuilt_units, samples, whole_file
from tests.support.files.taken_outlet import TakenOutlet
from tests.support.peers.gstreamer_camera import gstreamer_camera
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode
from tests.support.rooms.recorder_room import SIMULATED_CAMERA, SIMULATED_MICS, RecorderRoom, profile_text
from wutong.bench.sync.simulated_world import World, init

SCALE = 48_000
Piece = tuple[list[SampleRow], int]
"""The samples of something that comes at once, and how much was lost before it (ns)."""


def played(kind: Literal["video", "audio"], pieces: list[Piece]) -> TakenOutlet:
    """What a track makes of them, after a beginning by which its clock is settled."""
    world, out = World(1 << 62, 0), TakenOutlet()
    clock = RoomClock(0, world)
    fit = ClockFit()
    run = TrackRun(Track(TrackInfo("c", kind, "", 0), clock, ClockMap(clock).utc_ns, out), 1, fit, by_arrival=False)
    run.feed(init(kind, SCALE))
    settling: list[Piece] = [([SampleRow(SCALE // 10, 5, KEY_FLAGS, 0)], 0) for _ in range(8)]
    at, lost, number = 0, 0, 0
    for rows, lost_ns in [*settling, *pieces]:
        data = b"".join(bytes([8 * (number + n) % 256]) * row.size for n, row in enumerate(rows))
        lost, number = lost + lost_ns, number + 1
        world.now_ns = 2 * NS_PER_S + at * NS_PER_S // SCALE + lost
        if kind == "audio":
            fit.observe(at * NS_PER_S // SCALE, world.now_ns)
        taken_ns = NS_PER_S + (at + rows[0].offset) * NS_PER_S // SCALE + lost
        stamps = WorkerStamps(taken_ns, world.now_ns, lost_ns).pack() if kind == "video" else b""
        run.feed(stamps + pack_fragment(1, number, at, rows, data))
        at += sum(row.duration for row in rows)
    run.end()
    return out


pictures = st.lists(
    st.tuples(
        st.builds(
            lambda duration, size, key, offset: [SampleRow(duration, size, KEY_FLAGS if key else DELTA_FLAGS, offset)],
            st.integers(1, SCALE // 2),
            st.integers(1, 40),
            st.booleans(),
            st.integers(0, SCALE),
        ),
        st.one_of(st.just(0), st.integers(0, NS_PER_S)),
    ),
    max_size=60,
)
sound = st.lists(
    st.tuples(
        st.lists(
            st.builds(SampleRow, st.integers(1, 4096), st.integers(1, 40), st.just(KEY_FLAGS), st.just(0)),
            min_size=1,
            max_size=6,
        ),
        st.just(0),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(pictures)
def test_pictures_are_the_same_in_the_air_and_on_disk(pieces: list[Piece]) -> None:
    _same(played("video", pieces))


@settings(deadline=None)
@given(sound)
def test_sound_is_the_same_in_the_air_and_on_disk(pieces: list[Piece]) -> None:
    _same(played("audio", pieces))


def _same(out: TakenOutlet) -> None:
    run = out.runs[0]
    air = [parse_fragment(one.data, run.init) for one in out.published]
    disk = [parse_fragment(one.data, run.init) for one in out.kept]
    assert samples(air, run.init) == samples(disk, run.init)
    file = run.init.data + b"".join(one.data for one in out.kept)
    units = [Unit(one.run.init_id, one.data, one.utc_ns) for one in out.published]
    read, kept = whole_file(file)
    assert rebuilt_file(read, kept, units) == file
    assert rebuilt_units(read, kept, units) == samples(kept, read)
    for before, after in pairwise(out.kept):
        assert before.to_ns <= after.from_ns + 1
    if run.init.kind == "video":
        begins = {one.from_ns for one in out.kept}
        assert {one.from_ns for one in out.published if one.key_frame} <= begins


@pytest.mark.process
@pytest.mark.parametrize("kind", ["simulated", "copied", "b-frames"])
async def test_a_real_recording_is_rebuilt_from_what_was_published_and_the_other_way_round(
    room_of: Callable[..., RecorderRoom], kind: str
) -> None:
    if kind == "simulated":
        await _recorded(room_of, SIMULATED_CAMERA)
    elif kind == "copied":
        async with ScriptedCamera(encode("320x180", 25, 50)).running() as camera:
            await _recorded(room_of, _network(camera.url))
    else:
        with gstreamer_camera("--picture", "b-frames") as place:
            await _recorded(room_of, _network(f"rtsp://{place}"))


def _network(url: str) -> str:
    return f'[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "{url}"\n'


async def _recorded(room_of: Callable[..., RecorderRoom], camera: str) -> None:
    room = room_of(profile_text(SIMULATED_MICS, camera))
    await room.until(room.running, "it runs")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 5)
    room.say("close")
    await room.closed("bench", "mix", "mics")
    for track in ("bench", "mix", "mics"):
        published = room.fragments[track]
        assert published
        for path in room.files(track):
            init, kept = whole_file(path.read_bytes())
            units = [Unit(one.init_id, one.payload, one.utc_ns) for one in published]
            assert rebuilt_file(init, kept, units) == path.read_bytes()
            assert rebuilt_units(init, kept, units) == samples(kept, init)
        if track == "bench":
            assert {len(parse_fragment(one.payload, init).sizes) for one in published} == {1}
            assert max(len(one.sizes) for one in kept) > 1
