"""Everything that a room could be made of: cameras of the network, USB cameras, microphones, and simulated ones.

Promises: each is named once, by what the profile will name it by; one way of looking that fails says so in words and
hides no other. Blocks for seconds in threads of its own; starts no recording and signs in nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hardware.discovery.network_cameras import NetworkCamera, search
from sync.errors import WutongError
from sync.text.printable import printable

V4L2 = Path("/dev/v4l/by-path")
MOST_USB = 16
MOST_INPUTS = 32
MOST_CHANNELS = 8
"""Of one track of microphones."""


@dataclass(frozen=True)
class FoundCamera:
    """A camera that could be one of the room's. What does not fit its driver is empty or 0."""

    driver: Literal["rtsp", "v4l2", "simulated"]
    name: str
    """For people, where it says one."""
    host: str = ""
    onvif_port: int = 0
    device: str = ""


@dataclass(frozen=True)
class FoundMicrophones:
    """An input device; `direct`: the card itself, no sound server or plug-in before it."""

    name: str
    channels: int
    rate_hz: int
    direct: bool


@dataclass(frozen=True)
class FoundDevices:
    """What was found; `troubles` are ways of looking that failed, in words for people."""

    cameras: list[FoundCamera]
    microphones: list[FoundMicrophones]
    troubles: list[str]


def usb_cameras(folder: Path = V4L2) -> list[FoundCamera]:
    """By their paths, the first node of each camera alone: the others give no pictures."""
    try:
        nodes = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        nodes = []
    pictures = [node for node in nodes if node.name.endswith("-video-index0") and "-usbv2-" not in node.name]
    return [FoundCamera("v4l2", _usb_name(node), device=str(node)) for node in pictures[:MOST_USB]]


def input_microphones() -> list[FoundMicrophones]:
    """PortAudio's input devices (a PulseAudio's too, by ALSA's plug-in), cards before what stands before them."""
    from hardware.drivers.portaudio import input_devices, is_direct

    found = [
        FoundMicrophones(
            printable(str(one["name"]))[:200],
            min(int(one["maxInputChannels"]), MOST_CHANNELS),
            int(one["defaultSampleRate"]),
            is_direct(one),
        )
        for one in input_devices()
    ]
    return sorted(found[:MOST_INPUTS], key=lambda one: (not one.direct, -one.channels if one.direct else 0))


async def find(also: Sequence[tuple[str, int]] = (), own: Sequence[str] | None = None) -> FoundDevices:
    """Look everywhere at once; `also` and `own` as in `hardware.discovery.network_cameras.search`."""
    troubles: list[str] = []

    async def on_network() -> list[NetworkCamera]:
        try:
            return await search(own, also)
        except OSError as error:
            troubles.append(f"无法在网络中查找摄像机：{error.strerror} (the network cannot be searched)")
            return []

    async def sound() -> list[FoundMicrophones]:
        try:
            return await asyncio.to_thread(input_microphones)
        except (OSError, WutongError) as error:
            troubles.append(f"无法列出录音设备：{printable(str(error))[:200]} (no list of input devices)")
            return []

    network, usb, microphones = await asyncio.gather(on_network(), asyncio.to_thread(usb_cameras), sound())
    cameras = [
        FoundCamera(
            "rtsp", " ".join(dict.fromkeys(filter(None, (one.match.name, one.match.model)))), one.host, one.match.port
        )
        for one in network
    ]
    return FoundDevices([*cameras, *usb], microphones, troubles)


def _usb_name(node: Path) -> str:
    """What the kernel calls the camera behind a node."""
    try:
        name = Path("/sys/class/video4linux") / node.resolve().name / "name"
        return printable(name.read_text(encoding="utf-8", errors="replace").strip())[:60]
    except OSError:
        return ""
