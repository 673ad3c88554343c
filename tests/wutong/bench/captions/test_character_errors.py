"""The figures over words mean what they are said to mean."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hardware.simulation.hearing_folder import Said
from tests.support.paths import SHARED
from wutong.bench.captions.character_errors import ShownWords, alike, cer, growth_per_min, in_order
from wutong.bench.captions.timing_errors import first_caption_ms, utterance_ms

SAMPLES = [
    ("二零二三年六月一日借款三十万元。", "2023年6月1日借款30万元"),
    ("年利率百分之六，两个月。", "年利率6%,二個月"),
    ("被告没有异议。", "被告沒有意義"),
    ("本金30,000元", "本金三万元"),
]


@pytest.mark.parametrize(("reference", "heard"), SAMPLES)
def test_the_rate_is_the_one_of_the_reference_script(reference: str, heard: str, tmp_path: Path) -> None:
    files = [tmp_path / "reference.txt", tmp_path / "heard.txt"]
    for file, text in zip(files, (reference, heard), strict=True):
        file.write_text(text, encoding="utf-8")
    command = [sys.executable, str(SHARED / "score.py"), *map(str, files)]
    expected = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert cer(reference, heard) == pytest.approx(expected, abs=5e-5)


def test_script_numerals_and_punctuation_do_not_count() -> None:
    assert alike("請問：兩萬元？") == alike("请问两万元") == alike("请问二万元")


def said(channel: int, start: float, end: float) -> Said:
    return Said(channel=channel, role="原告", start=start, end=end, text="没有")


def test_delays_are_counted_from_the_reference() -> None:
    spoken = [said(0, 1.0, 3.0), said(1, 4.0, 5.0)]
    captions = [ShownWords(0, 1.0, 1.9, 2.5, "没"), ShownWords(1, 1.0, 1.9, 2.0, "别的")]
    utterances = [ShownWords(0, 1.0, 2.9, 4.0, "没有"), ShownWords(1, 4.1, 5.0, 6.5, "没有")]
    assert first_caption_ms(spoken, captions, utterances) == [1500, 2500]
    assert utterance_ms(spoken, utterances) == [(3.0, 1000), (5.0, 1500)]


def test_text_is_joined_in_the_order_of_speaking() -> None:
    assert in_order([ShownWords(0, 5, 6, 7, "后"), ShownWords(1, 1, 2, 9, "先")]) == "先后"


def test_growth_is_the_slope_in_a_minute() -> None:
    assert growth_per_min([(0, 100), (30, 150), (60, 200)]) == pytest.approx(100)
    assert growth_per_min([(5, 100)]) == 0.0


def test_a_folder_that_is_no_hearing_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wutong", "bench", "captions", "--hearing", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("wutong: the hearing folder")
    assert len(done.stderr.strip().splitlines()) == 1
