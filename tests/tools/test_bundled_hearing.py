"""The bundled hearing is what was recorded: whole, small, in step with its source, and played as it says."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pypdf import PdfReader

from hardware.simulation.scenario import BUNDLED_HEARING, Present, Resume, Scenario, ScenarioPause
from tests.support.paths import ROOT

SOURCE = ROOT.parent / "shared" / "hearing-civil"
RATE_HZ = 16_000

needs_source = pytest.mark.skipif(not SOURCE.is_dir(), reason="the hearing's source is not beside this checkout")


def by_ffmpeg(path: Path) -> NDArray[np.float32]:
    """All channels at 16 kHz as ffmpeg decodes them, (samples, channels)."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ar", str(RATE_HZ), "-f", "s16le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype="<i2").reshape(-1, 4).astype(np.float32)


def by_pyav(path: Path) -> NDArray[np.float32]:
    """The same through PyAV."""
    parts = []
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.channels == 4
        resampler = av.AudioResampler(format="s16p", rate=RATE_HZ, layout=stream.codec_context.layout)
        for frame in container.decode(stream):
            parts += [part.to_ndarray() for part in resampler.resample(frame)]
        parts += [part.to_ndarray() for part in resampler.resample(None)]
    return np.concatenate(parts, axis=1).T.astype(np.float32)


def lag_samples(a: NDArray[np.float32], b: NDArray[np.float32], most: int = 64) -> int:
    """How many samples, up to `most` (4 ms), `b` is later than `a`: where they are most alike."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    middle = a[most : len(a) - most]
    alike = {lag: float(np.dot(middle, b[most + lag : most + lag + len(middle)])) for lag in range(-most, most + 1)}
    return max(alike, key=alike.__getitem__)


def reference() -> dict[str, Any]:
    value: dict[str, Any] = json.loads((BUNDLED_HEARING / "reference.json").read_text(encoding="utf-8"))
    return value


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sound_takes_at_most_six_megabytes() -> None:
    assert (BUNDLED_HEARING / "microphones.opus").stat().st_size <= 6_000_000


@needs_source
@pytest.mark.parametrize("decode", [by_ffmpeg, by_pyav])
def test_each_channel_is_in_step_with_its_source_and_keeps_to_itself(decode: Any) -> None:
    source = by_ffmpeg(SOURCE / "microphones.flac")
    copy = decode(BUNDLED_HEARING / "microphones.opus")
    assert abs(len(copy) - len(source)) <= RATE_HZ // 1000
    samples = min(len(copy), len(source))
    for channel in range(4):
        original, kept = source[:samples, channel], copy[:samples, channel]
        assert abs(lag_samples(original, kept)) <= RATE_HZ // 1000  # 1 ms
        assert np.corrcoef(original, kept)[0, 1] > 0.99
        for other in set(range(4)) - {channel}:
            bleed = np.corrcoef(source[:samples, other], original)[0, 1]
            assert np.corrcoef(source[:samples, other], kept)[0, 1] == pytest.approx(bleed, abs=0.02)


@needs_source
def test_the_reference_is_the_source_s() -> None:
    assert (BUNDLED_HEARING / "reference.json").read_bytes() == (SOURCE / "reference.json").read_bytes()


def test_the_clerk_acts_when_the_reference_says_so() -> None:
    scenario = Scenario.load(BUNDLED_HEARING)
    said = reference()["utterances"]
    on_screen = next(u for u in said if "证据一已经投屏" in u["text"])
    recess = next(u for u in said if "现在休庭" in u["text"])
    again = next(u for u in said if "现在继续开庭" in u["text"])
    shown = next(a for a in scenario.actions if isinstance(a, Present))
    assert on_screen["start"] <= shown.at_s <= on_screen["end"]
    paused = next(a for a in scenario.actions if isinstance(a, ScenarioPause))
    resumed = next(a for a in scenario.actions if isinstance(a, Resume))
    assert recess["end"] <= paused.at_s < resumed.at_s <= again["start"]
    assert scenario.actions[0].at_s <= said[0]["start"]
    assert scenario.end_s >= said[-1]["end"]


def test_the_pause_cuts_no_word() -> None:
    scenario = Scenario.load(BUNDLED_HEARING)
    paused = next(a for a in scenario.actions if isinstance(a, ScenarioPause)).at_s
    resumed = next(a for a in scenario.actions if isinstance(a, Resume)).at_s
    assert not [u for u in reference()["utterances"] if u["start"] < resumed and u["end"] > paused]


def test_the_case_is_the_one_that_is_spoken_of() -> None:
    case = Scenario.load(BUNDLED_HEARING).case
    spoken = "".join(u["text"] for u in reference()["utterances"])
    roles = {role for seat in reference()["channels"].values() for role in seat}
    for role, name in case.parties.items():
        assert role in roles
        assert name in spoken
    assert case.cause in spoken


def test_every_page_presented_exists() -> None:
    pages = {"iou.pdf": len(PdfReader(BUNDLED_HEARING / "iou.pdf").pages), "transfer-slip.png": 1}
    views = [view for _, view in Scenario.load(BUNDLED_HEARING).views() if view is not None]
    assert {view.file for view in views} == set(pages)
    assert {view.page for view in views if view.file == "iou.pdf"} == {1, 2}
    assert all(view.page <= pages[view.file] for view in views)


def test_the_exhibits_are_what_their_script_draws(tmp_path: Path) -> None:
    make = tool("make_exhibits").make
    first = [path.read_bytes() for path in make(tmp_path / "a")]
    assert first == [path.read_bytes() for path in make(tmp_path / "b")]
    # Another Pillow may compress differently; the picture is the same all the same.
    drawn = Image.open(tmp_path / "a" / "transfer-slip.png").convert("L")
    bundled = Image.open(BUNDLED_HEARING / "transfer-slip.png").convert("L")
    assert drawn.size == bundled.size
    assert float(np.abs(np.asarray(drawn, dtype=float) - np.asarray(bundled, dtype=float)).mean()) < 2
    assert len(PdfReader(tmp_path / "a" / "iou.pdf").pages) == 2


def test_the_script_makes_a_hearing_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    tone = "sine=frequency=300:sample_rate=16000:duration=1"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", tone, "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono"]
    command += ["-filter_complex", "amerge=inputs=2", "-t", "1", str(source / "microphones.flac")]
    subprocess.run(command, check=True)
    (source / "reference.json").write_text("{}", encoding="utf-8")
    script = [sys.executable, str(ROOT / "tools" / "make_hearing.py"), str(source)]
    subprocess.run([*script, str(tmp_path / "made")], check=True)
    with av.open(str(tmp_path / "made" / "microphones.opus")) as container:
        assert container.streams.audio[0].codec_context.channels == 2
    assert (tmp_path / "made" / "reference.json").read_text(encoding="utf-8") == "{}"
    (source / "reference.json").unlink()
    assert subprocess.run([*script, str(tmp_path / "other")], capture_output=True).returncode == 2
