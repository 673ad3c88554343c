"""Which stream of a camera is recorded, and which small one is shown on walls.

By ONVIF where the camera speaks it: its main stream is the largest it copies, its second the largest that walls take.
Else by what makers write in their manuals for their first stream, tried one by one and never with a password that was
just refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from hardware.camera_address import CameraAddress
from hardware.drivers import rtsp_probe
from hardware.drivers.onvif_answers import OnvifProfile
from hardware.drivers.onvif_camera import OnvifCamera
from sync.errors import ConfigError, DeviceError

WALL_PIXELS = 720 * 576
"""The most that a wall's small picture has."""
COPIED = ("H264", "H265")
USUAL_PATHS = (
    "/Streaming/Channels/101",
    "/cam/realmonitor?channel=1&subtype=0",
    "/main",
    "/live/main",
    "/stream1",
    "/h264/ch1/main/av_stream",
    "/",
)
"""Of makers that courts buy from, by their manuals; the last asks for whatever is there."""


@dataclass(frozen=True)
class CameraStreams:
    """Addresses without user and password. `onvif_port` is 0 where it is not spoken to by ONVIF."""

    main: str
    sub: str = ""
    onvif_port: int = 0


def streams_of(host: str, onvif_port: int, user: str, password: str, rtsp_port: int = 554) -> CameraStreams:
    """Ask a camera; blocks for seconds. `DeviceError` "password" where it wants another, "onvif" or "path" where it
    has no stream that can be copied."""
    asked = CameraAddress("rtsp", host, rtsp_port, "/", user, password)
    if onvif_port:
        camera = OnvifCamera(asked, onvif_port)
        try:
            offered = camera.streams()
        except DeviceError as error:
            if error.code == "password":
                raise
            offered = []
        finally:
            camera.close()
        if offered:
            return _chosen(asked, offered, onvif_port)
    for path in USUAL_PATHS:
        answer = rtsp_probe.ask(replace(asked, path=path))
        if answer.code == "password":
            raise DeviceError(f"{answer.text} ({answer.english})", code="password")
        if answer.code == "":
            return CameraStreams(replace(asked, path=path).request)
        if answer.code not in ("path", "codec"):
            raise DeviceError(f"{answer.text} ({answer.english})", code=answer.code)
    raise DeviceError(
        "没有找到可录制的码流，请手工填写 RTSP 地址 (no stream was found: type its RTSP address)", code="path"
    )


def _chosen(asked: CameraAddress, offered: list[tuple[OnvifProfile, str]], onvif_port: int) -> CameraStreams:
    usable = [(one, _address(asked, said)) for one, said in offered if said and one.codec.upper() in (*COPIED, "")]
    usable = [(one, address) for one, address in usable if address]
    if not usable:
        raise DeviceError(
            "摄像机没有 H.264 或 H.265 码流，请在摄像机上启用 (the camera offers no H.264 or H.265)", code="codec"
        )
    # By size; of two alike the camera's first, which by custom is the main one.
    main = max(usable, key=lambda one: one[0].width * one[0].height)
    small = [
        (one, address)
        for one, address in usable
        if address != main[1] and one.codec.upper() == "H264" and 0 < one.width * one.height <= WALL_PIXELS
    ]
    sub = max(small, key=lambda one: one[0].width * one[0].height, default=None)
    return CameraStreams(main[1], "" if sub is None else sub[1], onvif_port)


def _address(asked: CameraAddress, said: str) -> str:
    """Path and port of what the camera says, at the machine that was asked; empty for what is no such address."""
    try:
        parts = urlsplit(said)
        port = parts.port or asked.port
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        place = f"[{asked.host}]" if ":" in asked.host else asked.host
        return CameraAddress.parse(f"rtsp://{place}:{port}{path or '/'}").request
    except (ValueError, ConfigError):
        return ""
