"""`play/` of an export: the page plays from the folder alone, and its files are in sync in any player."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.exports.honest_exports import HonestExports
from wutong.bench.browser import ARGUMENTS, find_chromium


def probed(path: Path) -> list[dict[str, str]]:
    words = [
        "ffprobe",
        "-v",
        "error",
        "-of",
        "json",
        "-show_entries",
        "stream=codec_type,codec_name,start_time,duration",
    ]
    out = subprocess.run([*words, str(path)], check=True, capture_output=True, text=True).stdout
    streams: list[dict[str, str]] = json.loads(out)["streams"]
    return streams


def samples(path: Path) -> np.ndarray:
    words = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a", "-f", "s16le", "-"]
    return np.frombuffer(subprocess.run(words, check=True, capture_output=True).stdout, "<i2")


@pytest.mark.parametrize("name", ["whole", "played"])
def test_picture_and_sound_of_a_played_file_begin_and_end_together(honest: HonestExports, name: str) -> None:
    """`played` has a pause and a gap; they keep their length."""
    video, audio = probed(honest(name).folder / "play" / "judge.mp4")
    assert (video["codec_name"], audio["codec_name"]) == ("h264", "aac")
    assert abs(float(video["start_time"]) - float(audio["start_time"])) < 0.03
    assert abs(float(video["duration"]) - float(audio["duration"])) < 0.15
    assert 7.9 < float(video["duration"]) < 8.3


def test_the_file_is_a_classic_mp4_whose_index_comes_first(honest: HonestExports) -> None:
    data = (honest("whole").folder / "play" / "judge.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data


def test_the_sound_of_a_pause_is_silence_of_its_length(honest: HonestExports) -> None:
    sound = np.abs(samples(honest("played").folder / "play" / "judge.mp4").astype(np.int32))
    rate = 48_000
    assert sound[int(4.3 * rate) : int(5.7 * rate)].max() < 50
    assert sound[int(2.0 * rate) : int(3.5 * rate)].max() > 1000
    assert sound[int(6.5 * rate) : int(7.5 * rate)].max() > 1000


def test_each_seat_can_be_heard_alone_on_the_same_time_line(honest: HonestExports) -> None:
    folder = honest("played").folder / "play" / "seats"
    assert sorted(path.name for path in folder.iterdir()) == ["clerk.mp4", "judge.mp4"]
    (audio,) = probed(folder / "clerk.mp4")
    assert 7.9 < float(audio["duration"]) < 8.3
    sound = np.abs(samples(folder / "clerk.mp4").astype(np.int32))
    rate = 16_000
    assert sound[int(4.3 * rate) : int(5.7 * rate)].max() < 50
    assert sound[int(6.5 * rate) : int(7.5 * rate)].max() > 1000


@pytest.mark.browser
@pytest.mark.alone
def test_the_page_plays_from_the_folder_without_a_server(honest: HonestExports, tmp_path: Path) -> None:
    folder = tmp_path / "导出 1"  # a folder as people name it
    shutil.copytree(honest("played").folder, folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*ARGUMENTS])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((folder / "play" / "index.html").as_uri())
        expect(page.locator("#title")).to_contain_text("(2026)黑05民初123号")
        expect(page.locator("#words li")).to_have_count(3)
        page.wait_for_function("document.querySelector('video').readyState >= 2", timeout=60_000)
        page.locator("#toggle").click()
        page.wait_for_function("document.querySelector('video').currentTime > 1", timeout=60_000)
        # A line jumps to its words; the exhibit is there at its time; a pause and a gap are drawn.
        page.locator("#sound").select_option(label="只听书记员")
        page.wait_for_function("document.querySelector('video').muted && !seat.paused && seat.currentTime > 0.5")
        page.locator("#toggle").click()
        page.locator("#words button", has_text="五万元").click()
        page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 6.2) < 0.1", timeout=60_000)
        expect(page.locator("#words .now")).to_contain_text("五万元")
        box = page.locator("#line").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 2.5 / 8, box["y"] + box["height"] / 2)
        expect(page.locator("#exhibit-title")).to_contain_text("借条")
        page.wait_for_function("document.querySelector('#exhibit-page img').naturalWidth > 500", timeout=60_000)
        assert page.locator("#line .pause").count() == 1
        assert page.locator("#line .gap").count() == 1
        page.screenshot(path=str(tmp_path / "play.png"))
        page.locator("#show-checks").click()
        expect(page.locator("#values tr")).not_to_have_count(0)
        assert not errors
        browser.close()
