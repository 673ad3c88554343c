"""What is said and done in the hearing that every simulated room replays, and when: by the bundled hearing's own files.

The clerk's acts are those of its scenario. Words are those of its reference, at the pace of the transcriber: a caption
each `CAPTION_S` while somebody speaks, the utterance `UTTERANCE_S` after the last word, with a time for each character
as an engine gives it, and a correction of one line in `CORRECTED`. Long turns are cut at the ends of sentences, where
the endpointer cuts them. What a recorder says of its files is not here: that is of the files.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hardware.simulation.hearing_folder import HearingFolder, Said
from hardware.simulation.scenario import (
    BUNDLED_HEARING,
    AddExhibit,
    Close,
    Open,
    Resume,
    Scenario,
    ScenarioMark,
    ScenarioPause,
)
from sync.record.bodies.evidence import DrawnBody, ExhibitBody, MarkBody, PresentBody
from sync.record.bodies.session import OpenBody, OpenedSeat, OpenedTrack
from sync.record.bodies.words import RevisionBody, SpokenWord, UtteranceBody
from sync.room.messages import CaptionMessage, RoomIdentity
from sync.runtime.units import NS_PER_S
from wutong.bench.center.rooms.reel import Reel, ReelExhibit

CAPTION_S = 0.9
UTTERANCE_S = 0.6
CORRECTION_S = 0.15
CORRECTED = 2
LONGEST_TURN_S = 7.0
SEATS = {"审判长": "judge", "书记员": "clerk", "原告": "plaintiff", "被告": "defendant"}
TITLES = {"iou.pdf": "借条", "transfer-slip.png": "银行转账凭证"}


@dataclass(slots=True)
class HeldHearing:
    """A hearing that a room holds: its name, and where the script's beginning lies on the room's time line."""

    id: str
    begun_ns: int
    opened_utc_ns: int
    numbers: dict[str, int] = field(default_factory=dict)
    """Lines that were said -> the numbers of their events."""

    def ns(self, at_s: float) -> int:
        """Room time of a moment of the script."""
        return self.begun_ns + round(at_s * NS_PER_S)


@dataclass(frozen=True, slots=True)
class ScriptFact:
    """Something that becomes an event `kind`; `body` makes what it says of a hearing that is held."""

    at_s: float
    kind: str
    body: Callable[[HeldHearing], Mapping[str, Any]]
    line: str = ""
    """Of an utterance: its name within the hearing."""
    always: bool = False
    """Whether also a hearing that begins in the middle of the script needs it."""


@dataclass(frozen=True, slots=True)
class ScriptCaption:
    """A caption; what it says is made for a hearing that is held, by whoever knows what time it is."""

    at_s: float
    seat: str
    role: str
    line: str
    start_s: float
    text: str
    stable: int

    def message(self, held: HeldHearing, now_ns: int) -> CaptionMessage:
        """As the transcriber says it."""
        return {
            "id": f"{held.id}-{self.line}",
            "seat": self.seat,
            "role": self.role,
            "start_ns": held.ns(self.start_s),
            "end_ns": now_ns,
            "text": self.text,
            "stable": self.stable,
        }


@dataclass(frozen=True, slots=True)
class ScriptSpeaking:
    """Who speaks from this moment on."""

    at_s: float
    seats: tuple[str, ...]


Moment = ScriptFact | ScriptCaption | ScriptSpeaking


@dataclass(frozen=True, slots=True)
class Script:
    """All moments in the order of time."""

    moments: tuple[Moment, ...]
    seats: tuple[OpenedSeat, ...]
    end_s: float
    """When the hearing closes."""

    @property
    def facts(self) -> int:
        """How many events there are, but for the recorder's."""
        return sum(isinstance(one, ScriptFact) for one in self.moments)

    def identity(self, room: str) -> RoomIdentity:
        """What the room says of itself."""
        seats: list[OpenedSeat] = [{"id": seat["id"], "role": seat["role"]} for seat in self.seats]
        return {"court_name": "测试法院", "room_name": f"第{room}法庭", "seats": seats}

    @classmethod
    def of(cls, reel: Reel) -> Script:
        """The bundled hearing, with the exhibits as they are in the reel."""
        folder, scenario = HearingFolder(BUNDLED_HEARING), Scenario.load(BUNDLED_HEARING)
        seats: tuple[OpenedSeat, ...] = tuple(
            {"id": SEATS[roles[0]], "role": roles[0], "roles": roles, "channel": channel}
            for channel, roles in sorted(folder.roles.items())
        )
        exhibits = {one.filename: one for one in reel.exhibits}
        moments: list[Moment] = _acts(scenario, seats, reel, exhibits)
        lines = [part for said in folder.reference.utterances for part in parts_of(said)]
        for number, line in enumerate(lines):
            moments += _words(line, SEATS[folder.roles[line.channel][0]], corrected=number % CORRECTED == 0)
        end_s = scenario.end_s
        return cls(tuple(sorted((m for m in moments if m.at_s <= end_s), key=lambda m: m.at_s)), seats, end_s)


def parts_of(said: Said) -> list[Said]:
    """A turn as the endpointer cuts it: what is long is cut at the ends of its sentences."""
    whole_s = said.end - said.start
    sentences = [one for one in re.split(r"(?<=[。？！；])", said.text) if one]
    if whole_s <= LONGEST_TURN_S or len(sentences) < 2:
        return [said]
    parts, at = [], said.start
    for sentence in sentences:
        until = at + whole_s * len(sentence) / len(said.text)
        parts.append(said.model_copy(update={"start": at, "end": until, "text": sentence}))
        at = until
    return parts


def _acts(
    scenario: Scenario, seats: tuple[OpenedSeat, ...], reel: Reel, exhibits: Mapping[str, ReelExhibit]
) -> list[Moment]:
    """What the clerk does."""
    moments: list[Moment] = [
        ScriptFact(0.0, "open", lambda held: _opening(scenario, seats, reel, held), always=True),
        ScriptFact(0.05, "clock", _says({"by_ns": 0, "source": "free-running", "error_ms": None}), always=True),
    ]
    order: list[str] = []
    views = dict(scenario.views())
    for action in scenario.actions:
        if isinstance(action, AddExhibit):
            order.append(action.file)
            moments += _handed_in(action.at_s, exhibits[action.file], len(order))
        elif isinstance(action, ScenarioMark):
            moments.append(ScriptFact(action.at_s, "mark", _mark(action.kind, action.text)))
        elif isinstance(action, ScenarioPause):
            moments.append(ScriptFact(action.at_s, "pause", _says({"reason": action.reason.value})))
        elif isinstance(action, Resume):
            moments.append(ScriptFact(action.at_s, "resume", _says({})))
        elif isinstance(action, Close):
            moments.append(ScriptFact(action.at_s, "close", _says({})))
        elif action.at_s in views and not isinstance(action, Open):
            view = views[action.at_s]
            if view is None:
                moments.append(ScriptFact(action.at_s, "withdraw", _says({})))
            else:
                said: PresentBody = {
                    "exhibit": f"exhibit-{order.index(view.file) + 1}",
                    "page": view.page,
                    "zoom": view.zoom,
                    "x": view.x,
                    "y": view.y,
                }
                moments.append(ScriptFact(action.at_s, "present", _says(said)))
    return moments


def _says(body: Mapping[str, Any]) -> Callable[[HeldHearing], Mapping[str, Any]]:
    """The same of every hearing."""
    return lambda held: body


def _mark(kind: str, text: str) -> Callable[[HeldHearing], MarkBody]:
    return lambda held: {"id": secrets.token_hex(6), "kind": kind, "text": text}


def _opening(scenario: Scenario, seats: tuple[OpenedSeat, ...], reel: Reel, held: HeldHearing) -> OpenBody:
    case = scenario.case
    tracks: list[OpenedTrack] = [{"id": one.id, "kind": one.kind, "name": one.name} for one in reel.tracks]
    return {
        "case": {
            "id": held.id,
            "case_no": case.case_no,
            "cause": case.cause,
            "title": case.title,
            "parties": case.parties,
            "public": True,
            "procedure": "ordinary",
        },
        "seats": list(seats),
        "tracks": tracks,
        "selftest": {"passed": True, "number": None, "despite": []},
    }


def _handed_in(at_s: float, exhibit: ReelExhibit, number: int) -> list[Moment]:
    said: ExhibitBody = {
        "id": f"exhibit-{number}",
        "number": number,
        "title": TITLES.get(exhibit.filename, exhibit.filename),
        "filename": exhibit.filename,
        "media_type": exhibit.media_type,
        "sha256": exhibit.sha256,
        "bytes": exhibit.bytes,
        "pages": exhibit.pages,
    }
    moments: list[Moment] = [ScriptFact(at_s, "exhibit", _says(said), always=True)]
    for place, picture in enumerate(exhibit.pictures):  # one after the other, as the reader draws them
        drawn: DrawnBody = {"exhibit": said["id"], "of": exhibit.sha256, "pictures": [picture]}
        moments.append(ScriptFact(at_s + 0.1 * (place + 1), "drawn", _says(drawn), always=True))
    return moments


def _words(said: Said, seat: str, *, corrected: bool) -> list[Moment]:
    """A turn: who speaks, its captions, its utterance, perhaps its correction."""
    name = f"{seat}-{round(said.start * 1000)}"
    moments: list[Moment] = [ScriptSpeaking(said.start, (seat,)), ScriptSpeaking(said.end, ())]
    shown = 0
    for step in range(1, int((said.end - said.start) / CAPTION_S) + 1):
        at_s = said.start + step * CAPTION_S
        heard = max(1, round(len(said.text) * step * CAPTION_S / (said.end - said.start)))
        moments.append(ScriptCaption(at_s, seat, said.role, name, said.start, said.text[:heard], shown))
        shown = heard
    at_s = said.end + UTTERANCE_S
    moments.append(ScriptFact(at_s, "utterance", lambda held: _utterance(said, seat, name, held), line=name))
    if corrected and len(said.text) > 1:
        moments.append(ScriptFact(at_s + CORRECTION_S, "revision", lambda held: _correction(said, name, held)))
    return moments


def _utterance(said: Said, seat: str, name: str, held: HeldHearing) -> UtteranceBody:
    each_s = (said.end - said.start) / len(said.text)
    words: list[SpokenWord] = [
        {
            "text": character,
            "start_ns": held.ns(said.start + place * each_s),
            "end_ns": held.ns(said.start + (place + 1) * each_s),
            "probability": 0.93,
        }
        for place, character in enumerate(said.text)
    ]
    return {
        "id": f"{held.id}-{name}",
        "seat": seat,
        "role": said.role,
        "start_ns": held.ns(said.start),
        "end_ns": held.ns(said.end),
        "text": said.text,
        "confidence": 0.91,
        "voice": "a",
        "words": words,
    }


def _correction(said: Said, name: str, held: HeldHearing) -> RevisionBody:
    return {
        "id": secrets.token_hex(8),
        "act": "correct",
        "by": "corrector",
        "reason": "标点→标点：标点的写法",
        "changes": [
            {
                "line": f"{held.id}-{name}",
                "base": held.numbers.get(name, 0),
                "set": {"text": said.text[:-1] + "；"},
            }
        ],
    }
