"""The hearing as both ends see it: the fold of its events into states, words, presentations, marks and gaps.

`Hearing.apply` takes events in the order of their numbers and is idempotent by number, so a replay, a duplicate or a
late batch gives the same hearing. All times are room time in nanoseconds. The kinds and bodies of events are listed
in docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any

from sync.record.event import AFTER_SEAL, Event
from sync.record.milliseconds import to_ms
from sync.record.signing import KINDS as SIGNING
from sync.record.signing import Signing
from sync.record.transcript import Transcript, Utterance

PREROLL_MOST_NS = 10_000_000_000


class State(StrEnum):
    """Where a hearing is between 宣布开庭 and 闭庭."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class PauseReason(StrEnum):
    """The only three reasons for which the law lets a recording be interrupted (法释〔2017〕5号, art. 3)."""

    RECESS = "recess"
    CLOSED_EVIDENCE = "closed_evidence"
    MEDIATION = "mediation"


@dataclass(slots=True)
class Interval:
    """A stretch of the time line; `to_ns` is None while it lasts."""

    from_ns: int
    to_ns: int | None = None


@dataclass(slots=True)
class Pause(Interval):
    """A lawful interruption."""

    reason: str = PauseReason.RECESS.value


@dataclass(slots=True)
class Presentation(Interval):
    """One exhibit, page and view on the screens of the room."""

    exhibit: str = ""
    page: int = 1
    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


@dataclass(slots=True)
class Gap(Interval):
    """Media of `track` that does not exist, and why."""

    track: str = ""
    why: str = ""


@dataclass(slots=True)
class Exhibit:
    """A piece of evidence as it was added; its file is named by its content."""

    id: str
    number: int
    title: str
    filename: str
    media_type: str
    sha256: str
    bytes: int
    pages: int
    sm3: str = ""
    """Empty in hearings of before it was taken."""


@dataclass(slots=True)
class Mark:
    """A note of the clerk at a moment."""

    id: str
    at_ns: int
    kind: str
    text: str


@dataclass(slots=True)
class Segment:
    """A closed file of the record."""

    track: str
    index: int
    file: str
    bytes: int
    sha256: str
    from_ns: int
    to_ns: int
    sm3: str = ""
    """Empty in hearings of before it was taken."""


@dataclass(slots=True)
class Alarm:
    """Something a person must know; `cleared_ns` is None while it is so."""

    code: str
    subject: str
    text: str
    raised_ns: int
    cleared_ns: int | None = None


@dataclass(slots=True)
class Hearing:
    """All that is known of one hearing. Lists are in the order of the time line's events."""

    id: str
    state: State = State.OPEN
    opened_ns: int = 0
    opened_utc_ns: int = 0
    recorded_from_ns: int = 0
    """Where the record may begin: before the opening when the room keeps a pre-roll (预录)."""
    closed_ns: int | None = None
    case: dict[str, Any] = field(default_factory=dict)
    seats: list[dict[str, Any]] = field(default_factory=list)
    tracks: list[dict[str, Any]] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    transcript: Transcript = field(default_factory=Transcript)
    signing: Signing = field(default_factory=Signing)
    """Who has signed which words."""
    exhibits: list[Exhibit] = field(default_factory=list)
    presentations: list[Presentation] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    clock_steps: list[dict[str, Any]] = field(default_factory=list)
    live_muted: bool = False
    """Sound and captions do not leave the room live; the record is as ever."""
    sealed: dict[str, Any] | None = None
    """The last seal (封存): `at_utc_ns`, `index`, `leaves`, `root` (hex, of the tree before it), `words_complete`, and
    `late`: how many words came after it, which the next seal will cover."""
    replaced_by_consent_of: list[str] = field(default_factory=list)
    """Who agreed that the recording stands for the 笔录 (法释〔2017〕5号, art. 8); nobody: it does not."""
    last_number: int = 0
    _seen: set[int] = field(default_factory=set, repr=False)

    @classmethod
    def of(cls, hearing: str, events: Iterable[Event]) -> Hearing:
        """The fold of `events`, which may come in any order."""
        view = cls(hearing)
        for event in sorted(events, key=lambda e: e.number):
            view.apply(event)
        return view

    @property
    def utterances(self) -> list[Utterance]:
        """Every line of the transcript, those too that are `gone`."""
        return self.transcript.lines

    @property
    def presented(self) -> Presentation | None:
        """What is on the screens now."""
        last = self.presentations[-1] if self.presentations else None
        return last if last is not None and last.to_ns is None else None

    def apply(self, event: Event) -> None:
        """Take one event; unknown kinds are kept by the log and ignored here."""
        if event.number in self._seen:
            return
        self._seen.add(event.number)
        self.last_number = max(self.last_number, event.number)
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event, event.body)
        if self.sealed is not None and event.kind in AFTER_SEAL:
            self.sealed["late"] = 0 if event.kind == "seal" else self.sealed["late"] + 1

    def to_json(self) -> dict[str, Any]:
        """For the screens: every `*_ns` becomes `*_ms`; JavaScript's numbers hold only 104 days of nanoseconds."""
        names = [f.name for f in fields(self) if f.name not in ("_seen", "transcript", "signing")]
        value = {name: _plain(getattr(self, name)) for name in names}
        value["utterances"] = [asdict(line) for line in self.transcript.lines]
        value["ignored"] = sorted(self.transcript.ignored)
        voices = self.transcript.voices.items()
        value["voices"] = [{"seat": seat, "voice": voice, "role": role} for (seat, voice), role in sorted(voices)]
        converted = to_ms(value)
        assert isinstance(converted, dict)
        presented = self.presented
        converted["presented"] = None if presented is None else to_ms(asdict(presented))
        return converted

    def _end_presentation(self, at_ns: int) -> None:
        presented = self.presented
        if presented is not None:
            presented.to_ns = at_ns


def _plain(value: Any) -> Any:
    """A field of a hearing as JSON takes it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _open(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.state = State.OPEN
    hearing.opened_ns = event.room_ns
    hearing.opened_utc_ns = event.utc_ns
    begun_ns = min(int(body.get("from_ns", event.room_ns)), event.room_ns)
    hearing.recorded_from_ns = max(begun_ns, event.room_ns - PREROLL_MOST_NS)
    hearing.case = dict(body.get("case", {}))
    hearing.seats = list(body.get("seats", []))
    hearing.tracks = list(body.get("tracks", []))


def _pause(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.state = State.PAUSED
    hearing.pauses.append(Pause(event.room_ns, reason=str(body["reason"])))
    hearing._end_presentation(event.room_ns)


def _resume(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.state = State.OPEN
    if hearing.pauses and hearing.pauses[-1].to_ns is None:
        hearing.pauses[-1].to_ns = event.room_ns


def _close(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.state = State.CLOSED
    hearing.live_muted = False
    hearing.closed_ns = event.room_ns
    if hearing.pauses and hearing.pauses[-1].to_ns is None:
        hearing.pauses[-1].to_ns = event.room_ns
    hearing._end_presentation(event.room_ns)


def _utterance(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.transcript.utterance(event)


def _revision(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.transcript.revise(event)


def _check(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.transcript.check(event)


def _exhibit(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    exhibit = Exhibit(
        id=str(body["id"]),
        number=int(body["number"]),
        title=str(body["title"]),
        filename=str(body["filename"]),
        media_type=str(body["media_type"]),
        sha256=str(body["sha256"]),
        bytes=int(body["bytes"]),
        pages=int(body["pages"]),
        sm3=str(body.get("sm3", "")),
    )
    hearing.exhibits.append(exhibit)


def _present(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing._end_presentation(event.room_ns)
    hearing.presentations.append(
        Presentation(
            event.room_ns,
            exhibit=str(body["exhibit"]),
            page=int(body["page"]),
            zoom=float(body["zoom"]),
            x=float(body["x"]),
            y=float(body["y"]),
        )
    )


def _withdraw(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing._end_presentation(event.room_ns)


def _mark(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    mark = Mark(id=str(body["id"]), at_ns=event.room_ns, kind=str(body["kind"]), text=str(body["text"]))
    hearing.marks.append(mark)


def _gap(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    gap = Gap(int(body["from_ns"]), int(body["to_ns"]), track=str(body["track"]), why=str(body["why"]))
    hearing.gaps.append(gap)


def _segment(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    segment = Segment(
        track=str(body["track"]),
        index=int(body["index"]),
        file=str(body["file"]),
        bytes=int(body["bytes"]),
        sha256=str(body["sha256"]),
        from_ns=int(body["from_ns"]),
        to_ns=int(body["to_ns"]),
        sm3=str(body.get("sm3", "")),
    )
    hearing.segments.append(segment)


def _alarm(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    code, subject = str(body["code"]), str(body["subject"])
    for alarm in hearing.alarms:
        if (alarm.code, alarm.subject, alarm.cleared_ns) == (code, subject, None):
            if body.get("cleared"):
                alarm.cleared_ns = event.room_ns
            return
    if not body.get("cleared"):
        hearing.alarms.append(Alarm(code, subject, str(body["text"]), event.room_ns))


def _clock(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    if body.get("by_ns"):  # 0: it only says what UTC is worth
        hearing.clock_steps.append({"at_ns": event.room_ns, **body})


def _seal(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.sealed = {
        "at_utc_ns": event.utc_ns,
        "index": int(body["index"]),
        "leaves": int(body["leaves"]),
        "root": str(body["root"]),
        "words_complete": body.get("words_complete") is not False,
        "late": 0,
    }


def _mute(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.live_muted = bool(body.get("muted"))


def _replacement(hearing: Hearing, event: Event, body: Mapping[str, Any]) -> None:
    hearing.replaced_by_consent_of = [str(name) for name in body.get("consents", [])]


_HANDLERS = {
    **dict.fromkeys(SIGNING, lambda hearing, event, body: hearing.signing.apply(event)),
    "open": _open,
    "pause": _pause,
    "resume": _resume,
    "close": _close,
    "utterance": _utterance,
    "revision": _revision,
    "check": _check,
    "exhibit": _exhibit,
    "present": _present,
    "withdraw": _withdraw,
    "mark": _mark,
    "gap": _gap,
    "segment": _segment,
    "alarm": _alarm,
    "clock": _clock,
    "mute": _mute,
    "replacement": _replacement,
    "seal": _seal,
}
