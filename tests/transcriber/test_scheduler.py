"""In which order the recognizer is asked, what is shown meanwhile, and what stays; its words and its pace are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.support.clocks.paced_scheduler import Played, ScriptedRecognizer
from tests.support.rooms.transcriber_room import RATE_HZ, Pcm, TranscriberRoom, hearing_civil
from transcriber.audio.pcm import Samples
from transcriber.recognition.recognizer import Rejection, Transcription
from transcriber.segmentation.endpointer import Turn

Make = Callable[[int], TranscriberRoom]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Make]:
    rooms: list[TranscriberRoom] = []

    def make(channels: int) -> TranscriberRoom:
        folder = tmp_path / str(len(rooms))
        folder.mkdir()
        rooms.append(TranscriberRoom(folder, channels))
        rooms[-1].say("open", 0, case={})
        return rooms[-1]

    yield make
    for room in rooms:
        room.log.close()


def one_sentence() -> Pcm:
    """4.2 s of the plaintiff, then silence."""
    return np.concatenate([hearing_civil(34.0, 38.8)[:, 1:2], hearing_civil(0.0, 1.4)[:, 1:2]])


def began(turn: Turn) -> str:
    """How the name of its utterance ends."""
    return f"-{turn.start_ns // 1_000_000}"


def ns(at_s: float) -> int:
    return int(at_s * 1e9)


def test_every_turn_is_written_once_and_its_words_are_its_text(opened: Make) -> None:
    played = Played(opened(4), hearing_civil(0, 24))
    assert len(played.utterances) == len(played.turns) >= 4
    assert len({u["id"] for u in played.utterances}) == len(played.utterances)
    for said in played.utterances:
        assert "".join(w["text"] for w in said["words"]) == said["text"]
        times = [t for w in said["words"] for t in (w["start_ns"], w["end_ns"])]
        assert said["start_ns"] == times[0]
        assert max(times) <= said["end_ns"]


def test_the_final_pass_has_begun_before_the_turn_is_over(opened: Make) -> None:
    played = Played(opened(1), one_sentence())
    [turn], [said] = played.turns, played.utterances
    *_, (asked_s, name, interim, _) = played.recognizer.asked
    assert (name, interim) == (said["id"], False)
    assert turn.end_ns + ns(0.15) < ns(asked_s) < turn.end_ns + ns(0.45)
    assert len([a for a in played.recognizer.asked if ns(a[0]) > turn.end_ns]) == 1  # it was not asked again


def test_speech_that_goes_on_after_a_breath_makes_of_it_a_caption(opened: Make) -> None:
    sentence = one_sentence()
    pcm = np.concatenate([sentence[: int(1.3 * RATE_HZ)], sentence[-int(0.3 * RATE_HZ) :], sentence[RATE_HZ:]])
    played = Played(opened(1), pcm)
    finals = [a for a in played.recognizer.asked if not a[2]]
    assert len(played.utterances) == 1
    assert len(finals) >= 2
    assert played.utterances[0]["start_ns"] == played.turns[0].start_ns


def test_what_captions_have_committed_never_changes_and_the_final_pass_goes_on_from_it(opened: Make) -> None:
    played = Played(opened(4), hearing_civil(0, 24))
    final = {u["id"]: u["text"] for u in played.utterances}
    of_turn: dict[str, list[dict[str, object]]] = defaultdict(list)
    for caption in played.captions:
        of_turn[caption["id"]].append(caption)
    assert any(c["stable"] for c in played.captions)
    for name, captions in of_turn.items():
        for before, after in pairwise([*captions, {"text": final[name]}]):
            assert str(after["text"]).startswith(str(before["text"])[: int(str(before["stable"]))])
    assert any(prefix for _, _, interim, prefix in played.recognizer.asked if not interim)


def test_a_finished_turn_is_heard_before_any_caption(opened: Make) -> None:
    pcm = hearing_civil(0, 16)
    slow, fast = (Played(opened(4), pcm, lambda cost_s=cost_s: ScriptedRecognizer(cost_s)) for cost_s in (1.2, 0.1))  # type: ignore[misc]  # a lambda's default
    written_ns = {name: ns(at_s) for name, at_s in slow.written_s.items()}
    for turn, said in zip(slow.turns, slow.utterances, strict=True):
        began_ns = [ns(at_s) for at_s, _, interim, _ in slow.recognizer.asked if interim]
        assert not [at for at in began_ns if turn.end_ns + ns(0.7) < at < written_ns[said["id"]]]
    captions = [sum(asked[2] for asked in played.recognizer.asked) for played in (slow, fast)]
    assert captions[0] < captions[1]  # the slower the engine, the rarer


def test_who_begins_to_speak_is_shown_before_others_are_shown_again(opened: Make) -> None:
    pcm = hearing_civil(116.0, 131.0)  # one interrupts the other
    played = Played(opened(4), pcm)
    for turn in played.turns:
        asked = [a for a in played.recognizer.asked if a[2] and ns(a[0]) > turn.start_ns + ns(1.2)]
        first = next(
            a for a in played.recognizer.asked if f"-seat-{turn.channel}-" in a[1] and a[1].endswith(began(turn))
        )
        others = [a for a in asked if a[0] < first[0] and not a[1].endswith(began(turn))]
        assert len(others) <= 1  # the one that was being made already


def test_the_same_words_at_two_seats_at_once_are_settled_for_the_louder(opened: Make) -> None:
    said = one_sentence().astype(np.float64)
    # The same voice in two microphones by way of a mixer that turns it round: energy and lag cannot tell.
    other = np.convolve(said[:, 0], np.random.default_rng(1).standard_normal(160), "same")
    other *= 0.4 * np.sqrt((said[:, 0] ** 2).mean() / (other**2).mean())
    noise = np.random.default_rng(2).standard_normal((len(said), 2)) * 10
    pcm = np.clip(np.stack([said[:, 0], other], axis=1) + noise, -32768, 32767).astype(np.int16)
    played = Played(opened(2), pcm)
    assert {turn.channel for turn in played.turns} == {0, 1}
    assert {u["seat"] for u in played.utterances} == {"seat-0"}
    withdrawn = [c for c in played.captions if c["seat"] == "seat-1"]
    assert not withdrawn or withdrawn[-1]["text"] == ""


def test_each_turn_carries_its_times_through_the_pipeline(opened: Make) -> None:
    played = Played(opened(4), hearing_civil(0, 24), lambda: ScriptedRecognizer(0.6))
    assert len(played.times) == len(played.utterances)
    behind = 0
    for said in played.utterances:
        times = played.times[said["id"]]
        assert said["end_ns"] <= times["ended_ns"] <= times["taken_ns"] <= times["settled_ns"] <= times["written_ns"]
        assert times["written_ns"] == ns(played.written_s[said["id"]])
        assert all(asked["asked_ns"] < asked["answered_ns"] for asked in times["passes"])
        waited_ns = times["taken_ns"] - times["ended_ns"]
        assert sum(busy["to_ns"] - busy["from_ns"] for busy in times["behind"]) <= waited_ns
        behind += len(times["behind"])
    assert behind  # who answers quickly waits behind the question


class HardOfHearing(ScriptedRecognizer):
    """Hears nothing in less than a second of sound."""

    async def ask(
        self, samples: Samples, bias: str = "", *, interim: bool = False, turn: str = "", prefix: str = ""
    ) -> Transcription:
        heard = await super().ask(samples, bias, interim=interim, turn=turn, prefix=prefix)
        return heard if len(samples) >= RATE_HZ else Transcription(rejection=Rejection.NO_WORDS)


def test_a_first_pass_without_words_is_soon_followed_by_another(opened: Make) -> None:
    played = Played(opened(1), one_sentence(), lambda: HardOfHearing(0.1))
    first, second = (asked[0] for asked in played.recognizer.asked[:2])
    assert second - first < 0.6
    assert played.captions[0]["at_s"] < second + 0.2


def test_a_short_answer_is_shown_as_soon_as_it_is_heard_and_not_when_the_pause_is_over(opened: Make) -> None:
    answer = np.concatenate([one_sentence()[: int(0.75 * RATE_HZ)], hearing_civil(0.0, 1.4)[:, 1:2]])
    played = Played(opened(1), answer, lambda: ScriptedRecognizer(0.05))
    [turn], [said] = played.turns, played.utterances
    assert not [asked for asked in played.recognizer.asked if asked[2]]  # too short for a caption of its own
    assert ns(played.captions[0]["at_s"]) < turn.times.ended_ns
    assert said["text"].startswith(played.captions[0]["text"])
