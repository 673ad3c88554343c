"""The cameras that could be the room's: found or typed, each looked at in a process of its own.

Promises: what a camera sends is decoded in no process that holds anything of setup's; of one camera one question goes
out at a time, and a password that it has just refused is not tried again by itself.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardware.camera_address import CameraAddress
from hardware.discovery.camera_streams import CameraStreams, streams_of
from hardware.discovery.found_devices import FoundCamera
from sync.errors import ConfigError, DeviceError, WutongError
from sync.runtime.process.child_process import ChildError, ChildProcess, module_command
from sync.text.printable import printable
from wutong.setup.messages import ShownCandidate

PICTURE_S = 35.0
LINE_BYTES = 2 * 1024 * 1024
MOST_CANDIDATES = 100
_JPEG = b"\xff\xd8\xff"


@dataclass
class Candidate:
    """One camera."""

    id: str
    found: FoundCamera
    url: str = ""
    """rtsp: of the main stream, once it is known."""
    sub: str = ""
    onvif_port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    picture: bytes = b""
    pictures: int = 0
    codec: str = ""
    width: int = 0
    height: int = 0
    trouble: str = ""
    code: str = ""
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def place(self) -> str:
        """Where it is, for people; without user and password."""
        if self.found.driver == "rtsp":
            return CameraAddress.parse(self.url).shown if self.url else self.found.host
        return self.found.device if self.found.driver == "v4l2" else "模拟设备 (simulated)"

    def shown(self) -> ShownCandidate:
        """For the page."""
        return {
            "id": self.id,
            "driver": self.found.driver,
            "name": self.found.name,
            "place": self.place,
            "picture": self.pictures,
            "codec": self.codec,
            "width": self.width,
            "height": self.height,
            "trouble": self.trouble,
            "code": self.code,
        }


class Candidates:
    """All of them. Methods belong to one event loop."""

    def __init__(self) -> None:
        self._all: dict[str, Candidate] = {}
        self._number = 0

    def __iter__(self) -> Any:
        return iter(self._all.values())

    def get(self, name: str) -> Candidate:
        """One by its id; `ConfigError` "not-found"."""
        if name not in self._all:
            raise ConfigError("没有这台摄像机 (there is no such camera)", code="not-found")
        return self._all[name]

    def add(self, found: FoundCamera, url: str = "") -> Candidate:
        """One more, or the one that is there already."""
        for one in self._all.values():
            same = one.found.driver == found.driver and one.found.host == found.host
            if same and one.found.device == found.device and (not url or one.url == url):
                return one
        if len(self._all) >= MOST_CANDIDATES:
            raise ConfigError("摄像机太多 (too many cameras)", code="too-many")
        self._number += 1
        one = Candidate(f"c{self._number}", found, url)
        self._all[one.id] = one
        return one

    def typed(self, text: str, user: str = "", password: str = "") -> Candidate:
        """A network camera by its RTSP address; user and password may stand in it. `ConfigError` says what is wrong."""
        address = CameraAddress.parse(text.strip(), user, password)
        one = self.add(FoundCamera("rtsp", "", address.host), address.request)
        one.user, one.password = address.user, address.password
        return one

    async def look(self, name: str, user: str | None = None, password: str | None = None) -> Candidate:
        """Take a picture; what kept a camera from giving one is its `trouble` and `code`."""
        one = self.get(name)
        async with one.looking:
            if user is not None:
                one.user, one.password = user, password or ""
            one.trouble = one.code = ""
            try:
                await self._look(one)
            except WutongError as error:
                one.trouble, one.code = error.message, error.code
        return one

    async def _look(self, one: Candidate) -> None:
        if one.found.driver == "simulated":
            one.codec, one.width, one.height = "h264", 1280, 720
            one.picture = await asyncio.to_thread(_drawn, one.found.name)
            one.pictures += 1
            return
        if one.found.driver == "rtsp" and not one.url:
            streams: CameraStreams = await asyncio.to_thread(
                streams_of, one.found.host, one.found.onvif_port, one.user, one.password
            )
            one.url, one.sub, one.onvif_port = streams.main, streams.sub, streams.onvif_port
        question = {"device": one.found.device, "url": one.url, "user": one.user, "password": one.password}
        said = await _pictured(question)
        if "code" in said:
            raise DeviceError(printable(str(said["text"]))[:500], code=printable(str(said["code"]))[:40])
        try:
            picture = base64.b64decode(said["jpeg"], validate=True)
            codec, width, height = str(said["codec"]), said["width"], said["height"]
            if not picture.startswith(_JPEG) or type(width) is not int or type(height) is not int:
                raise ValueError("no picture")
        except (KeyError, TypeError, ValueError) as error:
            raise DeviceError("画面无法识别 (what came is no picture)", code="stream") from error
        one.picture, one.pictures = picture, one.pictures + 1
        one.codec, one.width, one.height = printable(codec)[:20], width, height


async def _pictured(question: dict[str, Any]) -> dict[str, Any]:
    child: ChildProcess | None = None
    try:
        async with asyncio.timeout(PICTURE_S):
            child = await ChildProcess.start(module_command("hardware.workers.camera_picture"), line_bytes=LINE_BYTES)
            await child.send(question)
            said = await child.receive()
    except (TimeoutError, ChildError) as error:
        raise DeviceError("摄像机没有及时送来画面 (it gave no picture in time)", code="timeout") from error
    finally:
        if child is not None:
            await child.end()
    if said is None:
        raise DeviceError("画面无法解码 (the picture cannot be decoded)", code="stream")
    return said


def _drawn(name: str) -> bytes:
    """What a simulated camera shows, drawn here: it is our own."""
    import io

    from PIL import Image, ImageDraw

    from hardware.simulation.drawn_courtroom import font

    image = Image.new("RGB", (640, 360), (28, 34, 48))
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 220, 600, 330), fill=(96, 74, 52))
    pen.text((320, 120), name, font=font(44), anchor="mm", fill=(235, 235, 235))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def simulated_cameras(hearing: Path) -> list[FoundCamera]:
    """Those of a hearing folder, for demonstrations."""
    return [FoundCamera("simulated", name, device=f"{hearing}#{name}") for name in ("审判席", "当事人席")]
