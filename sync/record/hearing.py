"""The hearing as both ends see it: the fold of its events into states, words, presentations, marks and gaps.

`Hearing.apply` takes events in the order of their numbers and is idempotent by number, so a replay, a duplicate or a
late batch gives the same hearing. All times are room time in nanoseconds. The kinds and bodies of events are listed
in docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, cast

from sync.record.bodies.evidence import DrawnBody, DrawnPicture, ExhibitBody, MarkBody, PresentBody, WithdrawBody
from sync.record.bodies.media import AlarmBody, ClockBody, GapBody, SegmentBody
from sync.record.bodies.session import (
    CloseBody,
    LawfulReason,
    MuteBody,
    OpenBody,
    OpenedCase,
    OpenedSeat,
    OpenedTrack,
    PauseBody,
    ReplacementBody,
    ResumeBody,
    SealBody,
    SealedPartBody,
)
from sync.record.bodies.words import CheckBody, RevisionBody, UtteranceBody
from sync.record.event import AFTER_SEAL, Event
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import RoomParts
from sync.record.shown_hearing import LastSeal, ShownHearing, SteppedClock
from sync.record.shown_hearing import State as State
from sync.record.signing import KINDS as SIGNING
from sync.record.signing import Signing
from sync.record.timeline import Alarm, Exhibit, Gap, Mark, Pause, Presentation, Segment
from sync.record.transcript import Transcript, Utterance

PREROLL_MOST_NS = 10_000_000_000


def _no_case() -> OpenedCase:
    return cast(OpenedCase, {})  # the opening has not come: nothing is known


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
    closed_utc_ns: int | None = None
    case: OpenedCase = field(default_factory=_no_case)
    seats: list[OpenedSeat] = field(default_factory=list)
    tracks: list[OpenedTrack] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    transcript: Transcript = field(default_factory=Transcript)
    signing: Signing = field(default_factory=Signing)
    """Who has signed which words."""
    exhibits: list[Exhibit] = field(default_factory=list)
    added_ns: dict[str, int] = field(default_factory=dict)
    """Exhibit's id -> when it was added."""
    pictures: dict[str, dict[tuple[int, int], DrawnPicture]] = field(default_factory=dict)
    """Exhibit's id -> (page, scale) -> its picture."""
    presentations: list[Presentation] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    clock_steps: list[SteppedClock] = field(default_factory=list)
    live_muted: bool = False
    """Sound and captions do not leave the room live; the record is as ever."""
    sealed: LastSeal | None = None
    room_parts: RoomParts = field(default_factory=RoomParts)
    """What the room itself has sealed (封存区段); the center may have sealed more."""
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
        converted = to_ms({name: _plain(value) for name, value in self.shown().items()})
        assert isinstance(converted, dict)
        return converted

    def shown(self) -> ShownHearing:
        """What screens get, in nanoseconds and uncopied: for whoever makes JSON of a long hearing piece by piece."""
        voices = sorted(self.transcript.voices.items())
        return {
            "id": self.id,
            "state": self.state,
            "opened_ns": self.opened_ns,
            "opened_utc_ns": self.opened_utc_ns,
            "recorded_from_ns": self.recorded_from_ns,
            "closed_ns": self.closed_ns,
            "case": self.case,
            "seats": self.seats,
            "tracks": self.tracks,
            "pauses": self.pauses,
            "exhibits": self.exhibits,
            "presentations": self.presentations,
            "marks": self.marks,
            "gaps": self.gaps,
            "segments": self.segments,
            "alarms": self.alarms,
            "clock_steps": self.clock_steps,
            "live_muted": self.live_muted,
            "sealed": self.sealed,
            "sealed_parts": list(self.room_parts),
            "replaced_by_consent_of": self.replaced_by_consent_of,
            "last_number": self.last_number,
            "utterances": self.transcript.lines,
            "ignored": sorted(self.transcript.ignored),
            "voices": [{"seat": seat, "voice": voice, "role": role} for (seat, voice), role in voices],
            "presented": self.presented,
        }

    def _end_presentation(self, at_ns: int) -> None:
        presented = self.presented
        if presented is not None:
            presented.to_ns = at_ns


def _plain(value: Any) -> Any:
    """A field of a hearing as JSON takes it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _open(hearing: Hearing, event: Event, body: OpenBody) -> None:
    hearing.state = State.OPEN
    hearing.opened_ns = event.room_ns
    hearing.opened_utc_ns = event.utc_ns
    begun_ns = min(int(body.get("from_ns", event.room_ns)), event.room_ns)
    hearing.recorded_from_ns = max(begun_ns, event.room_ns - PREROLL_MOST_NS)
    hearing.case = cast(OpenedCase, dict(body.get("case", {})))
    hearing.seats = list(body.get("seats", []))
    hearing.tracks = list(body.get("tracks", []))


def _pause(hearing: Hearing, event: Event, body: PauseBody) -> None:
    hearing.state = State.PAUSED
    hearing.pauses.append(Pause(event.room_ns, reason=cast(LawfulReason, str(body["reason"]))))
    hearing._end_presentation(event.room_ns)


def _resume(hearing: Hearing, event: Event, body: ResumeBody) -> None:
    hearing.state = State.OPEN
    if hearing.pauses and hearing.pauses[-1].to_ns is None:
        hearing.pauses[-1].to_ns = event.room_ns


def _close(hearing: Hearing, event: Event, body: CloseBody) -> None:
    hearing.state = State.CLOSED
    hearing.live_muted = False
    hearing.closed_ns = event.room_ns
    hearing.closed_utc_ns = event.utc_ns
    if hearing.pauses and hearing.pauses[-1].to_ns is None:
        hearing.pauses[-1].to_ns = event.room_ns
    hearing._end_presentation(event.room_ns)


def _utterance(hearing: Hearing, event: Event, body: UtteranceBody) -> None:
    hearing.transcript.utterance(event)


def _revision(hearing: Hearing, event: Event, body: RevisionBody) -> None:
    hearing.transcript.revise(event)


def _check(hearing: Hearing, event: Event, body: CheckBody) -> None:
    hearing.transcript.check(event)


def _exhibit(hearing: Hearing, event: Event, body: ExhibitBody) -> None:
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
        converted=str(body.get("converted", "")),
    )
    hearing.exhibits.append(exhibit)
    hearing.added_ns.setdefault(exhibit.id, event.room_ns)


def _drawn(hearing: Hearing, event: Event, body: DrawnBody) -> None:
    exhibit = next((e for e in hearing.exhibits if e.id == body["exhibit"]), None)
    if exhibit is None:
        return
    known = hearing.pictures.setdefault(exhibit.id, {})
    for picture in body["pictures"]:
        page, scale = int(picture["page"]), int(picture["scale"])
        if 1 <= page <= exhibit.pages and (page, scale) not in known:  # the first is what was shown
            known[page, scale] = {
                "page": page,
                "scale": scale,
                "width": int(picture["width"]),
                "height": int(picture["height"]),
                "bytes": int(picture["bytes"]),
                "sha256": str(picture["sha256"]),
            }
            exhibit.drawn += scale == 1


def _present(hearing: Hearing, event: Event, body: PresentBody) -> None:
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


def _withdraw(hearing: Hearing, event: Event, body: WithdrawBody) -> None:
    hearing._end_presentation(event.room_ns)


def _mark(hearing: Hearing, event: Event, body: MarkBody) -> None:
    mark = Mark(id=str(body["id"]), at_ns=event.room_ns, kind=str(body["kind"]), text=str(body["text"]))
    hearing.marks.append(mark)


def _gap(hearing: Hearing, event: Event, body: GapBody) -> None:
    gap = Gap(int(body["from_ns"]), int(body["to_ns"]), track=str(body["track"]), why=str(body["why"]))
    hearing.gaps.append(gap)


def _segment(hearing: Hearing, event: Event, body: SegmentBody) -> None:
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


def _alarm(hearing: Hearing, event: Event, body: AlarmBody) -> None:
    code, subject = str(body["code"]), str(body["subject"])
    for alarm in hearing.alarms:
        if (alarm.code, alarm.subject, alarm.cleared_ns) == (code, subject, None):
            if body.get("cleared"):
                alarm.cleared_ns = event.room_ns
            return
    if not body.get("cleared"):
        hearing.alarms.append(Alarm(code, subject, str(body["text"]), event.room_ns))


def _clock(hearing: Hearing, event: Event, body: ClockBody) -> None:
    if body.get("by_ns"):  # 0: it only says what UTC is worth
        hearing.clock_steps.append({"at_ns": event.room_ns, **body})


def _seal(hearing: Hearing, event: Event, body: SealBody) -> None:
    hearing.sealed = {
        "at_utc_ns": event.utc_ns,
        "index": int(body["index"]),
        "leaves": int(body["leaves"]),
        "root": str(body["root"]),
        "words_complete": body.get("words_complete") is not False,
        "late": 0,
    }


def _mute(hearing: Hearing, event: Event, body: MuteBody) -> None:
    hearing.live_muted = bool(body.get("muted"))


def _sealed_part(hearing: Hearing, event: Event, body: SealedPartBody) -> None:
    hearing.room_parts.apply(event)


def _replacement(hearing: Hearing, event: Event, body: ReplacementBody) -> None:
    hearing.replaced_by_consent_of = [str(name) for name in body.get("consents", [])]


_HANDLERS: Mapping[str, Callable[[Hearing, Event, Any], None]] = {
    **dict.fromkeys(SIGNING, lambda hearing, event, body: hearing.signing.apply(event)),
    "open": _open,
    "pause": _pause,
    "resume": _resume,
    "close": _close,
    "utterance": _utterance,
    "revision": _revision,
    "check": _check,
    "exhibit": _exhibit,
    "drawn": _drawn,
    "present": _present,
    "withdraw": _withdraw,
    "mark": _mark,
    "gap": _gap,
    "segment": _segment,
    "alarm": _alarm,
    "clock": _clock,
    "mute": _mute,
    "sealed_part": _sealed_part,
    "replacement": _replacement,
    "seal": _seal,
}
