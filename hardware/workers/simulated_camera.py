"""The worker process of a simulated camera: draws the courtroom in real time and encodes it.

    python -m hardware.workers.simulated_camera '<options as JSON>'

Frame k is due k / fps after the first (`CLOCK_MONOTONIC`) and shows the UTC of that moment. A frame that is a little
late is drawn at once. Where the machine was too busy for longer than `TOO_LATE_NS`, the frames that are overdue are
left out, as a real camera does, and reported as lost: the picture on the screens never falls behind the room. A flash
(hardware.simulation.cue) brightens a frame by its share of the time since the frame before, as in a real exposure.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardware.simulation.cue import Stage
from hardware.simulation.drawn_courtroom import Courtroom, SeatPlace, seats_in_view
from hardware.workers.encoder_process import run_worker
from hardware.workers.picture_encoder import PictureEncoder
from hardware.workers.reporter import Reporter
from sync.errors import ConfigError, WutongError
from sync.runtime.units import NS_PER_S

if TYPE_CHECKING:
    from hardware.simulation.hearing_folder import HearingFolder

BEAT_NS = 160_000_000
TOO_LATE_NS = 400_000_000
WHITE = 235


@dataclass(frozen=True)
class CameraOptions:
    """What the recorder says on the command line. A worker that is to be back quickly imports little."""

    id: str
    name: str
    width: int
    height: int
    fps: int
    title: str
    places: list[SeatPlace]
    stage: Path
    coding: dict[str, str]
    media_fd: int
    report_fd: int

    @classmethod
    def parse(cls, text: str) -> CameraOptions:
        """From the JSON that `hardware.sources` made."""
        value: dict[str, Any] = json.loads(text)
        value["places"] = [SeatPlace(**place) for place in value["places"]]
        value["stage"] = Path(value["stage"])
        return cls(**value)


class Cast:
    """Who speaks when, and how bright it is, according to the stage."""

    def __init__(self, stage: Path) -> None:
        self._stage = Stage(stage)
        self._folder: HearingFolder | None = None

    def speaking(self, monotonic_ns: int) -> dict[int, str]:
        """{channel: role} of those who speak at a moment."""
        if self._stage.poll():
            self._folder = None
            if self._stage.play is not None:
                from hardware.simulation.hearing_folder import HearingFolder

                try:
                    self._folder = HearingFolder(self._stage.play.hearing_dir)
                except ConfigError as error:
                    print(error.message, file=sys.stderr)  # noqa: T201 (the recorder logs it; nobody speaks)
        play = self._stage.play
        if play is None or self._folder is None:
            return {}
        return self._folder.speaking((monotonic_ns - play.start_monotonic_ns) / NS_PER_S)

    def flash(self, from_ns: int, to_ns: int) -> float:
        """The share of an exposure in which the light flashed."""
        return 0.0 if self._stage.clapper is None else self._stage.clapper.lit(from_ns, to_ns)


def lighten(frame: NDArray[np.uint8], luma_bytes: int, share: float) -> NDArray[np.uint8]:
    """A picture (yuv420p) that was exposed to a white flash for a share of its time."""
    picture = frame.reshape(-1).astype(np.float32)
    picture[:luma_bytes] += (WHITE - picture[:luma_bytes]) * share
    picture[luma_bytes:] += (128 - picture[luma_bytes:]) * share
    return np.rint(picture).astype(np.uint8)


def run(options: CameraOptions) -> None:
    """Until the recorder is gone or this process is killed."""
    fps, reporter = options.fps, Reporter(options.report_fd)
    try:
        seats = seats_in_view(options.id, options.places)
        room = Courtroom(options.width, options.height, options.title, options.name, seats)
        encoder = PictureEncoder(options.width, options.height, fps, options.media_fd, options.coding)
    except WutongError as error:
        reporter.failed(error.message)
        raise
    cast = Cast(options.stage)
    frame = room.frame
    start_ns = time.monotonic_ns()
    number = 0
    try:
        while True:
            due_ns = start_ns + number * NS_PER_S // fps
            wait_ns, left_out_ns = due_ns - time.monotonic_ns(), 0
            if wait_ns > 0:
                time.sleep(wait_ns / NS_PER_S)  # a simulated camera: its own process, paced by the clock
            elif wait_ns < -TOO_LATE_NS:
                left_out_ns = -wait_ns * fps // NS_PER_S * NS_PER_S // fps
                reporter.trouble("画面来不及绘制")
                start_ns += left_out_ns
                due_ns += left_out_ns
            utc_ns = time.time_ns() - (time.monotonic_ns() - due_ns)
            speaking = cast.speaking(due_ns)
            room.draw(utc_ns, speaking, due_ns // BEAT_NS)
            flash = cast.flash(due_ns - NS_PER_S // fps, due_ns)
            picture = lighten(frame, options.width * options.height, flash) if flash else frame
            encoder.write(picture, number * NS_PER_S // fps, due_ns, left_out_ns)
            number += 1
    except OSError:
        reporter.failed("录制服务不再接收画面")
    except WutongError as error:
        reporter.failed(error.message, "stream")
        raise


def main() -> None:
    """Entry point of the process."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    run_worker(lambda: run(CameraOptions.parse(sys.argv[1])))


if __name__ == "__main__":
    main()
