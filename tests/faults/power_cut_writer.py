"""A process that keeps two segments and says events, through the product's own parts; fault 2 writes down what it does.

    python power_cut_writer.py DATA MEDIA

Each fragment that is on disk and each event that the log took is acknowledged by a line in DATA/acks.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.storage.outcomes import FragmentKept, Outcome, SegmentClosed, StretchFinished
from recorder.storage.recovery import segment_key
from recorder.storage.writer import TrackWriter
from sync.media.fmp4 import BoxReader, Fragment, to_ns
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths


def fragments(path: Path) -> list[StampedFragment]:
    reader = BoxReader()
    found = [i for i in reader.feed(path.read_bytes()) if isinstance(i, Fragment)]
    assert reader.init is not None
    run, scale = WorkerRun(1, reader.init), reader.init.timescale
    times = [(to_ns(f.decode_time, scale), to_ns(f.decode_time + f.duration, scale)) for f in found]
    return [StampedFragment(run, n, f.data, *times[n], times[n][0], f.key_frame) for n, f in enumerate(found)]


async def main() -> None:
    data, media = Path(sys.argv[1]), Path(sys.argv[2])
    layout = RoomPaths(data)
    log = RoomLog(layout.log)
    acks = os.open(data / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()

    def done(outcome: Outcome) -> None:
        if isinstance(outcome, FragmentKept):
            os.write(acks, f"fragment {hashlib.sha256(outcome.fragment.data).hexdigest()}\n".encode())
        elif isinstance(outcome, SegmentClosed):
            key = segment_key("h", "bench", outcome.segment.index)
            body = {"sha256": outcome.segment.sha256}
            event = log.append("segment", body, hearing="h", room_ns=1, utc_ns=1, key=key)
            os.write(acks, f"event {event.number}\n".encode())
        elif isinstance(outcome, StretchFinished):
            over.set()

    writer = TrackWriter("bench", lambda hearing: layout.track(hearing, "bench"), 1, loop, done)
    event = log.append("open", {}, hearing="h", room_ns=1, utc_ns=1)
    os.write(acks, f"event {event.number}\n".encode())
    for fragment in fragments(media):
        writer.offer("h", fragment)
        await asyncio.sleep(0.005)
    writer.finish("h", 10**12)
    await over.wait()
    writer.stop()
    log.close()


asyncio.run(main())
