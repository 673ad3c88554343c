"""The program track in a real recorder: in step with the cameras, with the exhibit, and off where it cannot keep up."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hardware import timecode
from hardware.program.layout import Rect, layout
from hardware.program.worker import NICE
from hardware.sources import PROGRAM_OFF
from sync.media.envelope import unpack_init
from sync.media.fmp4 import index_file
from sync.room.paths import page_picture_name
from tests.support.files.decoded_pictures import rgb, time_of
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans

RoomOf = Callable[..., RecorderRoom]
CAMERAS = "".join(
    f'[[cameras]]\nid = "{name}"\nname = "{title}"\ndriver = "simulated"\nwidth = 640\nheight = 360\nfps = 10\n'
    for name, title in (("bench", "审判席"), ("parties", "当事人席"))
)
ROOM = profile_text(cameras=CAMERAS) + "[program]\nenabled = true\nfps = 5\n"
EXHIBIT = layout(2, exhibit=True).exhibit or Rect(0, 0, 0, 0)
SEEN: dict[int, NDArray[np.uint8]] = {}
CASE = {"case_no": "(2026)黑05民初123号", "title": "甲诉乙"}


def pictures(room: RecorderRoom, track: str) -> list[tuple[int, NDArray[np.uint8]]]:
    """(UTC in milliseconds according to the file, RGB) of every kept picture."""
    found = []
    for path in room.files(track):
        first = index_file(path).fragments[0]
        assert first.utc_ns is not None
        offset_ns = first.utc_ns - first.from_ns
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                at_ns = round(time_of(frame) * 1_000_000_000)
                found.append(((at_ns + offset_ns) // 1_000_000, rgb(frame)))
    return found


async def lifted(room: RecorderRoom) -> None:
    """Give the worker the weight of a camera's where that is allowed: the machine of a test is often busy."""
    word = "hardware.program.worker"
    await room.until(lambda: room._process is not None and room.workers(word), "the worker is there")
    (pid,) = room.workers(word)
    await room.until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == NICE, "it has made itself light")
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, 0)
    await room.until(room.running, "all sources run")


def newest(room: RecorderRoom) -> NDArray[np.uint8]:
    """The last key frame that was published."""
    fragment = next(f for f in reversed(room.fragments["program"]) if f.key_frame)
    if fragment.sequence not in SEEN:
        SEEN.clear()
        data = unpack_init(room.inits["program"][-1].payload)[1] + fragment.payload
        with av.open(BytesIO(data), "r") as container:
            SEEN[fragment.sequence] = rgb(next(container.decode(video=0)))
    return SEEN[fragment.sequence]


def part(picture: NDArray[np.uint8], place: Rect) -> NDArray[np.uint8]:
    return picture[place.y : place.bottom, place.x : place.right]


def late_by(shown: list[tuple[int, NDArray[np.uint8]]], place: Rect) -> list[int]:
    """How much older than its picture's media time the tile is, in milliseconds, wherever the tile can be read."""
    codes = [(at_ms, timecode.read(part(picture, place)[..., 1])) for at_ms, picture in shown]
    return [at_ms - code for at_ms, code in codes if code is not None]


async def test_it_is_in_step_with_the_cameras_shows_the_exhibit_and_rests_in_a_pause(
    room_of: RoomOf, tmp_path: Path
) -> None:
    room = room_of(ROOM)
    await lifted(room)
    image = Image.new("RGB", (400, 300), (210, 20, 20))
    image.save(tmp_path / "red.png")
    data = (tmp_path / "red.png").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    folder = room.layout.pages(room.hearing, digest)
    folder.mkdir(parents=True)
    image.save(folder / page_picture_name(1, 1))  # as the edge does it

    room.say("open", case=CASE, seats=[], tracks=[])
    await room.pass_media("program", 3)
    room.say(
        "exhibit",
        **{"id": "e1", "number": 1, "title": "照片", "filename": "red.png", "media_type": "image/png"},
        **{"sha256": digest, "sm3": "", "bytes": len(data), "pages": 1},
    )
    room.say("present", exhibit="e1", page=1, zoom=1.0, x=0.5, y=0.5)
    await room.until(lambda: is_red(part(newest(room), EXHIBIT)), "the exhibit is in the picture")
    await room.pass_media("program", 2)
    paused_ns = room.say("pause", reason="closed_evidence")
    await room.pass_media("program", 2)
    resumed_ns = room.say("resume")
    await room.pass_media("program", 2)
    room.say("close")
    view = await room.closed("program", "bench", "parties")

    # Kept like any other track: nothing of the pause, nothing missing but what is declared.
    first, second = spans(view, "program")
    assert first[0] <= view.opened_ns
    assert first[1] < resumed_ns
    assert paused_ns < second[0]
    shown = pictures(room, "program")
    places = layout(2, exhibit=False).cameras
    presented_ms = next(e.utc_ns for e in room.log.of_hearing(room.hearing) if e.kind == "present") // 1_000_000
    before = [(at_ms, picture) for at_ms, picture in shown if at_ms < presented_ms]
    for place in places:
        late_ms = late_by(before, place)
        assert len(late_ms) >= 5, "the cameras' time codes can be read"
        # A camera gives ten pictures a second: the one shown is up to 100 ms old. A busy machine may make some later.
        assert -60 <= np.median(late_ms) <= 160, late_ms

    # The exhibit is large on the left as soon as it is drawn, and the cameras go on beside it.
    red = [at_ms for at_ms, picture in shown if is_red(part(picture, EXHIBIT))]
    assert red, "the exhibit was composed in"
    assert min(red) >= presented_ms - 100
    with_exhibit = [(at_ms, picture) for at_ms, picture in shown if at_ms in red]
    assert np.median(late_by(with_exhibit, layout(2, exhibit=True).cameras[1])) <= 400


def is_red(picture: NDArray[np.uint8]) -> bool:
    middle = picture[picture.shape[0] // 3 : -picture.shape[0] // 3, picture.shape[1] // 3 : -picture.shape[1] // 3]
    mean = middle.reshape(-1, 3).mean(axis=0)
    return bool(mean[0] > 150 and mean[1] < 80 and mean[2] < 80)


async def test_where_it_cannot_keep_up_it_is_off_and_said_so_and_the_cameras_go_on(room_of: RoomOf) -> None:
    room = room_of(ROOM)
    await lifted(room)
    room.say("open", case=CASE, seats=[], tracks=[])
    await room.pass_media("program", 1)

    async def throttle() -> None:
        """As a machine that has a quarter of the time that is needed."""
        while True:
            for number, pause_s in ((signal.SIGSTOP, 1.6), (signal.SIGCONT, 0.4)):
                for pid in room.workers("hardware.program.worker"):
                    os.kill(pid, number)
                await asyncio.sleep(pause_s)

    throttled = asyncio.create_task(throttle())
    try:
        await room.until(lambda: room.track("program").get("state") == "off", "left off")
    finally:
        throttled.cancel()
    assert room.track("program")["why"] == PROGRAM_OFF
    assert [a["text"] for a in room.status["alarms"] if a["code"] == "program"] == [PROGRAM_OFF]
    await room.pass_media("bench", 3)
    assert room.track("program")["state"] == "off"
    assert not room.workers("hardware.program.worker"), "not started again in this hearing"
    assert all(t["kept"] for t in room.status["tracks"] if t["id"] != "program")
    closed_ns = room.say("close")
    view = await room.closed("program", "bench", "parties", "mics", "mix")

    gap = max((g for g in view.gaps if g.track == "program"), key=lambda g: g.to_ns or 0)
    assert gap.to_ns == closed_ns
    assert gap.why == PROGRAM_OFF
    assert [s for s in view.segments if s.track == "program"], "what was composed before is kept"
    (span,) = spans(view, "program")
    assert span[0] <= view.opened_ns
    codes = {a.code for a in view.alarms if a.subject == "program"}
    assert codes == {"program"}, "it is no device that failed"
    # Cameras and sound had the machine. (A simulated camera may itself leave out what it cannot draw in time.)
    assert not [g for g in view.gaps if g.track != "program" and g.why != "画面来不及绘制"]

    await room.until(lambda: room.track("program").get("state") == "running", "ready for the next hearing")
    assert not [a for a in room.status["alarms"] if a["code"] == "program"]
