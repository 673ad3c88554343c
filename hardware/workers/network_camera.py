"""The worker process of a network camera: its stream is copied into fragments, nothing is encoded.

    python -m hardware.workers.network_camera '<options as JSON>'     (the address comes on stdin)

Promises: user and password are on no command line, in no environment and in no line of a log. The recorder is told
when each picture came, so the profile's rate is believed nowhere: the parser lets a picture go when the next one
begins, so what has come when a picture leaves it is the next picture's moment. Time stamps that leap are continued at
the pace of arrival. Pictures of another size go on behind an init of their own (`hardware.workers.stream_parameters`).
What keeps a stream from opening is asked of the camera itself (`hardware.drivers.rtsp_probe`) and named with a code. A
camera whose key frames are far apart is asked for one where it can be (`hardware.workers.key_frames`).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING, Any

import av
import av.logging
from av.error import FFmpegError, HTTPUnauthorizedError

from hardware.camera_address import CameraAddress
from hardware.drivers import ffmpeg_arguments, rtsp_probe
from hardware.workers.encoder_process import run_worker
from hardware.workers.key_frames import KeyFrameAsker
from hardware.workers.reporter import Reporter
from hardware.workers.stream_parameters import StreamParameters
from hardware.workers.unit_writer import CODECS, UnitWriter, init_of
from sync.errors import ConfigError, DeviceError, MediaError
from sync.runtime.units import NS_PER_S

if TYPE_CHECKING:
    from hardware.drivers.onvif_camera import OnvifCamera

OPEN_S = 8.0
"""A stream that the library cannot make sense of would keep it looking for longer than the recorder waits."""
READ_S = 5.0
NO_KEY_S = 60.0
"""Longer than the longest group of pictures of any smart codec."""
NO_KEY_WHY = f"摄像机 {NO_KEY_S:.0f} 秒内没有送来关键帧；请把主码流的 I 帧间隔设为 1–2 秒，并关闭智能编码"
LEAP_S = 10
BACK_S = Fraction(1, 2)
"""Reordered pictures apart, a stream that goes back by more has leapt."""
AHEAD_NS = NS_PER_S // 2
"""No picture comes before it was taken: one whose stamp is further ahead of its arrival than any before has leapt."""
DRIFT = Fraction(1, 1000)
"""So much slower than ours a camera's clock may be."""
FIRST_FRAME_S = Fraction(1, 25)
FRAMES_MEASURED = 50
MOST_HELD = 32
"""Pictures that wait at the beginning of a run until one has a decode time; H.264 reorders 16 at most."""


@dataclass
class PictureTimes:
    """Makes growing decode times of what a camera stamps, in ticks of `base`; the first picture's is 0.

    A stamp that has leapt moves no other: only when the next one fits to it, the stream goes on from there. Stamps that
    stand still are replaced by the moments of arrival.
    """

    base: Fraction

    def __post_init__(self) -> None:
        self._shift: int | None = None
        self._leapt: int | None = None
        """The shift by which the picture before, which had leapt, was placed."""
        self._dts = -1
        self._came_ns = 0
        self._least_ns: int | None = None
        """The least time from a picture's own moment to its arrival, on a line of its own."""
        self._still = 0
        self._apart: deque[int] = deque(maxlen=FRAMES_MEASURED)

    @property
    def frame(self) -> int:
        """Ticks from one picture to the next, as measured."""
        return int(median(self._apart)) if self._apart else max(int(FIRST_FRAME_S / self.base), 1)

    def place(self, pts: int | None, dts: int | None, came_ns: int) -> tuple[int, int]:
        """(presentation, decode time) of a picture that came at `came_ns` (monotonic)."""
        stamp = dts if dts is not None else self._next() - (self._shift or 0)
        delay = max(pts - stamp, 0) if pts is not None else 0
        if self._shift is None:
            self._shift = -stamp
        passed = int((came_ns - self._came_ns) / self.base / NS_PER_S)
        at = stamp + self._shift
        if self._dts < 0 or self._fits(at, came_ns):
            self._leapt = None
        elif self._leapt is not None and self._fits(stamp + self._leapt, came_ns):
            self._shift, self._leapt = self._leapt, None
            at = stamp + self._shift
        else:
            at = self._dts + max(self.frame, passed)
            self._leapt = at - stamp
        if self._dts >= 0 and self._leapt is None and at > self._dts:
            self._apart.append(at - self._dts)
        self._still = self._still + 1 if at <= self._dts else 0
        if self._still > 1:
            at = self._dts + max(passed, 1)
            self._shift = at - stamp
        at = max(at, self._dts + 1)
        self._dts, self._came_ns = at, came_ns
        lag_ns = came_ns - int(at * self.base * NS_PER_S)
        slower_ns = lag_ns if self._least_ns is None else self._least_ns + int(passed * self.base * DRIFT * NS_PER_S)
        self._least_ns = min(lag_ns, slower_ns)
        return at + delay, at

    def _fits(self, at: int, came_ns: int) -> bool:
        """Whether a picture can have been taken at this moment, by those before it and by when it came."""
        apart = (at - self._dts) * self.base
        ahead = self._least_ns is not None and came_ns - at * self.base * NS_PER_S < self._least_ns - AHEAD_NS
        return -BACK_S <= apart <= LEAP_S and not ahead

    def _next(self) -> int:
        return self._dts + self.frame if self._dts >= 0 else 0


def completed(stamps: Sequence[tuple[int | None, int | None]], frame: int) -> list[tuple[int | None, int]]:
    """(pts, dts) of the first pictures of a run, of which only the last must have its dts.

    The library knows a decode time only when it has seen how far pictures are reordered. It does not know the pts of
    the very first one either, which is a key frame and is shown before all that follow.
    """
    last = len(stamps) - 1
    known = stamps[last][1]
    end = known if known is not None else max([pts for pts, _ in stamps if pts is not None], default=0)
    shown = [pts for pts, _ in stamps[1:] if pts is not None]
    found: list[tuple[int | None, int]] = []
    for number, (pts, dts) in enumerate(stamps):
        if pts is None and number == 0 and shown:
            pts = min(shown) - frame
        found.append((pts, dts if dts is not None else end - (last - number) * frame))
    return found


class CameraCopy:
    """Copies one camera's stream to a pipe."""

    def __init__(
        self,
        address: CameraAddress,
        media_fd: int,
        onvif_port: int = 0,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        """`onvif_port`: where it can be asked for a key frame; 0: nowhere. `on_refused`: of its account, once."""
        self._address = address
        self._media_fd = media_fd
        self._onvif_port = onvif_port
        self._on_refused = on_refused
        self._onvif: OnvifCamera | None = None

    def run(self) -> None:
        """Until the camera ends it, which is a `DeviceError` with a code."""
        try:
            # Not asked first: some cameras serve nobody for a moment after a question that leads to no stream.
            options = ffmpeg_arguments.NETWORK_CAMERA
            with av.open(self._address.full, options=options, timeout=(OPEN_S, READ_S)) as camera:
                self._copy(camera)
        except (FFmpegError, OSError) as error:
            raise self._named(error) from error
        raise DeviceError("摄像机结束了连接", code="ended")

    def _copy(self, camera: Any) -> None:
        if not camera.streams.video:
            raise DeviceError("摄像机没有送来画面", code="codec")
        # Some describe their still pictures first.
        kept = (one for one in camera.streams.video if one.codec_context.name in CODECS)
        stream = next(kept, camera.streams.video[0])
        name = stream.codec_context.name
        if name not in CODECS:
            raise DeviceError(f"摄像机送来 {name}，不能录制；请把主码流设为 H.264（或 H.265）", code="codec")
        times = PictureTimes(stream.time_base)
        held: list[Any] = []
        came: list[int] = []
        begun_ns: int | None = None
        opened_ns = time.monotonic_ns()
        writer = UnitWriter(self._media_fd, init_of(stream))
        scale = stream.time_base / writer.base
        parameters = StreamParameters(name)
        asker = KeyFrameAsker(self._ask_for_key_frame, self._on_refused) if self._onvif_port else None
        for packet in camera.demux(stream):
            came_ns = time.monotonic_ns()
            if not packet.size:
                break
            if asker is not None:
                asker.picture(came_ns, key_frame=packet.is_keyframe)
            if not held and begun_ns is None and not packet.is_keyframe:
                if came_ns - opened_ns > NO_KEY_S * NS_PER_S:
                    raise DeviceError(NO_KEY_WHY, code="keys")
                continue
            held.append(packet)
            came.append(came_ns)
            if begun_ns is None and packet.dts is None and len(held) < MOST_HELD:
                continue
            stamps = [(one.pts, one.dts) for one in held]
            for one, at_ns, (pts, dts) in zip(
                held, came, completed(stamps, times.frame) if begun_ns is None else stamps, strict=True
            ):
                shown, decoded = times.place(pts, dts, at_ns)
                picture = bytes(one)
                if one.is_keyframe and (init := parameters.changed(picture)) is not None:
                    writer.go_on(init)
                writer.write(
                    picture,
                    pts=round(shown * scale),
                    dts=round(decoded * scale),
                    duration=max(round(times.frame * scale), 1),
                    key_frame=one.is_keyframe,
                    taken_ns=at_ns if begun_ns is None else begun_ns,
                )
                begun_ns = at_ns
            held.clear()
            came.clear()

    def _ask_for_key_frame(self) -> None:
        # Imported by the thread that asks: a worker that is to be back quickly imports little.
        from hardware.drivers.onvif_camera import OnvifCamera

        if self._onvif is None:
            self._onvif = OnvifCamera(self._address, self._onvif_port)
        self._onvif.ask_for_key_frame()

    def _named(self, error: Exception) -> DeviceError:
        """The reason, from the camera's own mouth where it says one."""
        answer = rtsp_probe.ask(self._address, refused=isinstance(error, HTTPUnauthorizedError))
        if answer.code:
            return DeviceError(answer.text, code=answer.code)
        if isinstance(error, BrokenPipeError):
            return DeviceError("录制服务不再接收画面", code="ended")
        words = self._address.hidden(getattr(error, "strerror", None) or str(error))
        return DeviceError(f"摄像机的码流中断：{words}", code="stream")


def run(options: dict[str, Any], said: str) -> None:
    """Until the camera ends or this process is killed."""
    reporter = Reporter(int(options["report_fd"]))
    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.WARNING)
    try:
        address = CameraAddress.parse(**json.loads(said))
        CameraCopy(address, int(options["media_fd"]), int(options["onvif_port"]), reporter.refused).run()
    except MediaError as error:
        reporter.failed(f"摄像机的码流中断：{error.message}", "stream")
        raise
    except (DeviceError, ConfigError) as error:
        reporter.failed(error.message, error.code)
        raise


def main() -> None:
    """Entry point of the process."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    said = sys.stdin.read()
    run_worker(lambda: run(json.loads(sys.argv[1]), said))


if __name__ == "__main__":
    main()
