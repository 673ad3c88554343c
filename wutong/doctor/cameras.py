"""What the doctor says of cameras: a network camera is asked, signed in to and looked at for some seconds.

No address ends the doctor, and none is shown with its password. What the stream is like is measured, not believed:
pictures a second, the distance of key frames, reordered pictures.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import av
from av.error import FFmpegError

from hardware.camera_address import FIELDS_HINT, CameraAddress
from hardware.drivers import ffmpeg_arguments, rtsp_probe
from hardware.drivers.onvif_camera import OnvifCamera
from hardware.profile import Camera
from hardware.workers.unit_writer import CODECS
from recorder.tiles.tile_outlet import MOST_PIXELS
from sync.errors import MediaError, WutongError
from sync.media.h264_config import is_parameter_set
from sync.media.h264_sps import parse_sps
from sync.media.nal_units import annex_b_units
from wutong.doctor.finding import DoctorFinding, simulated

LOOK_S = 12.0
"""How long a stream is looked at, or until its second key frame."""
LEAST_S = 2.0
AGAIN_S = 1.0
LONG_KEYS_S = 5.0
"""Key frames that are further apart keep a newcomer waiting and make the record of an opening begin early."""
RATE_OFF = 0.15
CLOCK_OFF_S = 2.0


def v4l2() -> Iterator[DoctorFinding]:
    """The cameras that are plugged in."""
    folder = Path("/dev/v4l/by-path")
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in found:
        yield DoctorFinding("camera (V4L2)", "ok", f"{path} -> {path.resolve().name}")
    if not found:
        yield DoctorFinding("camera (V4L2)", "note", "none is plugged in")


def examined(camera: Camera, profile_path: Path | None) -> Iterator[DoctorFinding]:
    """What is to be said of a camera of the profile."""
    subject = f"profile: camera {camera.id}"
    if camera.driver == "simulated":
        yield simulated(subject, camera.file)
    elif camera.driver == "file":
        there = camera.file is not None and camera.file.is_file()
        text = f"file {camera.file}{'' if there else ' is not there'}"
        yield DoctorFinding(subject, "ok" if there else "bad", text)
    elif camera.driver == "v4l2":
        yield _v4l2_camera(subject, camera)
    else:
        try:
            address = camera.address()
        except WutongError as error:
            yield DoctorFinding(subject, "bad", error.message)
            return
        yield from _secrets(subject, camera, address, profile_path)
        yield from _network(subject, camera, address)


def _v4l2_camera(subject: str, camera: Camera) -> DoctorFinding:
    numbered = camera.device.startswith("/dev/video")
    why = "numbers swap" if numbered else "two cameras with one serial number share this link"
    unsure = numbered or camera.device.startswith("/dev/v4l/by-id/")
    hint = f"; name it by /dev/v4l/by-path/…: {why}" if unsure else ""
    if not os.access(camera.device, os.R_OK | os.W_OK):
        return DoctorFinding(subject, "bad", f"{camera.device} is not there or not ours to open (group video?){hint}")
    if not Path(camera.device).is_char_device():
        return DoctorFinding(subject, "bad", f"{camera.device} is no device, but a file{hint}")
    return DoctorFinding(subject, "note" if unsure else "ok", camera.device + hint)


def _secrets(
    subject: str, camera: Camera, address: CameraAddress, profile_path: Path | None
) -> Iterator[DoctorFinding]:
    if address.in_url:
        yield DoctorFinding(subject, "note", f"user and password are inside its url; better {FIELDS_HINT}")
    written = address.in_url or camera.password.get_secret_value()
    if written and profile_path is not None and profile_path.stat().st_mode & 0o004:
        text = f"its password is in {profile_path.name}, which everybody on this machine can read: chmod 0640 it"
        yield DoctorFinding(subject, "note", f"{text}, or use password_file")


def _network(subject: str, camera: Camera, address: CameraAddress) -> Iterator[DoctorFinding]:
    answer = rtsp_probe.ask(address)
    if answer.clock_off_s is not None and abs(answer.clock_off_s) > CLOCK_OFF_S:
        text = f"its clock is {answer.clock_off_s:+.0f} s off, so the time in its picture is wrong"
        yield DoctorFinding(
            subject, "note", f"{text}: give it a time server (the record does not use the camera's clock)"
        )
    if answer.code:
        yield DoctorFinding(subject, "bad", answer.english)
        return
    stream, words = _looked(address)
    if stream is None:  # some cameras serve nobody for a moment after a question that led to no stream
        time.sleep(AGAIN_S)
        stream, words = _looked(address)
    if stream is None:
        yield DoctorFinding(subject, "bad", f"{address.place} answers, but gives no picture ({words})")
    else:
        yield from _judged(subject, camera, address, stream, answer.signed_in)
        if camera.sub:
            yield _second_stream(subject, camera.sub_address())


def _second_stream(subject: str, address: CameraAddress) -> DoctorFinding:
    """What walls are shown of it, where it is fit for that (`recorder.tiles.tile_outlet`)."""
    stream, words = _looked(address)
    if stream is None:
        text = f"its second stream (sub) gives no picture ({words})"
    elif stream.codec != "h264" or stream.width * stream.height > MOST_PIXELS:
        text = f"its second stream (sub) is {stream.codec} {stream.width}×{stream.height}"
        text += "; walls need H.264, 720×576 at most"
    else:
        return DoctorFinding(subject, "ok", f"second stream for walls: H.264 {stream.width}×{stream.height}")
    return DoctorFinding(subject, "note", f"{text}: the room makes the small picture itself")


def _looked(address: CameraAddress) -> tuple[SeenStream | None, str]:
    """What is seen, or why nothing is."""
    try:
        return look(address), ""
    except (FFmpegError, OSError, ValueError) as error:
        return None, address.hidden(getattr(error, "strerror", None) or str(error))


@dataclass(frozen=True)
class SeenStream:
    """What was seen of a camera's stream."""

    codec: str
    width: int
    height: int
    fps: float
    key_s: float | None
    """From one key frame to the next; None when no second one came within `seen_s`."""
    seen_s: float
    reordered: bool
    """It has B frames: pictures come in another order than they are shown in."""
    holds: bool = False
    """Its parameters do not say how far pictures are reordered, so a decoder holds as many as could be."""


def look(address: CameraAddress, most_s: float = LOOK_S) -> SeenStream:
    """Read a stream until its second key frame, for `most_s` at most; `FFmpegError`, `OSError` or `ValueError`."""
    stamps: list[float] = []
    keys: list[float] = []
    reordered = False
    with av.open(address.full, options=ffmpeg_arguments.NETWORK_CAMERA, timeout=(most_s, 4.0)) as camera:
        if not camera.streams.video:
            raise ValueError("no stream of pictures")
        kept = (one for one in camera.streams.video if one.codec_context.name in CODECS)
        stream = next(kept, camera.streams.video[0])
        began = time.monotonic()
        for packet in camera.demux(stream):
            at = packet.pts if packet.dts is None else packet.dts
            if at is None or packet.time_base is None:
                continue
            reordered = reordered or (packet.pts is not None and packet.dts is not None and packet.pts != packet.dts)
            stamps.append(float(at * packet.time_base))
            if packet.is_keyframe:
                keys.append(stamps[-1])
            passed = time.monotonic() - began
            if passed > most_s or (passed > LEAST_S and len(keys) > 1):
                break
        context = stream.codec_context
        if len(stamps) < 3:
            raise ValueError("too few pictures")
        apart = median(b - a for a, b in itertools.pairwise(stamps))
        return SeenStream(
            codec=context.name,
            width=context.width,
            height=context.height,
            fps=1 / apart if apart > 0 else 0.0,
            key_s=max(b - a for a, b in itertools.pairwise(keys)) if len(keys) > 1 else None,
            seen_s=stamps[-1] - stamps[0],
            reordered=reordered or bool(context.has_b_frames),
            holds=context.name == "h264" and _holds(context.extradata or b""),
        )


def _asked_for_key_frame(subject: str, address: CameraAddress, port: int) -> DoctorFinding:
    onvif = OnvifCamera(address, port)
    try:
        onvif.ask_for_key_frame()
    except WutongError as error:
        why = "user or password" if error.code == "password" else "no ONVIF there, or without SetSynchronizationPoint"
        return DoctorFinding(subject, "note", f"it gives no key frame when it is asked by ONVIF at port {port} ({why})")
    finally:
        onvif.close()
    return DoctorFinding(subject, "ok", f"it takes being asked for a key frame by ONVIF at port {port}")


def _holds(extradata: bytes) -> bool:
    """Whether a parameter set among these units says nothing of the order of pictures."""
    try:
        sets = [parse_sps(unit) for unit in annex_b_units(extradata) if is_parameter_set(unit)]
    except MediaError:
        return False
    return any(one.reordered_frames is None for one in sets)


def _judged(
    subject: str, camera: Camera, address: CameraAddress, stream: SeenStream, signed_in: str
) -> Iterator[DoctorFinding]:
    keys = f"{stream.key_s:.1f} s" if stream.key_s is not None else f"more than {stream.seen_s:.0f} s"
    name = {"h264": "H.264", "hevc": "H.265"}.get(stream.codec, stream.codec)
    text = f"{address.place} {name} {stream.width}×{stream.height}, {stream.fps:.1f} pictures a second"
    text += f", key frames {keys} apart" + (", reordered pictures" if stream.reordered else "")
    yield DoctorFinding(subject, "ok", text + (f", signed in by {signed_in}" if signed_in else ""))
    if (stream.key_s or stream.seen_s) > LONG_KEYS_S:
        text = f"key frames are {keys} apart (a smart codec?): who comes later may see a still picture for so long"
        hint = "" if camera.onvif_port else ", or name its ONVIF port (onvif_port), so that it is asked for one"
        yield DoctorFinding(
            subject, "note", f"{text}; set the camera's I-frame interval to 1–2 s, smart codec off{hint}"
        )
    if camera.onvif_port:
        yield _asked_for_key_frame(subject, address, camera.onvif_port)
    if stream.codec == "hevc":
        extra = "it has a second track in H.264"
        if not camera.compatible:
            extra = "set compatible = true, or the camera to H.264"
        text = "H.265 is recorded as it comes; a browser without an H.265 decoder cannot show it"
        yield DoctorFinding(subject, "note", f"{text}: {extra}")
    if stream.reordered:
        text = "it sends reordered pictures (B frames), which make the live picture later: switch them off there"
        yield DoctorFinding(subject, "note", text)
    elif stream.holds:
        text = "its parameters do not say that pictures keep their order (SPS without bitstream_restriction)"
        text += ", so decoders elsewhere hold up to 16 of them: the live copy says it, the record has what it sends"
        yield DoctorFinding(subject, "note", f"{text}; newer firmware of the camera may say it itself")
    if "fps" in camera.model_fields_set and abs(stream.fps - camera.fps) > RATE_OFF * camera.fps:
        text = f"it sends {stream.fps:.1f} pictures a second, the profile says {camera.fps}"
        yield DoctorFinding(subject, "note", f"{text}: the stream's own rate counts")
