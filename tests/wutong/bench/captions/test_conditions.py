"""The sound of the benchmarks' conditions is what it says, and the comparison commits what two decodings agree on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hardware.simulation.hearing_folder import HearingFolder, Said
from sync.errors import ConfigError
from tests.support.paths import SHARED
from transcriber.audio.pcm import RATE_HZ
from wutong.bench.captions import conditions
from wutong.bench.captions.character_errors import Spoken
from wutong.bench.captions.growing_windows import _Agreement
from wutong.bench.captions.measure import conditions_of
from wutong.bench.captions.picture import Drawn, draw


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> HearingFolder:
    """Two seats, a second of speech at each with -20 dB of it at the other, and a quiet room."""
    random = np.random.default_rng(1)
    sound = random.normal(0, 1e-4, (6 * RATE_HZ, 2))
    for channel, first in ((0, 1), (1, 3)):
        voice = random.normal(0, 0.1, RATE_HZ)
        sound[first * RATE_HZ : (first + 1) * RATE_HZ, channel] += voice
        sound[first * RATE_HZ : (first + 1) * RATE_HZ, 1 - channel] += 0.1 * voice
    said = [Said(channel=c, role="甲", start=s, end=s + 1, text="没有。") for c, s in ((0, 1), (1, 3))]
    return conditions.write_hearing(tmp_path_factory.mktemp("source"), sound, {0: ["甲"], 1: ["乙"]}, said)


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10((sound.astype(np.float64) ** 2).mean() / 32768.0**2))


def test_heavier_bleed_is_as_heavy_as_it_says(source: HearingFolder, tmp_path: Path) -> None:
    bleeding = conditions.bleed(tmp_path, source)
    sound = bleeding.samples(RATE_HZ)
    for channel, first in ((0, 1), (1, 3)):
        here = sound[first * RATE_HZ : (first + 1) * RATE_HZ]
        assert level_db(here[:, 1 - channel]) - level_db(here[:, channel]) == pytest.approx(-10, abs=0.5)
    assert bleeding.reference.utterances == source.reference.utterances


def test_silence_is_zeros_and_noise_is_as_loud_as_a_room(source: HearingFolder, tmp_path: Path) -> None:
    assert not conditions.silence(tmp_path / "silence", source, 2).samples(RATE_HZ).any()
    made = conditions.noise(tmp_path / "noise", source, 12)
    sound = made.samples(RATE_HZ)
    assert made.duration_s == pytest.approx(12, abs=0.1)
    assert level_db(sound[:, 0]) == pytest.approx(conditions.NOISE_DB, abs=3)
    again = conditions.noise(tmp_path / "again", source, 12).samples(RATE_HZ)
    assert np.array_equal(sound, again)


def test_recordings_stand_behind_one_another_by_language(tmp_path: Path) -> None:
    zh, en = sorted(
        conditions.speech(tmp_path, Path(__file__).with_name("speech.json")), key=lambda s: s.language, reverse=True
    )
    assert (zh.language, en.language) == ("zh", "en")
    assert len(zh.recordings) == len(zh.folder.reference.utterances) == 4
    ends = [u.end for u in zh.folder.reference.utterances]
    assert all(u.start > end for u, end in zip(zh.folder.reference.utterances[1:], ends, strict=False))
    assert (SHARED / "speech").is_dir()


def test_a_list_or_a_condition_that_is_none_is_said(tmp_path: Path) -> None:
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps({"recordings": [{"name": "a"}]}), encoding="utf-8")
    with pytest.raises(ConfigError, match="list of recordings"):
        conditions.speech(tmp_path / "out", listed)
    with pytest.raises(ConfigError, match="no condition is called 'wind'"):
        conditions_of("civil,wind", None)
    with pytest.raises(ConfigError, match="--speech"):
        conditions_of("speech", None)
    assert "speech" not in conditions_of("all", None)


def test_two_decodings_that_agree_commit_their_words_once() -> None:
    def words(*texts: str) -> list[Spoken]:
        return [Spoken(text, i * 0.5, i * 0.5 + 0.5) for i, text in enumerate(texts)]

    agreement = _Agreement()
    agreement.take(words("没", "由"), 1.0)
    assert agreement.committed == []
    agreement.take(words("没", "有", "意"), 2.0)
    agreement.take(words("没", "有", "异", "议"), 3.0)
    assert [(c.word.text, c.at_s) for c in agreement.committed] == [("没", 2.0), ("有", 3.0)]
    agreement.finish(4.0)
    assert "".join(c.word.text for c in agreement.committed) == "没有异议"


@pytest.mark.process  # the library that draws lists the fonts by fc-list when it is first used
def test_the_figures_become_a_picture(tmp_path: Path) -> None:
    drawn = Drawn([900, 1200], [700, 1100], {0: 0.05}, {0: ["审判长"]}, [3000, 4000], [5000, 6000])
    draw(
        tmp_path / "all.png", drawn, {"cer": 0.09, "cer_offline": 0.09, "baseline_cer": 0.2, "engine": "faster-whisper"}
    )
    draw(tmp_path / "none.png", Drawn(), {})
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "none.png").stat().st_size > 1000
