"""The screens: what they show, on which screen, and that they come back. The browser here is one that is counted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from deploy.kiosk import kiosk
from deploy.kiosk.kiosk import (
    KioskError,
    Output,
    Screen,
    Wanted,
    outputs,
    read_shown,
    room_address,
    wanted,
    write_shown,
)

TOKEN = "t" * 40
XRANDR = """Screen 0: minimum 320 x 200, current 3840 x 1080, maximum 16384 x 16384
HDMI-2 connected 1920x1080+1920+0 (normal left inverted right x axis y axis) 600mm x 340mm
   1920x1080     60.00*+
DP-1 disconnected (normal left inverted right x axis y axis)
HDMI-1 connected primary 1280x800+0+0 (normal left inverted right x axis y axis) 520mm x 320mm
"""


class CountedBrowser:
    """A browser that runs until a test ends it."""

    def __init__(self, words: list[str], **_: Any) -> None:
        self.words = words
        self.pid = 0
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[CountedBrowser]:
    browsers: list[CountedBrowser] = []

    def start(words: list[str], **more: Any) -> CountedBrowser:
        browsers.append(CountedBrowser(words, **more))
        return browsers[-1]

    def end(screen: Screen) -> None:
        if screen.process is not None:
            browsers[-1].code = 0
        screen.process, screen.shows = None, ""

    monkeypatch.setattr("deploy.kiosk.kiosk.subprocess.Popen", start)
    monkeypatch.setattr(Screen, "end", end)
    return browsers


def _screen(home: Path, page: str = "display") -> Screen:
    return Screen(page, Output("HDMI-1", 1280, 800, 0, 0), home, "/usr/bin/chromium")


@pytest.mark.parametrize(
    ("panel", "tls", "address"),
    [
        ({}, {}, "http://127.0.0.1:8810"),
        ({"port": 9}, {"loopback": True}, "https://127.0.0.1:9"),
        ({"host": "0.0.0.0"}, {}, "https://127.0.0.1:8810"),
        ({"host": "::"}, {}, "https://127.0.0.1:8810"),
        ({"host": "10.9.0.1"}, {}, "https://10.9.0.1:8810"),
    ],
)
def test_the_room_of_this_machine_is_found_by_its_profile(panel: Any, tls: Any, address: str) -> None:
    assert room_address({"panel": panel, "tls": tls}) == address


def test_what_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    data = tmp_path / "var/lib/wutong"
    (data / "keys/own").mkdir(parents=True)
    assert wanted({}, {}, tmp_path) == Wanted()
    profile = {"panel": {"host": "0.0.0.0"}}
    before = wanted({}, profile, tmp_path)
    assert before.address("panel") == "https://127.0.0.1:8810/panel"
    assert before.address("display") == ""
    (data / "display-token").write_text(TOKEN + "\n", encoding="ascii")
    (data / "keys/own/authority.pem").write_text("A\n", encoding="ascii")
    after = wanted({}, profile, tmp_path)
    assert after.address("display") == f"https://127.0.0.1:8810/display?token={TOKEN}"
    assert after.authority == "A\n"


def test_a_machine_that_is_no_courtroom_yet_shows_its_setup_until_it_is_one(tmp_path: Path) -> None:
    place = tmp_path / "run/wutong-setup"
    place.mkdir(parents=True)
    (place / "address").write_text("https://10.9.0.1:8810/setup#CODE\n", encoding="ascii")
    (place / "authority.pem").write_text("S\n", encoding="ascii")
    before = wanted({}, {}, tmp_path)
    assert (before.address("panel"), before.address("display")) == ("https://10.9.0.1:8810/setup#CODE", "")
    assert before.authority == "S\n"
    assert wanted({}, {"panel": {}}, tmp_path).address("panel") == "http://127.0.0.1:8810/panel"
    assert wanted({"room": "https://other:8810"}, {}, tmp_path).address("panel") == "https://other:8810/panel"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scren": []}, "scren"),
        ({"screens": ["wall"]}, "screens"),
        ({"screens": []}, "screens"),
        ({"screens": "panel"}, "screens"),
        ({"room": "javascript:alert(1)"}, "address of a courtroom"),
        ({"room": "https://room/panel"}, "address of a courtroom"),
    ],
)
def test_a_setting_that_cannot_be_followed_is_named(settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(KioskError, match=words):
        wanted(settings, {}, tmp_path)


def test_what_the_screens_show_is_read_by_their_account_alone(tmp_path: Path) -> None:
    value = Wanted(("display",), "https://10.9.0.1:8810", TOKEN, "A")
    write_shown(value, tmp_path, os.getgid())
    assert (tmp_path / "shown.json").stat().st_mode & 0o777 == 0o640
    assert read_shown(tmp_path) == value
    (tmp_path / "shown.json").write_text(json.dumps({"screens": 1}), encoding="utf-8")
    assert read_shown(tmp_path) == Wanted()


def test_screens_are_taken_from_left_to_right() -> None:
    assert outputs(XRANDR) == [Output("HDMI-1", 1280, 800, 0, 0), Output("HDMI-2", 1920, 1080, 1920, 0)]


def test_it_waits_with_words_and_goes_on_when_the_edge_is_there(
    tmp_path: Path, started: list[CountedBrowser], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Wanted(room="https://10.9.0.1:8810", token=TOKEN)
    monkeypatch.setattr(kiosk, "answers", lambda address: False)
    screen = _screen(tmp_path)
    screen.look(shown, 100.0)
    screen.look(shown, 102.0)
    assert [browser.words[-1] for browser in started] == [kiosk.WAITING.as_uri()]
    monkeypatch.setattr(kiosk, "answers", lambda address: True)
    screen.look(shown, 104.0)
    assert len(started) == 2
    assert TOKEN not in " ".join(started[1].words), "command lines are seen by every account"
    page = tmp_path / "display-HDMI-1/page.html"
    assert started[1].words[-1] == page.as_uri()
    assert TOKEN in page.read_text(encoding="utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(kiosk, "answers", lambda address: False)
    screen.look(shown, 106.0)
    assert len(started) == 2, "the page itself comes back when the edge does"


def test_a_browser_that_ends_comes_back_and_one_that_ends_at_once_a_little_later(
    tmp_path: Path, started: list[CountedBrowser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk, "answers", lambda address: True)
    shown = Wanted(room="https://10.9.0.1:8810", token=TOKEN)
    screen = _screen(tmp_path, "panel")
    screen.look(shown, 100.0)
    started[-1].code = -9
    screen.look(shown, 200.0)
    assert len(started) == 2
    started[-1].code = 1
    screen.look(shown, 202.0)
    assert len(started) == 2
    screen.look(shown, 202.0 + kiosk.AGAIN_S)
    assert len(started) == 3


def test_another_token_is_another_page(
    tmp_path: Path, started: list[CountedBrowser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk, "answers", lambda address: True)
    screen = _screen(tmp_path)
    screen.look(Wanted(room="https://10.9.0.1:8810", token=TOKEN), 100.0)
    screen.look(Wanted(room="https://10.9.0.1:8810", token="u" * 40), 102.0)
    assert [browser.code for browser in started] == [0, None]
