"""Judges a test record: for each seat what was heard live and is found in the file, for each camera its picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.selftest.result import SelfTestResult
from hardware.profile import Camera, Profile, Seat
from recorder.selftest import channel_identity, evidence
from recorder.selftest.evidence import LiveLevel
from recorder.selftest.recording import PICTURE_NS
from sync.errors import MediaError
from sync.media.tracks import MICROPHONES, MIX

TONE_LIVE_DB = -65.0
"""A meter that stays below while the loudspeaker sounds hears nothing of it."""
MAX_LEVELS = 2000


@dataclass
class HeardLevels:
    """The live levels of each seat since the test began."""

    levels: dict[str, list[LiveLevel]]

    def add(self, seat: str, level: LiveLevel) -> None:
        """One level of a seat."""
        known = self.levels.get(seat)
        if known is not None and len(known) < MAX_LEVELS:
            known.append(level)


async def prove(
    profile: Profile,
    result: SelfTestResult,
    folder: Path,
    kept: Mapping[str, Any],
    heard: HeardLevels,
    utc_of: Callable[[int], int] | None,
    *,
    back: Sequence[str] = (),
) -> AsyncIterator[None]:
    """Put the findings into `result`, one after another; with `back`, look for the seats in what the center gave."""
    sounds, why = await asyncio.to_thread(_sounds, folder, back or _files(kept, MICROPHONES))
    tone = kept.get("tone") or {}
    for seat in profile.seats:
        finding = result.seats[seat.id]
        before = finding.state
        if why:
            finding.set(why)
        elif result.mode == "tone":
            finding.set(await asyncio.to_thread(_of_tone, sounds, seat.channel, result.id, tone, heard.levels[seat.id]))
        else:
            finding.set(await asyncio.to_thread(evidence.no_voice, sounds, seat.channel, heard.levels[seat.id]))
        if finding.state == "ok":
            finding.set(await asyncio.to_thread(_not_its_own, profile, seat, sounds, heard, result.mode))
        if back and before == "ok" and finding.state == "failed":
            finding.why = f"中心返回的文件：{finding.why}"
        yield
    if utc_of is None:
        return
    for camera in profile.cameras:
        files = [folder / name for name in _files(kept, camera.id)]
        expected = _expected(profile, camera, kept, utc_of)
        result.cameras[camera.id].set(
            _unkept(kept, camera.id) or await asyncio.to_thread(evidence.no_picture, files, expected)
        )
        yield
    mix = _files(kept, MIX)
    result.mix.set(_unkept(kept, MIX) or await asyncio.to_thread(evidence.no_mix, folder / mix[-1]))
    yield


def _files(kept: Mapping[str, Any], track: str) -> list[str]:
    return [str(one["file"]) for one in kept["tracks"].get(track, {}).get("files", [])]


def _unkept(kept: Mapping[str, Any], track: str) -> str:
    return str(kept["tracks"].get(track, {"why": "没有收到媒体"})["why"])


def _sounds(folder: Path, files: Sequence[str]) -> tuple[list[evidence.Sound], str]:
    sounds = []
    for name in files:
        try:
            sounds.append(evidence.decode(folder / name))
        except MediaError:
            continue  # a later file may be whole
    return sounds, "" if sounds else ("录音文件无法解码" if files else "没有收到声音")


def _of_tone(
    sounds: Sequence[evidence.Sound], channel: int, test: str, tone: Mapping[str, Any], levels: Sequence[LiveLevel]
) -> str:
    if not tone.get("played"):
        return str(tone.get("why") or "扬声器没有播放测试音")
    why = evidence.no_marker(sounds, channel, test)
    if not why and max((level.rms_db for level in levels), default=-90.0) < TONE_LIVE_DB:
        return "现场音量表没有反应"
    return why


def _not_its_own(profile: Profile, seat: Seat, sounds: Sequence[evidence.Sound], heard: HeardLevels, mode: str) -> str:
    """Whether the channel is another seat's as well: then nobody can say who spoke."""
    by_channel = {other.channel: other for other in profile.seats}
    twin = channel_identity.twin(sounds, seat.channel, sorted(by_channel))
    if twin is not None:
        other = by_channel[twin].role
        return f"与{other}话筒的声音完全相同，设备没有分路送来声音；请在 microphones.device 中写声卡自己的名称（hw:…）"
    if mode == "speech" and len(profile.seats) > 1 and channel_identity.never_alone(heard.levels, seat.id):
        return "说话时其他话筒同样响，不能证明是这一座位的话筒；请逐一讲话，并核对接线和通道"
    return ""


def _expected(
    profile: Profile, camera: Camera, kept: Mapping[str, Any], utc_of: Callable[[int], int]
) -> evidence.Expected:
    from_ns = int(kept["from_ns"])
    decided_here = camera.driver != "rtsp"  # an RTSP camera's picture is copied as it comes
    to_ns = max((int(one["to_ns"]) for one in kept["tracks"].get(camera.id, {}).get("files", [])), default=from_ns)
    return evidence.Expected(
        from_ns=from_ns,
        to_ns=max(to_ns, from_ns + PICTURE_NS),
        size=(camera.width, camera.height) if decided_here else None,
        timecode=camera.driver == "simulated",
        clock=camera.driver in ("v4l2", "file"),
        utc_of=utc_of,
    )
