"""Every argument that Wutong gives to ffmpeg, built here and nowhere else.

Promises: a coded picture leaves ffmpeg as soon as it is coded (in NUT, which says how long each is; a muxer of MP4
holds a picture until the next one has come); the stream of a network camera is copied by
`hardware.workers.network_camera`, which reads it with these options; what is encoded here has no B frames and a key
frame at least every second, and shows the wall clock; sound comes in fragments of some frames; the microphones'
channels are never mixed, resampled or reordered on their way into FLAC.

`-fflags nobuffer` is used nowhere: it throws away what ffmpeg read while it looked at its input, and media time would
then be early by that much.
"""

from __future__ import annotations

from typing import Any

import ffmpeg

from hardware.drivers.x264_options import KEY_EARLY_NS, KEY_NS, KEY_PICTURES, coding
from hardware.profile import Camera
from sync.runtime.units import NS_PER_S

MICROPHONES_US = 120_000
"""Fragments of the record: nobody listens to all seats apart."""
MIX_US = 60_000
"""What people hear: three frames of AAC, so that the sound is not later than the pictures."""
FLAC_FRAME_S = 0.05
MIX_RATE_HZ = 48_000
AAC_PRIMING_SAMPLES = 1024
"""What ffmpeg's AAC encoder puts before the first sample; part of the media time of the mix."""

_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""Names that FLAC gives to 1-8 channels: with any other, ffmpeg would remix the seats into each other."""

_FRAGMENTED: dict[str, Any] = {
    "format": "mp4",
    "movflags": "empty_moov+default_base_moof+frag_keyframe+skip_trailer",
    "flush_packets": 1,
    "map_metadata": -1,
}
_AT_ONCE: dict[str, Any] = {"format": "nut", "write_index": 0, "flush_packets": 1, "map_metadata": -1}
ENCODED_CAMERA: dict[str, str] = {"fflags": "+noparse+nofillin", "probesize": "32", "analyzeduration": "0"}
"""How the library reads that: each packet is a picture, so no parser has to wait for the next one to see its end."""

NETWORK_CAMERA: dict[str, str] = {
    "rtsp_transport": "tcp",
    # With sound beside it, the pictures would be moved by the camera's RTCP reports, which step.
    "allowed_media_types": "video",
    "timeout": "4000000",
    "analyzeduration": "1000000",
    # Where the description has no parameter sets they come with the next key frame, after many bytes.
    "probesize": "16000000",
    "fflags": "+genpts",
    # RTP's 32-bit stamps are unwrapped where they are read; guessing at a wrap once more goes wrong with cameras whose
    # first stamps are wild.
    "correct_ts_overflow": "0",
}
"""How the library reads a network camera."""

_QUIET = ("-hide_banner", "-nostats", "-loglevel", "warning")


def _command(stream: Any, *, stdin: bool) -> list[str]:
    arguments = ffmpeg.compile(stream, overwrite_output=True)
    return [arguments[0], *_QUIET, *([] if stdin else ["-nostdin"]), *arguments[1:]]


_EACH_SECOND = f"expr:isnan(prev_forced_t)+gte(t,prev_forced_t+{(KEY_NS - KEY_EARLY_NS) / NS_PER_S})"
"""Key frames by time; pictures that come a little early count as a second's first."""


def _h264(stream: Any, fd: int) -> Any:
    # Counted in pictures, the key frames of a USB camera that is slow in the dark would be seconds apart.
    keys = {"g": KEY_PICTURES, "force_key_frames": _EACH_SECOND}
    coded = {"vcodec": "libx264", "bf": 0, "pix_fmt": "yuv420p", "threads": 1}
    return ffmpeg.output(stream, f"pipe:{fd}", **coded, **coding(), **keys, **_AT_ONCE)


def camera(camera: Camera, fd: int) -> list[str]:
    """A camera that ffmpeg itself reads -> H.264 in NUT on `fd`."""
    if camera.driver == "v4l2":
        source = ffmpeg.input(
            camera.device,
            format="v4l2",
            framerate=camera.fps,
            video_size=(camera.width, camera.height),
            thread_queue_size=8,
        )
        picture = source.video
    else:
        looped = {"stream_loop": -1} if camera.loop else {}
        source = ffmpeg.input(str(camera.file), re=None, **looped)
        fit = {"force_original_aspect_ratio": "decrease"}
        picture = (
            source.video.filter("fps", camera.fps)
            .filter("scale", camera.width, camera.height, **fit)
            .filter("pad", camera.width, camera.height, "(ow-iw)/2", "(oh-ih)/2")
        )
    return _command(_h264(_with_wall_clock(picture, camera.height), fd), stdin=False)


def clock_box(height: int) -> tuple[int, int]:
    """(height, width) of the upper left corner into which the clock is drawn, with a margin for the encoder."""
    size = max(height // 24, 14)
    return size * 26 // 10, size * 27 // 2


def _with_wall_clock(picture: Any, height: int) -> Any:
    """The room's local time, drawn by ffmpeg at the moment of encoding; fontconfig finds the font or one alike."""
    size = max(height // 24, 14)
    return picture.filter(
        "drawtext",
        font="DejaVu Sans Mono",
        text="%{localtime}",
        fontsize=size,
        fontcolor="white",
        box=1,
        boxcolor="black@0.55",
        boxborderw=size // 3,
        x=size,
        y=size,
    )


def microphones(channels: int, rate_hz: int, mics_fd: int, mix_fd: int) -> list[str]:
    """PCM (s16le, interleaved) on stdin -> FLAC of all channels on one pipe, an AAC mix of them on the other."""
    source = ffmpeg.input(
        "pipe:0",
        format="s16le",
        ar=rate_hz,
        ch_layout=_LAYOUTS[channels - 1],
        probesize=32,
        analyzeduration=0,
    )
    mics = ffmpeg.output(
        source.audio,
        f"pipe:{mics_fd}",
        acodec="flac",
        strict=-2,
        sample_fmt="s16",
        frame_size=max(int(rate_hz * FLAC_FRAME_S), 16),
        compression_level=5,
        frag_duration=MICROPHONES_US,
        **_FRAGMENTED,
    )
    # Seats rarely speak together: nearly full level each, and a limiter for when they do.
    gain = 1.0 if channels == 1 else 0.8
    parts = "+".join(f"{gain}*c{channel}" for channel in range(channels))
    mixed = (
        source.audio.filter("pan", args=f"mono|c0={parts}")
        .filter("alimiter", limit=0.95, attack=5, release=50, level=0, latency=1)
        .filter("aresample", MIX_RATE_HZ)
    )
    mix = ffmpeg.output(mixed, f"pipe:{mix_fd}", acodec="aac", audio_bitrate="64k", frag_duration=MIX_US, **_FRAGMENTED)
    return _command(ffmpeg.merge_outputs(mics, mix), stdin=True)
