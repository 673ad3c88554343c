"""A source is kept alive, and neither too impatiently nor so often that a device locks itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hardware.profile import load_profile
from hardware.sources import Source, TrackInfo, sources
from recorder.capture.supervisor import NO_MEDIA_WHY, STOPPED_WHY, SourceRunner, _report_of
from recorder.capture.track import Track, TrackRun
from sync.errors import DeviceError
from sync.media.access_unit import KEY_FLAGS, SampleRow, WorkerStamps, pack_fragment
from sync.room.clock import ClockMap, RoomClock
from tests.support.files.taken_outlet import TakenOutlet
from tests.support.peers.camera_sign_in import CountedSignIn, digest
from tests.support.peers.onvif_peer import OnvifPeer
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode
from tests.support.words.doctor_profile import PROFILE
from wutong.bench.sync.simulated_world import init

pytestmark = pytest.mark.process
TRACK = TrackInfo("bench", "video", "审判席", 0)


def network_camera(folder: Path) -> Source:
    path = folder / "room.toml"
    camera = 'driver = "rtsp"\nurl = "rtsp://10.0.0.5/x"\n'
    path.write_text(PROFILE.format(mics="pyaudio", camera=camera, reserve=0), encoding="utf-8")
    return next(source for source in sources(load_profile(path), folder) if source.id == "bench")


class Watched:
    """A runner of one source, and what it said."""

    def __init__(self, folder: Path, source: Source) -> None:
        clock = RoomClock.open(folder / "clock.json")
        self.whys: list[str] = []
        self._changed = asyncio.Event()
        track = Track(TRACK, clock, ClockMap(clock).utc_ns, TakenOutlet())
        self.runner = SourceRunner(
            source,
            [track],
            clock,
            on_levels=lambda at, levels: None,
            on_trouble=self._trouble,
            on_change=self._changed.set,
        )

    def _trouble(self, _at_ns: int, why: str) -> None:
        self.whys.append(why)
        self._changed.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.runner.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def until(self, done: Callable[[], Any]) -> None:
        while not done():
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 30)


async def test_a_worker_has_its_own_time_to_the_first_media(tmp_path: Path) -> None:
    mute = Source("bench", (TRACK,), lambda media, report: ["sleep", "1000"], first_s=0.2)
    watched = Watched(tmp_path, mute)
    async with watched.running():
        await watched.until(lambda: watched.runner.why == NO_MEDIA_WHY)


async def test_a_worker_that_falls_silent_after_its_first_picture_is_not_given_that_time_again(tmp_path: Path) -> None:
    media = tmp_path / "media"
    unit = pack_fragment(1, 1, 0, [SampleRow(3600, 1, KEY_FLAGS, 0)], b"x")
    media.write_bytes(init("video", 90_000) + WorkerStamps(1, 1).pack() + unit)

    def command(fds: Sequence[int], report: int) -> list[str]:
        return ["sh", "-c", f"cat {media} >/proc/self/fd/{fds[0]}; exec sleep 1000"]

    watched = Watched(tmp_path, Source("bench", (TRACK,), command, first_s=1000))
    async with watched.running():
        await watched.until(lambda: watched.runner.why == STOPPED_WHY or watched.runner.restarts)
        assert (watched.runner.restarts, watched.runner.why) == (1, STOPPED_WHY)


class ScriptedTime:
    """Room time that a test lets pass: what sleeps wakes when the next time is said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        self._due = asyncio.Queue[float]()
        self._asleep = asyncio.Event()
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    def now_ns(self) -> int:
        return int(self.now_s * 1e9)

    async def _sleep(self, _s: float) -> None:
        self._asleep.set()
        self.now_s += await self._due.get()

    async def pass_by(self, seconds: float, step_s: float = 0.2) -> None:
        for _ in range(round(seconds / step_s)):
            await self._asleep.wait()
            self._asleep.clear()
            self._due.put_nowait(step_s)
        await self._asleep.wait()


class StoppedRun:
    """A run whose media has come so far, and comes no further."""

    media_end_ns = 2_000_000_000
    flowing = True


class WatchedWorker:
    """A worker that waits for no processor; the reason for which it was ended."""

    why = ""

    def waited_ns(self) -> int:
        return 0

    def end(self, why: str, *_code: object) -> None:
        self.why = self.why or why


async def test_what_a_busy_machine_is_forgiven_is_not_taken_back_when_media_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, Source("bench", (TRACK,), lambda media, report: []))
    room_time = ScriptedTime(monkeypatch)
    monkeypatch.setattr(watched.runner, "_clock", room_time)
    worker: Any = WatchedWorker()
    runs: Any = [StoppedRun()]
    watch = asyncio.create_task(watched.runner._watch(worker, runs))
    await room_time.pass_by(1)
    await room_time.pass_by(6, step_s=6)  # this loop stood still, and so did the worker
    await room_time.pass_by(4)
    assert not worker.why
    await room_time.pass_by(4)
    assert worker.why == STOPPED_WHY
    watch.cancel()


async def test_bytes_that_nobody_thought_of_end_the_run_with_words_and_a_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_run: TrackRun, _data: bytes) -> None:
        raise OverflowError("int too big to convert")

    monkeypatch.setattr(TrackRun, "feed", broken)
    talking = Source(
        "bench", (TRACK,), lambda media, report: ["sh", "-c", f"echo x >/proc/self/fd/{media[0]}; exec sleep 1000"]
    )
    watched = Watched(tmp_path, talking)
    async with watched.running():
        await watched.until(lambda: watched.runner.restarts)
        assert (watched.runner.fault, watched.runner.why) == ("stream", "设备送来的数据无法处理，重新启动该设备")


async def test_a_refused_password_is_tried_once_and_again_only_when_it_is_another(tmp_path: Path) -> None:
    sign_in = CountedSignIn(digest("court", "right"))
    said = {"user": "court", "password": "wrong"}
    async with ScriptedCamera(encode("320x180", 25, 25), sign_in=sign_in).running() as camera:
        source = replace(network_camera(tmp_path), secret=lambda: json.dumps({"url": camera.url, **said}))
        watched = Watched(tmp_path, source)
        async with watched.running():
            await watched.until(lambda: watched.runner.fault == "password")
            assert sign_in.refused == 1
            watched.runner.again()  # a hearing begins
            await watched.until(lambda: sign_in.refused == 2 and len(watched.whys) == 2)
            said["password"] = "right"
            await watched.until(lambda: watched.runner.state == "running")
            assert sign_in.refused == 2


async def test_an_account_that_is_refused_for_key_frames_is_refused_once_however_often_the_camera_begins_anew(
    tmp_path: Path,
) -> None:
    """Its stream takes another account: each run of it would ask again, and lock the camera."""
    streams = {"main": "rtsp://127.0.0.1/x"}
    # It begins with no key frame, and sends one each three seconds.
    stream = ScriptedCamera(encode("320x180", 75, 75), newcomer_at=1)
    peer = OnvifPeer(streams, user="court", password="another")
    async with peer.running() as onvif, stream.running() as camera:
        path = tmp_path / "room.toml"
        said = f'driver = "rtsp"\nurl = "{camera.url}"\nuser = "court"\npassword = "s3cret"\n'
        said += f"onvif_port = {onvif.port}\n"
        path.write_text(PROFILE.format(mics="pyaudio", camera=said, reserve=0), encoding="utf-8")
        of_room = next(one for one in sources(load_profile(path), tmp_path) if one.id == "bench")
        told = asyncio.Event()

        def refused(said: str) -> None:
            of_room.refused(said)
            told.set()

        watched = Watched(tmp_path, replace(of_room, refused=refused))
        async with watched.running():
            await asyncio.wait_for(told.wait(), 60)
            refusals = onvif.refused
            assert 1 <= refusals <= 2
            await watched.until(lambda: watched.runner.state == "running")
            pid = watched.runner.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await watched.until(lambda: watched.runner.restarts == 1 and watched.runner.state == "running")
            options = of_room.command([5], 6)[-1]
            assert json.loads(options)["onvif_port"] == 0
    assert onvif.refused == refusals


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ('{"clock":[1,2]}', {"clock": (1, 2)}),
        ('{"levels":[[3,1.5,0.0]]}', {"levels": [(3, 1.5, 0.0)]}),
        ('{"lost":[1,2,"full"]}', {"lost": (1, 2, "full")}),
        ('{"failed":"no cable","code":"unreachable"}', {"failed": "no cable", "code": "unreachable"}),
        ('{"failed":"x\\u001b[2J\\u202e"}', {"failed": "x\ufffd[2J\ufffd", "code": "device"}),
        ('{"trouble":"too slow"}', {"trouble": "too slow"}),
        ('{"refused":true}', {"refused": True}),
        ('{"later":1}', {}),
    ],
)
def test_a_report_is_read(line: str, report: dict[str, Any]) -> None:
    assert _report_of(line.encode()) == report


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"3",
        b"[" * 60_000,
        b'{"clock":[1]}',
        b'{"clock":[1,2,3]}',
        b'{"clock":[1,1e999]}',
        b'{"clock":[1,2.5]}',
        b'{"clock":["1","2"]}',
        b'{"clock":7}',
        b'{"clock":[1,99999999999999999999]}',
        b'{"levels":[[NaN,1,1]]}',
        b'{"levels":[[1,2]]}',
        b'{"levels":7}',
        b'{"lost":[1,2]}',
        b'{"lost":[]}',
        b'{"lost":["a","b","c"]}',
    ],
)
def test_what_no_worker_reports_ends_its_run_and_nothing_else(line: bytes) -> None:
    with pytest.raises(DeviceError, match="无法读懂"):
        _report_of(line)
