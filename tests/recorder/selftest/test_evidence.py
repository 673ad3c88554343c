"""What a test record proves, and what it does not: sound that was heard live, pictures of the right time and size."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from recorder.monitoring.channels import to_db
from recorder.selftest import evidence
from recorder.selftest.evidence import Expected, LiveLevel, Sound
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ticks

S = 1_000_000_000
RATE = 16_000
BEGIN_NS = 50 * S


def speech(seed: int, seconds: int = 6) -> np.ndarray:
    """Words of half a second over the noise of a room, in one of two channels."""
    rng = np.random.default_rng(seed)
    pcm = rng.normal(0, 3, (seconds * RATE, 2))
    for at in range(1, seconds - 1):
        start = int((at + rng.uniform(0, 0.4)) * RATE)
        pcm[start : start + RATE // 2, 0] += rng.normal(0, rng.uniform(900, 4000), RATE // 2)
    return np.rint(pcm).astype(np.int16)


def live(pcm: np.ndarray, channel: int, jitter_s: float) -> list[LiveLevel]:
    """The meters of that sound, told with a delay that is never the same."""
    rng = np.random.default_rng(9)
    ticks = pcm[: len(pcm) // 1600 * 1600, channel].astype(float).reshape(-1, 1600)
    rms = np.sqrt((ticks**2).mean(axis=1))
    at_ns = [BEGIN_NS + (n + 1) * S // 10 + int(rng.uniform(0.02, jitter_s) * S) for n in range(len(rms))]
    return [LiveLevel(at, to_db(float(value))) for at, value in zip(at_ns, rms, strict=True)]


@pytest.mark.parametrize("jitter_s", [0.05, 0.9])
def test_a_voice_that_was_heard_is_found_in_the_file_whatever_the_jitter(jitter_s: float) -> None:
    pcm = speech(1)
    levels = live(pcm, 0, jitter_s)
    assert evidence.no_voice([Sound(pcm, RATE, BEGIN_NS)], 0, levels) == ""
    # A file that begins later and ends sooner than the meters were looked at.
    assert evidence.no_voice([Sound(pcm[RATE : 4 * RATE], RATE, BEGIN_NS + S)], 0, levels) == ""


def test_another_sound_or_none_is_not_what_was_heard() -> None:
    pcm = speech(1)
    levels = live(pcm, 0, 0.05)
    assert evidence.no_voice([Sound(speech(2), RATE, BEGIN_NS)], 0, levels) == "录音文件中的声音与现场不符"
    assert evidence.no_voice([Sound(pcm[:, ::-1], RATE, BEGIN_NS)], 0, levels) == "录音文件中的声音与现场不符"
    assert evidence.no_voice([], 0, levels) == "录音文件中的声音与现场不符"
    assert evidence.no_voice([Sound(pcm, RATE, BEGIN_NS)], 1, live(pcm, 1, 0.05)) == "没有听到声音"
    assert evidence.no_voice([Sound(pcm, RATE, BEGIN_NS)], 0, []) == "没有听到声音"


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("footage") / "f.mp4"
    command = (
        "ffmpeg -v error -f lavfi -i testsrc2=size=320x180:rate=25 -t 4 -c:v libx264 -preset ultrafast -bf 0 -g 25"
    )
    flags = "-pix_fmt yuv420p -movflags empty_moov+default_base_moof+frag_keyframe -frag_duration 160000 -f mp4"
    subprocess.run([*command.split(), *flags.split(), str(path)], check=True, timeout=60)
    return path.read_bytes()


def stamped(folder: Path, footage: bytes, *, utc_off_ns: int = 0, keep: slice = slice(None)) -> Path:
    """The footage as a recorder writes it: from `BEGIN_NS` on, each fragment with its UTC (here room time itself)."""
    init: Init | None = None
    out = b""
    fragments: list[Fragment] = []
    for item in BoxReader().feed(footage):
        if isinstance(item, Init):
            init, out = item, item.data
        else:
            fragments.append(item)
    assert init is not None
    for number, one in enumerate(fragments[keep]):
        ticks = to_ticks(BEGIN_NS, init.timescale) + one.decode_time
        utc_ns = ticks * S // init.timescale + utc_off_ns
        out += retime(one, init, ticks, number, utc_ns).data
    path = folder / "00000.mp4"
    path.write_bytes(out)
    return path


def expected(size: tuple[int, int] | None = (320, 180), *, timecode: bool = False) -> Expected:
    return Expected(BEGIN_NS, BEGIN_NS + 4 * S, size, timecode, clock=False, utc_of=lambda ns: ns)


def test_a_living_picture_of_the_right_size_and_time_is_proven(footage: bytes, tmp_path: Path) -> None:
    path = stamped(tmp_path, footage)
    assert evidence.no_picture([path], expected()) == ""
    assert evidence.no_picture([path], expected(None)) == ""


def test_a_picture_that_is_not_what_it_should_be_is_not(footage: bytes, tmp_path: Path) -> None:
    path = stamped(tmp_path, footage)
    assert evidence.no_picture([path], expected((640, 360))) == "画面尺寸为 320×180，应为 640×360"
    assert evidence.no_picture([path], expected(timecode=True)) == "画面中的时间码无法读出"
    assert evidence.no_picture([], expected()) == "没有收到画面"
    path = stamped(tmp_path, footage, utc_off_ns=-2 * S)
    assert evidence.no_picture([path], expected()) == "录像文件的时间与法庭时钟不符"
    path = stamped(tmp_path, footage, keep=slice(0, 8))
    assert evidence.no_picture([path], expected()).startswith("画面不连续，4 秒中只有 1.")
    whole = stamped(tmp_path, footage).read_bytes()
    (tmp_path / "00000.mp4").write_bytes(whole[:3000] + bytes(len(whole) - 3000))
    assert evidence.no_picture([path], expected()) != ""
