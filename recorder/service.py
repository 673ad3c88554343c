"""The recorder: all sources run all the time; what they give is published live, and kept while a hearing is open.

Promises: nothing here needs the network, the edge or the transcriber; what is to be kept is read from the room's log.
What the log says was kept is on disk; what is not on disk is declared as a gap. A room has one recorder.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import structlog

from hardware.profile import Profile
from recorder.context import RoomContext
from recorder.room import RecorderRoom
from recorder.startup_times import StartupTimes
from sync.errors import ConfigError, StorageError
from sync.room.clock import ClockMap, RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.paths import RoomPaths
from sync.runtime.process.service import Lifeline, cancel_and_wait

log = structlog.get_logger(__name__)


async def serve(profile: Profile, lifeline: Lifeline) -> None:
    """Record until it is canceled; a canceled recorder closes its segments first."""
    times = StartupTimes()
    times.step("imports")
    _check(profile)
    paths = RoomPaths(profile.storage.data)
    with _only_one(paths):
        clock = RoomClock.open(paths.clock, noted=True)
        times.step("clock")
        room_log = RoomLog(paths.log, patient=True)
        feed = FeedServer(paths.feed("recorder"))
        try:
            await feed.start()
            room = RecorderRoom(RoomContext(profile, paths, clock, ClockMap(clock), room_log, feed))
            times.step("parts")
            times.say(clock)
            wake = asyncio.create_task(_wake(paths, room))
            running = asyncio.create_task(room.run())
            try:
                lifeline.ready()
                log.info("recording", room=profile.address, sources=[s.id for s in room.sources])
                await asyncio.wait([wake, running], return_when=asyncio.FIRST_COMPLETED)
                for task in (wake, running):
                    if task.done():
                        task.result()
            finally:
                await cancel_and_wait(wake, running)
                await room.stop()
        finally:
            await feed.stop()
            room_log.close()


async def _wake(paths: RoomPaths, room: RecorderRoom) -> None:
    """Look into the log at once when the edge says that it wrote something; begin a self-test when it asks for one."""
    async for topic, payload in FeedClient(paths.feed("edge"), ["log", "test-record"]).messages():
        if topic == "test-record":
            room.selftest.order(payload)
        else:
            room.poll_soon()


def _check(profile: Profile) -> None:
    """Refuse what can be known to be wrong before anything is started."""
    folders = [profile.microphones.file] if profile.microphones.driver == "simulated" else []
    folders += [camera.file for camera in profile.cameras if camera.driver == "simulated"]
    if acted := {f for f in folders if f is not None}:
        from hardware.simulation.hearing_folder import HearingFolder

        for folder in acted:
            HearingFolder(folder)
    files = [profile.microphones.file] if profile.microphones.driver == "file" else []
    files += [camera.file for camera in profile.cameras if camera.driver == "file"]
    for file in files:
        if file is not None and not file.is_file():
            raise ConfigError(f"the file {file} that the profile plays is not there")


@contextlib.contextmanager
def _only_one(paths: RoomPaths) -> Iterator[None]:
    path: Path = paths.data / "run" / "recorder.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as error:
        raise StorageError(f"the data folder {paths.data} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another recorder already works in {paths.data}; stop it first") from None
        yield
    finally:
        os.close(fd)
