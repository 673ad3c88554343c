"""Which of a card's many names is opened, and what the doctor says of one that is not the card itself."""

from __future__ import annotations

from typing import Any

import pyaudio
import pytest

from hardware.drivers.portaudio import find_device, is_direct
from hardware.profile import Microphones
from sync.errors import DeviceError
from wutong.doctor.sound import card


def device(index: int, name: str, channels: int = 4, rate: float = 48_000) -> dict[str, Any]:
    return {"index": index, "name": name, "maxInputChannels": channels, "defaultSampleRate": rate}


NAMES = [
    device(0, "USB Audio: - (hw:1,0)"),
    device(1, "USB Audio front"),
    device(2, "pulse", 32),
    device(3, "default", 32),
]


def test_of_a_card_s_names_the_card_itself_is_taken() -> None:
    assert find_device("usb audio", 4, NAMES)["index"] == 0
    assert find_device("USB Audio front", 4, NAMES)["index"] == 1
    assert [is_direct(d) for d in NAMES] == [True, False, False, False]


def test_two_cards_of_one_name_are_still_asked_about() -> None:
    with pytest.raises(DeviceError, match="多个"):
        find_device("usb audio", 4, [*NAMES, device(4, "USB Audio: - (hw:2,0)")])


def wanted(rate_hz: int = 16_000) -> Microphones:
    return Microphones.model_validate({"driver": "pyaudio", "device": "x", "channels": 4, "rate_hz": rate_hz})


def test_a_rate_that_the_card_does_not_take_stands_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **asked: object) -> bool:
        if asked == {"input_device": 0, "input_channels": 4, "input_format": pyaudio.paInt16}:
            raise ValueError("Invalid sample rate", -9997)
        return True

    monkeypatch.setattr(pyaudio.PyAudio, "is_format_supported", refuse)
    (finding,) = card(NAMES[0], wanted())
    assert finding.state == "bad"
    assert "16000 Hz (Invalid sample rate)" in finding.text
    assert "48000" in finding.text


def test_a_name_that_is_not_the_card_itself_is_noted_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyaudio.PyAudio, "is_format_supported", lambda *_, **__: True)
    assert [f.state for f in card(NAMES[2], wanted())] == ["ok", "note"]
    assert [f.state for f in card(NAMES[0], wanted())] == ["ok"]
