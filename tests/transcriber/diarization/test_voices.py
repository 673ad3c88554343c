"""Two people at one microphone: told apart by pitch, by a speaker model, or by the clerk's touch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware.profile import Profile, Seat
from hardware.speech_settings import Transcriber
from sync.record.event import Event
from tests.support.files import tiny_models
from tests.support.paths import SHARED
from tests.support.rooms.transcriber_room import HEARING, S, TranscriberRoom, hearing_civil, until
from transcriber.diarization.pitch import pitch
from transcriber.diarization.voices import Voices
from transcriber.recognition.factory import make_recognizer
from transcriber.recognition.process import EngineProcess
from transcriber.recognition.process_settings import ProcessSettings

SEAT = Seat(id="plaintiff", roles=["原告", "原告代理人"], channel=1)
Samples = np.ndarray[tuple[int], np.dtype[np.float32]]


def said_at_the_seat() -> list[tuple[str, Samples]]:
    """(role, samples) of all that the two said, in order."""
    reference = json.loads((SHARED / "hearing-civil" / "reference.json").read_text(encoding="utf-8"))
    sound = hearing_civil(0, 300)[:, 1].astype(np.float32) / np.float32(32768)
    return [
        (u["role"], sound[int(u["start"] * 16_000) : int(u["end"] * 16_000)])
        for u in reference["utterances"]
        if u["channel"] == 1
    ]


def voices(tmp_path: Path, mode: str, recognizer: EngineProcess | None = None) -> Voices:
    only: dict[str, Any] = {"seats": [SEAT], "transcriber": Transcriber.model_construct(voices=mode)}
    profile = Profile.model_construct(**only)
    not_started = EngineProcess(ProcessSettings())
    return Voices(profile, recognizer or not_started, tmp_path / "voices.json")


def event(kind: str, number: int = 1, **body: object) -> Event:
    return Event(number=number, hearing=HEARING, kind=kind, room_ns=0, utc_ns=0, body=body)


def line(number: int, voice: str) -> Event:
    """Something that was said at the seat."""
    times = {"start_ns": number, "end_ns": number + 1}
    return event("utterance", number, id=f"u{number}", seat="plaintiff", role="原告", text="是。", voice=voice, **times)


def act(number: int, of: Event, voice: str, role: str) -> Event:
    """The clerk says of a line whose voice it is."""
    change = {"line": of.body["id"], "base": of.number, "set": {"role": role}}
    said = {"seat": "plaintiff", "voice": voice, "role": role}
    return event("revision", number, id=f"r{number}", act="voice", by="clerk", changes=[change], voice=said)


@pytest.mark.slow
async def test_a_high_voice_and_a_low_one_are_told_apart_through_a_hearing_and_a_restart(tmp_path: Path) -> None:
    told = voices(tmp_path, "pitch")
    labels = []
    for i, (role, samples) in enumerate(said_at_the_seat()):
        if i == 7:
            told = voices(tmp_path, "pitch")  # as after a restart
        if len(samples) > 32_000:  # its captions say so already while it goes on
            assert await told.guess(HEARING, SEAT, samples[: len(samples) * 2 // 3]) == role
        label, heard_as = await told.whose(HEARING, SEAT, samples)
        assert heard_as == role
        labels.append(label)
    assert sorted(set(labels)) == ["a", "b"]


async def test_voices_of_another_hearing_are_other_voices(tmp_path: Path) -> None:
    told = voices(tmp_path, "pitch")
    (_, low), (_, high) = said_at_the_seat()[0], said_at_the_seat()[3]
    assert (await told.whose("h-1", SEAT, low))[0] == "a"
    assert (await told.whose("h-2", SEAT, high))[0] == "a"


async def test_what_the_clerk_says_of_a_voice_holds_and_the_other_takes_the_other_role(tmp_path: Path) -> None:
    told = voices(tmp_path, "pitch")
    (_, low), (_, high) = said_at_the_seat()[0], said_at_the_seat()[3]
    await told.whose(HEARING, SEAT, low)
    told.apply([event("open"), said := line(2, "a"), act(3, said, "a", "原告代理人")])
    assert await told.whose(HEARING, SEAT, low) == ("a", "原告代理人")
    assert await told.whose(HEARING, SEAT, high) == ("b", "原告")


async def test_an_act_that_does_not_count_is_not_followed_and_the_one_after_it_is(tmp_path: Path) -> None:
    told = voices(tmp_path, "pitch")
    _, low = said_at_the_seat()[0]
    assert await told.whose(HEARING, SEAT, low) == ("a", "原告")
    said = line(2, "a")
    changed = event(
        "revision",
        3,
        id="r3",
        act="edit",
        by="clerk",
        changes=[{"line": "u2", "base": 2, "set": {"text": "不是。"}}],
    )
    told.apply([event("open"), said, changed, act(4, said, "a", "原告代理人")])  # as if the line were still as said
    assert await told.whose(HEARING, SEAT, low) == ("a", "原告")
    newer = Event(number=3, hearing=HEARING, kind="utterance", room_ns=0, utc_ns=0, body=said.body)
    told.apply([act(5, newer, "a", "原告代理人")])
    assert await told.whose(HEARING, SEAT, low) == ("a", "原告代理人")


async def test_a_defect_in_telling_voices_apart_costs_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = voices(tmp_path, "pitch")
    (_, low), (_, high) = said_at_the_seat()[0], said_at_the_seat()[3]
    assert await told.whose(HEARING, SEAT, low) == ("a", "原告")

    def stumbles(samples: Samples) -> tuple[float, ...]:
        raise IndexError(len(samples))

    monkeypatch.setattr("transcriber.diarization.voices.pitch", stumbles)
    assert await told.whose(HEARING, SEAT, high) == ("a", "原告")  # who spoke last
    assert await told.guess(HEARING, SEAT, high) == "原告"
    monkeypatch.undo()
    assert await told.whose(HEARING, SEAT, high) == ("b", "原告代理人")


async def test_a_label_of_the_log_is_never_given_to_another_voice(tmp_path: Path) -> None:
    told = voices(tmp_path, "pitch")  # what it knew of the voices is lost
    told.apply([event("open"), line(2, "a")])
    _, low = said_at_the_seat()[0]
    assert (await told.whose(HEARING, SEAT, low))[0] == "b"


async def test_without_a_model_the_seat_speaks_in_the_role_touched_last(tmp_path: Path) -> None:
    told = voices(tmp_path, "")
    _, low = said_at_the_seat()[0]
    assert await told.whose(HEARING, SEAT, low) == ("", "原告")
    told.apply([event("open"), said := line(2, ""), act(3, said, "", "原告代理人")])
    assert await told.whose(HEARING, SEAT, low) == ("", "原告代理人")
    assert await told.guess(HEARING, SEAT, low) == "原告代理人"


async def test_a_seat_of_one_has_no_labels(tmp_path: Path) -> None:
    alone = Seat(id="judge", roles=["审判长"], channel=0)
    _, low = said_at_the_seat()[0]
    assert await voices(tmp_path, "pitch").whose(HEARING, alone, low) == ("", "审判长")


def test_pitch_is_the_same_at_any_loudness_and_not_guessed_from_nothing() -> None:
    _, low = said_at_the_seat()[0]
    assert pitch(low) == pytest.approx(pitch(low * 0.05), abs=0.2)
    tone = np.sin(2 * np.pi * 200 * np.arange(32_000) / 16_000).astype(np.float32)
    assert pitch(tone) == pytest.approx((12 * np.log2(200),), abs=0.2)
    assert pitch(np.zeros(32_000, np.float32)) == ()
    assert pitch(np.random.default_rng(3).standard_normal(32_000).astype(np.float32) * 0.1) == ()


@pytest.mark.process
async def test_a_speaker_model_tells_them_apart_in_its_process(tmp_path: Path) -> None:
    model = tiny_models.speaker(tmp_path / "speaker.onnx")
    settings = Transcriber(
        engine="openai", servers=["http://127.0.0.1:9"], voices=str(model)
    )  # words from elsewhere, voices from here
    recognizer = make_recognizer(settings)
    assert recognizer.pid is None
    own = EngineProcess(ProcessSettings(engine="", speaker=str(model)))
    told = voices(tmp_path, str(model), own)
    try:
        for role, samples in said_at_the_seat():
            assert (await told.whose(HEARING, SEAT, samples))[1] == role
        assert own.pid is not None
    finally:
        await own.stop()
        await recognizer.stop()


async def test_the_record_says_whose_voice_it_was(make_room: Callable[[int], TranscriberRoom], tmp_path: Path) -> None:
    room = make_room(1)
    text = room.profile.read_text(encoding="utf-8").replace('roles = ["角色0"]', 'roles = ["原告", "原告代理人"]')
    model = tiny_models.streaming_ctc(tmp_path / "ctc")  # the voices are the same, whatever the words
    text += f'\n[transcriber]\nengine = "sherpa-onnx"\nmodel = "{model}"\n'
    room.profile.write_text(text, encoding="utf-8")
    from_ns = room.clock.now_ns() - 60 * S
    room.say("open", from_ns)
    parts = [hearing_civil(34.0, 39.2), hearing_civil(148.0, 157.2), hearing_civil(268.2, 271.6)]
    room.keep(np.concatenate(parts)[:, 1:2], from_ns)
    close = room.say("close", from_ns + 19 * S).number
    room.start()
    await until(lambda: room.done() >= close)
    said = sorted(room.utterances(), key=lambda e: e.body["start_ns"])
    found = [(u.body["voice"], u.body["role"]) for u in said]
    assert found[0] == found[-1] == ("a", "原告")
    assert set(found[1:-1]) == {("b", "原告代理人")}


async def test_a_file_that_an_earlier_version_kept_is_read(tmp_path: Path) -> None:
    voice = {"label": "b", "centre": [120.0], "weight": 9}
    kept = {"hearing": "h", "voices": {"witness": [voice]}, "last": {"witness": "b"}}
    (tmp_path / "voices.json").write_text(json.dumps(kept), encoding="utf-8")
    known = voices(tmp_path, "pitch")
    assert known._known.voices["witness"][0].label == "b"
    assert json.loads(json.dumps(asdict(known._known))) == kept
