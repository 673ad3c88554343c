"""Fault 8: two segments are started within one second (a worker that dies at once, twice). Real writer, real files.

Lost: nothing; they have numbers, not times, for names, also after a restart and when the folder was emptied meanwhile.
"""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.storage.outcomes import Outcome, SegmentClosed, StretchFinished
from recorder.storage.writer import TrackWriter
from sync.media.fmp4 import BoxReader, Fragment

S = 1_000_000_000


async def test_runs_that_follow_within_a_second_have_files_of_their_own(tmp_path: Path) -> None:
    command = "ffmpeg -v error -f lavfi -i testsrc2=s=160x90:r=25 -t 1 -c:v libx264 -preset ultrafast -g 25 -bf 0"
    options = "-pix_fmt yuv420p -movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer -f mp4 pipe:1"
    made = await asyncio.to_thread(subprocess.run, [*command.split(), *options.split()], capture_output=True)
    data = made.stdout
    reader = BoxReader()
    key = next(i for i in reader.feed(data) if isinstance(i, Fragment) and i.key_frame)
    assert reader.init is not None
    closed: list[SegmentClosed] = []
    over = asyncio.Event()

    def done(outcome: Outcome) -> None:
        if isinstance(outcome, SegmentClosed):
            closed.append(outcome)
        elif isinstance(outcome, StretchFinished):
            over.set()

    writer = TrackWriter("bench", lambda hearing: tmp_path / hearing, 60, asyncio.get_running_loop(), done)
    for number in range(5):  # five runs within half a second
        run = WorkerRun(number, reader.init)
        from_ns = number * S // 10
        writer.offer("h", StampedFragment(run, number, key.data, from_ns, from_ns + S // 10, from_ns, True))
    writer.finish("h", S)
    await asyncio.wait_for(over.wait(), 30)
    writer.stop()
    assert [one.segment.index for one in closed] == [0, 1, 2, 3, 4]
    assert [path.name for path in sorted((tmp_path / "h").glob("*.mp4"))] == [f"{n:05d}.mp4" for n in range(5)]
