"""The room's small picture: there while somebody watches it, of one camera, and in no record."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from io import BytesIO

import av
import pytest

from hardware.program.compatible import NICE
from hardware.sources import TILE_OFF
from sync.media.envelope import Envelope, unpack_init
from sync.room.feed import FeedServer
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode
from tests.support.rooms.recorder_room import SIMULATED_MICS, RecorderRoom, profile_text

RoomOf = Callable[..., RecorderRoom]
WORKER = "hardware.program.tile"
SQUARE = '[[cameras]]\nid = "parties"\nname = "当事人席"\ndriver = "simulated"\nwidth = 960\nheight = 720\nfps = 10\n'
LARGE = '[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "simulated"\nwidth = 1280\nheight = 720\nfps = 10\n'


class WatchedUplink:
    """Says on the uplink's feed what is watched."""

    def __init__(self, room: RecorderRoom) -> None:
        self._feed = FeedServer(room.layout.feed("uplink"))

    async def start(self) -> None:
        await self._feed.start()

    def says(self, topic: str, payload: bytes) -> None:
        self._feed.publish(topic, payload)

    def watched(self, *tracks: str) -> None:
        self._feed.publish_json("link", {"broker": True, "watched": tracks}, retain=True)

    async def stop(self) -> None:
        await self._feed.stop()


@pytest.fixture
async def uplink_of() -> AsyncIterator[Callable[[RecorderRoom], WatchedUplink]]:
    made: list[WatchedUplink] = []

    def make(room: RecorderRoom) -> WatchedUplink:
        made.append(WatchedUplink(room))
        return made[-1]

    yield make
    for one in made:
        await one.stop()


def size_of(room: RecorderRoom, fragment: Envelope) -> tuple[int, int]:
    """Of a picture as whoever gets it decodes it."""
    init = next(one for one in reversed(room.inits["tile"]) if one.init_id == fragment.init_id)
    with av.open(BytesIO(unpack_init(init.payload)[1] + fragment.payload), "r") as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


def keys(room: RecorderRoom) -> list[Envelope]:
    return [one for one in room.fragments.get("tile", []) if one.key_frame]


async def test_it_is_made_while_it_is_watched_and_no_record_knows_of_it(
    room_of: RoomOf, uplink_of: Callable[[RecorderRoom], WatchedUplink]
) -> None:
    room = room_of(profile_text(cameras=LARGE))
    uplink = uplink_of(room)
    await uplink.start()
    uplink.watched("bench")
    await room.until(room.running, "all sources run")
    await room.until(lambda: room.status.get("tile") == {"of": "bench", "why": None}, "it can be asked for")
    await room.pass_media("bench", 2)
    assert not room.workers(WORKER), "nobody watches it: nothing runs"
    assert "tile" not in room.inits

    uplink.watched("bench", "tile")
    await room.until(lambda: len(keys(room)) > 1, "two seconds of it have come")
    (pid,) = room.workers(WORKER)
    assert (os.getpriority(os.PRIO_PROCESS, pid), os.getsid(pid)) == (NICE, pid), "last of all, not of the recorder's"
    assert room.fragments["tile"][0].key_frame
    assert size_of(room, keys(room)[0]) == (640, 360)
    assert not any(one.kept for one in room.fragments["tile"]), "no hearing is open"
    taken = {one.room_ns for one in room.fragments["bench"]}
    nearest = [min(abs(one.room_ns - of) for of in taken) for one in room.fragments["tile"]]
    assert max(nearest) < 5_000_000, "each has the moment at which its camera took it"

    room.say("open", case={}, seats=[], tracks=[])
    before = len(keys(room))
    await room.until(lambda: any(one.kept for one in keys(room)[before:]), "it says that its camera is being kept")
    assert [track["id"] for track in room.status["tracks"]] == ["bench", "mics", "mix"]

    uplink.watched("bench")
    await room.until(lambda: not room.workers(WORKER), "nobody watches it any more: its worker ends")
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert {segment.track for segment in view.segments} == {"bench", "mics", "mix"}
    assert not [gap for gap in view.gaps if gap.track == "tile"]
    assert not room.layout.track(room.hearing, "tile").exists()

    uplink.watched("tile")
    await room.until(lambda: room.workers(WORKER), "it is watched again")
    await uplink.stop()
    await room.until(lambda: not room.workers(WORKER), "an uplink that is gone asks for nothing")


@pytest.mark.parametrize(("size", "shown", "copied"), [("320x180", (320, 180), True), ("960x720", (480, 360), False)])
async def test_a_camera_s_second_stream_is_shown_as_it_is_where_it_is_small(
    room_of: RoomOf,
    uplink_of: Callable[[RecorderRoom], WatchedUplink],
    size: str,
    shown: tuple[int, int],
    copied: bool,
) -> None:
    """One that is too large is left alone, and the room makes the small picture itself."""
    main, second = ScriptedCamera(encode("960x720", 25, 50)), ScriptedCamera(encode(size, 25, 50))
    async with main.running(), second.running():
        text = f'id = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "{main.url}"\nsub = "{second.url}"\n'
        room = room_of(profile_text(SIMULATED_MICS, f"[[cameras]]\n{text}"))
        uplink = uplink_of(room)
        await uplink.start()
        await room.until(room.running, "all sources run")
        assert second.clients == 0, "nobody watches it: it is not asked for"
        uplink.watched("tile")
        await room.until(lambda: keys(room), "a picture of it has come")
        assert size_of(room, keys(room)[-1]) == shown
        assert second.clients == 1
        assert bool(room.workers(WORKER)) is not copied


async def test_where_the_machine_has_no_time_for_it_it_is_off_for_a_minute_and_the_record_goes_on(
    room_of: RoomOf, uplink_of: Callable[[RecorderRoom], WatchedUplink]
) -> None:
    room = room_of(profile_text(cameras=LARGE))
    uplink = uplink_of(room)
    await uplink.start()
    uplink.watched("tile")
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: keys(room), "a picture of it has come")
    (pid,) = room.workers(WORKER)
    os.kill(pid, signal.SIGSTOP)  # as one that gets no processor
    await room.until(lambda: room.status["tile"] == {"of": "bench", "why": TILE_OFF}, "it is said to be off")
    await room.pass_media("bench", 3)
    assert not room.workers(WORKER), "it is watched still, and not tried again at once"
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    # A simulated camera may itself leave out what it cannot draw in time.
    assert not [gap for gap in view.gaps if gap.why != "画面来不及绘制"]
    assert not [alarm for alarm in view.alarms if alarm.subject == "tile"], "no alarm of the hearing"


async def test_what_is_said_of_it_is_of_the_camera_that_it_shows(
    room_of: RoomOf, uplink_of: Callable[[RecorderRoom], WatchedUplink]
) -> None:
    """The first camera stands still for a while: another one is shown, and the first again when it is back."""
    room = room_of(profile_text(cameras=LARGE + SQUARE))
    uplink = uplink_of(room)
    await uplink.start()
    uplink.watched("tile")
    await room.until(room.running, "all sources run")
    await room.until(lambda: keys(room), "a picture of it has come")
    assert size_of(room, keys(room)[-1]) == (640, 360)

    def shows_the_other() -> bool:
        for pid in room.workers('"id": "bench"'):  # also the next one that takes its place
            with contextlib.suppress(ProcessLookupError):  # it has just been ended
                os.kill(pid, signal.SIGSTOP)
        return size_of(room, keys(room)[-1]) == (480, 360)

    await room.until(shows_the_other, "the other camera's picture has come")
    assert room.status["tile"]["of"] == "parties"
    await room.until(lambda: room.status["tile"]["of"] == "bench", "the first one runs again")
    said = len(keys(room))
    await room.until(lambda: len(keys(room)) > said, "a picture has come since")
    assert size_of(room, keys(room)[-1]) == (640, 360)
    assert [one.init_id for one in room.inits["tile"]] == sorted({one.init_id for one in room.inits["tile"]})


async def test_whatever_the_uplink_says_the_room_is_recorded_and_what_it_says_next_is_heard(
    room_of: RoomOf, uplink_of: Callable[[RecorderRoom], WatchedUplink]
) -> None:
    room = room_of(profile_text(cameras=LARGE))
    uplink = uplink_of(room)
    await uplink.start()
    await room.until(room.running, "all sources run")
    recorder = room.pid
    for payload in (b"[" * 100_000, b"\xff", b"{}", b"7", b'{"watched":7}', b'{"watched":"tile"}', b"x" * 100_000):
        uplink.says("link", payload)
    uplink.watched("tile")
    await room.until(lambda: keys(room), "a picture of it has come")
    assert room.pid == recorder
    assert room.workers(WORKER)
