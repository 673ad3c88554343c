"""The sources of a room: for each worker process, which tracks it gives and how it is started.

`Source.command` gets the file descriptors of its pipes, one per track and one for reports (hardware.workers.reporter);
it is the same for all drivers, so the recorder knows none of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from hardware.camera_address import CameraAddress
from hardware.drivers import ffmpeg_arguments
from hardware.drivers.x264_options import coding
from hardware.key_frame_permission import KeyFramePermission
from hardware.profile import PROGRAM_NAME, Camera, Profile
from sync.media.tracks import COMPATIBLE_SUFFIX, MICROPHONES, MIX, PROGRAM, TILE
from sync.runtime.units import NS_PER_S

COMPATIBLE_FPS = 25
"""The most pictures a second of a track that is made for browsers."""
FIRST_S = 15.0
"""So long a worker may take to its first media."""
FIRST_KEY_S = 75.0
"""The same where a camera's key frame is waited for: smart codecs send one every 10 to 50 s, also to a newcomer."""
PROGRAM_OFF = "合成画面已停用：本机算力不足"
TILE_OFF = "小画面已停用：本机算力不足"
TILE_LOOKS = 25
"""So often a second it is looked for a picture of the camera; of those that come so often each second one is made."""


@dataclass(frozen=True)
class TrackInfo:
    """A track that a source gives."""

    id: str
    kind: Literal["video", "audio"]
    name: str
    delay_ns: int
    """How much later, by its own media time, the track shows what the source's clock reports (encoder priming)."""


@dataclass(frozen=True)
class Source:
    """One worker process."""

    id: str
    tracks: tuple[TrackInfo, ...]
    command: Callable[[Sequence[int], int], list[str]]
    """(a pipe for each track, the pipe for reports) -> arguments."""
    by_arrival: bool = False
    """Only the arrival of its pictures tells their time: the first ones often come in a burst."""
    secret: Callable[[], str] = str
    """What the worker gets on its stdin: an address with its password, which no other process may see. `ConfigError`
    when it cannot be had."""
    fps: int | None = None
    """Pictures a second that the profile asks for; None where the device decides."""
    first_s: float = FIRST_S
    """The recorder waits so long for the first media of a run."""
    device: str = ""
    """The node of a USB camera, or a link to it: whether that is still the same camera is the recorder's to see."""
    refused: Callable[[str], None] = lambda said: None
    """Called with the `secret` of a run when its worker says that the camera refuses the account by which it is asked
    for key frames."""
    off_why: str = ""
    """Not empty: where it cannot keep up it is left off until the next hearing, and this is said."""


TILE_TRACK = TrackInfo(TILE, "video", "小画面", 0)


def sources(profile: Profile, stage: Path) -> list[Source]:
    """All sources of a room that are recorded; `stage` is where simulated devices look for their cue."""
    devices = [*(_camera(profile, camera, stage) for camera in profile.cameras), _microphones(profile, stage)]
    devices += [_compatible(profile, camera) for camera in profile.cameras if camera.compatible]
    return [*devices, _program(profile)] if profile.program.enabled else devices


def _camera(profile: Profile, camera: Camera, stage: Path) -> Source:
    def direct(media: Sequence[int], report: int) -> list[str]:
        encoder = ffmpeg_arguments.camera(camera, 1)
        options = {"encoder": encoder, "fps": camera.fps, "media_fd": media[0], "report_fd": report}
        return _worker("hardware.workers.encoded_camera", options)

    def simulated(media: Sequence[int], report: int) -> list[str]:
        options = {
            **camera.model_dump(mode="json", include={"id", "name", "width", "height", "fps"}),
            "title": f"{profile.room.court_name} {profile.room.room_name}",
            "places": [{"roles": seat.roles, "channel": seat.channel} for seat in profile.seats],
            "stage": str(stage),
            "coding": coding(),
            "media_fd": media[0],
            "report_fd": report,
        }
        return _worker("hardware.workers.simulated_camera", options)

    track = TrackInfo(camera.id, "video", camera.name, 0)
    if camera.driver == "rtsp":
        asked = camera.fps if "fps" in camera.model_fields_set else None
        permission = KeyFramePermission(camera)
        return Source(
            camera.id,
            (track,),
            partial(_network, camera, permission.port),
            refused=lambda said: permission.refused(str(json.loads(said)["password"])),
            by_arrival=True,
            secret=lambda: _said(camera.address()),
            fps=asked,
            first_s=FIRST_KEY_S,  # the worker itself notices a camera that sends nothing
        )
    acted = camera.driver == "simulated"
    command = simulated if acted else direct
    return Source(
        camera.id,
        (track,),
        command,
        by_arrival=not acted,
        fps=camera.fps,
        device=camera.device if camera.driver == "v4l2" else "",
    )


def _network(camera: Camera, onvif_port: Callable[[], int], media: Sequence[int], report: int) -> list[str]:
    options = {"id": camera.id, "media_fd": media[0], "report_fd": report, "onvif_port": onvif_port()}
    return _worker("hardware.workers.network_camera", options)


def _said(address: CameraAddress) -> str:
    return json.dumps({"url": address.request, "user": address.user, "password": address.password})


def sub_stream(camera: Camera) -> Source:
    """The small picture as the camera itself makes it; of a profile that names its `sub`. For a wall no key frame is
    asked for: what may lock a camera is left to the record."""
    return Source(
        TILE,
        (TILE_TRACK,),
        partial(_network, camera, int),
        by_arrival=True,
        secret=lambda: _said(camera.sub_address()),
        first_s=FIRST_KEY_S,
    )


def small_picture(profile: Profile, camera: Camera) -> Source:
    """The small picture, made here of what the camera sends."""

    def command(media: Sequence[int], report: int) -> list[str]:
        options = {
            "data": str(profile.storage.data),
            "camera": camera.id,
            "fps": TILE_LOOKS,
            "media_fd": media[0],
            "report_fd": report,
        }
        return _worker("hardware.program.tile", options)

    return Source(TILE, (TILE_TRACK,), command, first_s=FIRST_KEY_S, off_why=TILE_OFF)


def _microphones(profile: Profile, stage: Path) -> Source:
    def command(media: Sequence[int], report: int) -> list[str]:
        microphones = profile.microphones
        options = {
            **microphones.model_dump(mode="json"),
            "stage": str(stage),
            "encoder": ffmpeg_arguments.microphones(microphones.channels, microphones.rate_hz, *media),
            "media_fds": list(media),
            "report_fd": report,
        }
        return _worker("hardware.workers.microphones", options)

    priming_ns = ffmpeg_arguments.AAC_PRIMING_SAMPLES * NS_PER_S // ffmpeg_arguments.MIX_RATE_HZ
    return Source(
        id=MICROPHONES,
        tracks=(TrackInfo(MICROPHONES, "audio", "全部话筒", 0), TrackInfo(MIX, "audio", "现场混音", priming_ns)),
        command=command,
    )


def _program(profile: Profile) -> Source:
    def command(media: Sequence[int], report: int) -> list[str]:
        options = {
            "data": str(profile.storage.data),
            "court": profile.room.court_name,
            "room": profile.room.room_name,
            "cameras": [(camera.id, camera.name) for camera in profile.cameras],
            "fps": profile.program.fps,
            "coding": coding(profile.program.bitrate_kbps, level="4.0"),
            "media_fd": media[0],
            "report_fd": report,
        }
        return _worker("hardware.program.worker", options)

    return Source(
        id=PROGRAM,
        tracks=(TrackInfo(PROGRAM, "video", PROGRAM_NAME, 0),),
        command=command,
        off_why=PROGRAM_OFF,
    )


def _compatible(profile: Profile, camera: Camera) -> Source:
    def command(media: Sequence[int], report: int) -> list[str]:
        options = {
            "data": str(profile.storage.data),
            "camera": camera.id,
            "fps": min(camera.fps, COMPATIBLE_FPS),
            "media_fd": media[0],
            "report_fd": report,
        }
        return _worker("hardware.program.compatible", options)

    track = compatible_track(camera)
    off_why = f"{track.name}已停用：本机算力不足"
    return Source(track.id, (track,), command, first_s=FIRST_KEY_S, off_why=off_why)


def compatible_track(camera: Camera) -> TrackInfo:
    """The track that is made of a camera's for browsers that cannot play it."""
    return TrackInfo(camera.id + COMPATIBLE_SUFFIX, "video", f"{camera.name}（H.264）", 0)


def _worker(module: str, options: dict[str, object]) -> list[str]:
    return [sys.executable, "-m", module, json.dumps(options, ensure_ascii=False)]
