"""The worker process of a camera that ffmpeg reads and encodes: what it codes goes on to the recorder at once.

    python -m hardware.workers.encoded_camera '<options as JSON>'

A muxer of MP4 holds each picture until the next one has come. So ffmpeg writes NUT, which says of each picture how long
it is, and the boxes are made here. Of such a camera only the arrival of its pictures is known: one has come when its
time is over.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import Any

import av
from av.error import FFmpegError

from hardware.drivers.ffmpeg_arguments import ENCODED_CAMERA
from hardware.workers.encoder_process import run_worker
from hardware.workers.picture_distance import PictureDistance
from hardware.workers.reporter import Reporter
from hardware.workers.unit_writer import UnitWriter, init_of
from sync.errors import MediaError
from sync.runtime.process.processes import die_with_parent
from sync.runtime.units import NS_PER_S

END_S = 3.0


def copy(source_fd: int, fps: int, media_fd: int) -> None:
    """NUT of one stream of pictures without B frames to the recorder, until it ends."""
    with av.open(f"pipe:{source_fd}", format="nut", options=ENCODED_CAMERA) as camera:
        stream = camera.streams.video[0]
        writer = UnitWriter(media_fd, init_of(stream))
        scale = (stream.time_base or 1) / writer.base
        distance = PictureDistance(round(1 / writer.base / fps))
        first: int | None = None
        last = -1
        for packet in camera.demux(stream):
            if not packet.size or packet.pts is None:
                continue
            came_ns = time.monotonic_ns()
            first = packet.pts if first is None else first
            at = max(round((packet.pts - first) * scale), last + 1)
            last = at
            duration = distance.after(at)
            taken_ns = came_ns - int(duration * writer.base * NS_PER_S)
            writer.write(
                bytes(packet), pts=at, dts=at, duration=duration, key_frame=packet.is_keyframe, taken_ns=taken_ns
            )


def run(options: dict[str, Any]) -> None:
    """Until ffmpeg ends, whose exit status is then ours, or the recorder is gone."""
    reporter = Reporter(int(options["report_fd"]))
    # Its stderr is ours: the recorder drains it, and finds in it what was wrong.
    encoder = subprocess.Popen(options["encoder"], stdout=subprocess.PIPE, preexec_fn=die_with_parent)
    assert encoder.stdout is not None
    try:
        copy(encoder.stdout.fileno(), int(options["fps"]), int(options["media_fd"]))
    except FFmpegError:
        pass  # it ended: its own words say why
    except MediaError as error:
        reporter.failed(f"摄像机的码流中断：{error.message}", "stream")
    except OSError:
        reporter.failed("录制服务不再接收画面")
    finally:
        encoder.stdout.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            encoder.wait(END_S)
        encoder.kill()
        status = encoder.wait()
    sys.exit(status if status >= 0 else 128 - status)


def main() -> None:
    """Entry point of the process."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    run_worker(lambda: run(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
