"""Every argument that Wutong gives to ffmpeg, built here and nowhere else.

Promises: fragments of 100-200 ms that begin cleanly and leave ffmpeg as soon as they are whole; the stream of a network
camera is copied (`hardware.workers.network_camera` reads it with these options); what is encoded here has no B frames
and a key frame at least every second, and shows the wall clock; the microphones' channels are never mixed, resampled or
reordered on their way into FLAC.

`-fflags nobuffer` is used nowhere: it throws away what ffmpeg read while it looked at its input, and media time would
then be early by that much.
"""

from __future__ import annotations

from typing import Any

import ffmpeg

from hardware.profile import Camera

FRAGMENT_US = 120_000
FLAC_FRAME_S = 0.05
MIX_RATE_HZ = 48_000
AAC_PRIMING_SAMPLES = 1024
"""What ffmpeg's AAC encoder puts before the first sample; part of the media time of the mix."""

_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""Names that FLAC gives to 1-8 channels: with any other, ffmpeg would remix the seats into each other."""

_FRAGMENTED: dict[str, Any] = {
    "format": "mp4",
    "movflags": "empty_moov+default_base_moof+frag_keyframe+skip_trailer",
    "frag_duration": FRAGMENT_US,
    "flush_packets": 1,
    "map_metadata": -1,
}
COPIED_FRAGMENTS: dict[str, str] = {
    name: str(_FRAGMENTED[name]) for name in ("movflags", "frag_duration", "flush_packets")
}
"""The same for the library that copies a network camera."""

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

COMPATIBLE: dict[str, str] = {"preset": "ultrafast", "tune": "zerolatency", "crf": "26", "sc_threshold": "0"} | {
    "maxrate": "2500k",
    "bufsize": "2500k",
}
"""How a camera's H.265 is made H.264 for browsers that cannot play it."""

_QUIET = ("-hide_banner", "-nostats", "-loglevel", "warning")


def _command(stream: Any, *, stdin: bool) -> list[str]:
    arguments = ffmpeg.compile(stream, overwrite_output=True)
    return [arguments[0], *_QUIET, *([] if stdin else ["-nostdin"]), *arguments[1:]]


_EACH_SECOND = "expr:isnan(prev_forced_t)+gte(t,prev_forced_t+0.98)"
"""Key frames by time; pictures that come a little early count as a second's first."""
_H264: dict[str, Any] = {
    "vcodec": "libx264",
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": 26,
    "sc_threshold": 0,
    "bf": 0,
    "pix_fmt": "yuv420p",
    "threads": 1,
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "color_range": "tv",
}


def _h264(stream: Any, fd: int, fps: int) -> Any:
    # Counted in pictures, the key frames of a USB camera that is slow in the dark would be seconds apart.
    keys = {"g": 2 * fps, "keyint_min": fps, "force_key_frames": _EACH_SECOND}
    return ffmpeg.output(stream, f"pipe:{fd}", **_H264, maxrate="2500k", bufsize="2500k", **keys, **_FRAGMENTED)


def raw_camera(width: int, height: int, fps: int, fd: int) -> list[str]:
    """Pictures (yuv420p) on stdin -> H.264 in fragments on `fd`; the wall clock is already in them."""
    source = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pixel_format="yuv420p",
        video_size=(width, height),
        framerate=fps,
        probesize=32,
        analyzeduration=0,
    )
    return _command(_h264(source.video, fd, fps), stdin=True)


def program(fps: int, bitrate_kbps: int, fd: int) -> list[str]:
    """Pictures (NUT: yuv420p with time stamps) on stdin -> H.264 in fragments on `fd`; at most `fps`, often fewer."""
    source = ffmpeg.input("pipe:0", format="nut", probesize=4096, analyzeduration=0)
    rate = {"maxrate": f"{bitrate_kbps}k", "bufsize": f"{bitrate_kbps}k"}
    paced = {"fps_mode": "passthrough", "enc_time_base": "1:90000", "video_track_timescale": 90_000}
    # However few pictures there are: a key frame each second. Without `fps`, x264 would take the ticks for pictures and
    # allow each next to nothing.
    keys = {"g": 60, "force_key_frames": _EACH_SECOND, "level": "4.0", "x264-params": f"fps={fps}"}
    picture: dict[str, Any] = {**_H264, **rate, **paced, **keys}
    return _command(ffmpeg.output(source.video, f"pipe:{fd}", **picture, **_FRAGMENTED), stdin=True)


def camera(camera: Camera, fd: int) -> list[str]:
    """A camera that ffmpeg itself reads -> fragments on `fd`."""
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
    return _command(_h264(_with_wall_clock(picture, camera.height), fd, camera.fps), stdin=False)


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
    mix = ffmpeg.output(mixed, f"pipe:{mix_fd}", acodec="aac", audio_bitrate="64k", **_FRAGMENTED)
    return _command(ffmpeg.merge_outputs(mics, mix), stdin=True)
