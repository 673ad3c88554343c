"""One picture of one camera, for who sets a room up: a process that ends when it has said it.

    python -m hardware.workers.camera_picture      (what to look at comes on stdin as a line of JSON)

Promises: user and password are on no command line and in no line of a log. What the camera sends is only taken apart
while there is a line to it; it is decoded after the line was closed and the process has given up files, sockets and
programs (`confine_reader`). Says one line: `jpeg` (base64) with `width`, `height` and `codec`, or `code` and `text`.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import av
import av.logging
from av.error import FFmpegError, HTTPUnauthorizedError
from PIL import Image

from hardware.camera_address import CameraAddress
from hardware.drivers import ffmpeg_arguments, rtsp_probe
from hardware.workers.encoder_process import worker_started
from sync.errors import MediaError, WutongError
from sync.runtime.confinement.confine import ProcessLimits, confine_reader

OPEN_S = 8.0
READ_S = 4.0
KEY_S = 12.0
"""So long a key frame is waited for: whoever sets up may as well be told that they are far apart."""
MOST_BYTES = 8 * 1024 * 1024
MOST_SIDE = 8_192
WIDTH = 640
"""Of the picture that is said; less where the camera's is less."""
LIMITS = ProcessLimits(memory_bytes=2 << 30, cpu_s=15)


@dataclass(frozen=True)
class _Taken:
    """A key frame as it came."""

    codec: str
    extradata: bytes
    data: bytes
    width: int
    height: int
    pixels: str


def main() -> None:
    """Entry point of the process."""
    worker_started()
    av.logging.set_level(None)
    Image.init()
    wanted: dict[str, Any] = json.loads(sys.stdin.readline())
    try:
        said = _picture(wanted)
    except WutongError as error:
        said = {"code": error.code, "text": error.message}
    except (FFmpegError, OSError, ValueError, MemoryError) as error:
        said = {"code": "stream", "text": f"收到的画面无法解码：{type(error).__name__} (the picture cannot be decoded)"}
    print(json.dumps(said, ensure_ascii=False), flush=True)  # noqa: T201 (the answer)


def _picture(wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted.get("device"):
        taken = _from_usb(str(wanted["device"]))
    else:
        address = CameraAddress.parse(str(wanted["url"]), str(wanted["user"]), str(wanted["password"]))
        answer = rtsp_probe.ask(address)
        if answer.code:
            return {"code": answer.code, "text": f"{answer.text} ({answer.english})"}
        taken = _from_network(address)
    confine_reader(LIMITS, [])
    image = _decoded(taken)
    drawn = io.BytesIO()
    small = image.resize((WIDTH, max(image.height * WIDTH // image.width, 2))) if image.width > WIDTH else image
    small.save(drawn, "JPEG", quality=80)
    jpeg = base64.b64encode(drawn.getvalue()).decode("ascii")
    return {"jpeg": jpeg, "width": image.width, "height": image.height, "codec": taken.codec}


def _from_network(address: CameraAddress) -> _Taken:
    try:
        with av.open(address.full, options=ffmpeg_arguments.NETWORK_CAMERA, timeout=(OPEN_S, READ_S)) as camera:
            return _key_frame(camera, time.monotonic() + KEY_S)
    except HTTPUnauthorizedError:
        raise MediaError("摄像机拒绝了用户名或密码 (the camera refuses user or password)", code="password") from None
    except (FFmpegError, OSError) as error:
        words = address.hidden(getattr(error, "strerror", None) or type(error).__name__)
        raise MediaError(f"摄像机没有送来画面：{words} (it gives no picture)", code="stream") from None


def _from_usb(device: str) -> _Taken:
    try:
        with av.open(device, format="v4l2", timeout=(OPEN_S, READ_S)) as camera:
            return _key_frame(camera, time.monotonic() + READ_S)
    except (FFmpegError, OSError) as error:
        words = getattr(error, "strerror", None) or type(error).__name__
        text = f"USB 摄像机打不开：{words}；请检查插头和权限 (the USB camera cannot be opened: check plug and rights)"
        raise MediaError(text, code="device") from None


def _key_frame(camera: Any, until_s: float) -> _Taken:
    if not camera.streams.video:
        raise MediaError("没有视频流 (no stream of pictures)", code="codec")
    stream = camera.streams.video[0]
    context = stream.codec_context
    for packet in camera.demux(stream):
        if packet.is_keyframe and packet.size:
            if packet.size > MOST_BYTES or not 0 < context.width <= MOST_SIDE or not 0 < context.height <= MOST_SIDE:
                break
            pixels = context.pix_fmt or ""
            extra = bytes(context.extradata or b"")
            return _Taken(context.name, extra, bytes(packet), context.width, context.height, pixels)
        if time.monotonic() > until_s:
            raise MediaError(
                "摄像机长时间没有送来关键帧，请把 I 帧间隔设为 1–2 秒 (no key frame came: set them 1 to 2 s apart)",
                code="key-frame",
            )
    raise MediaError("摄像机送来的不是可用的画面 (what came is no usable picture)", code="stream")


def _decoded(taken: _Taken) -> Image.Image:
    context: Any = av.VideoCodecContext.create(taken.codec, "r")
    context.thread_count = 1  # a confined process has one thread
    if taken.extradata:
        context.extradata = taken.extradata
    if taken.codec == "rawvideo":
        context.width, context.height, context.pix_fmt = taken.width, taken.height, taken.pixels
    for frame in [*context.decode(av.Packet(taken.data)), *context.decode(None)]:
        if 0 < frame.width <= MOST_SIDE and 0 < frame.height <= MOST_SIDE:
            image: Image.Image = frame.to_image()
            return image
    raise MediaError("画面无法解码 (the picture cannot be decoded)", code="stream")


if __name__ == "__main__":
    main()
