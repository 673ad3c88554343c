"""The transcript (笔录) while it is being made: the fold of utterances and revisions into lines.

Promises: every version of every line stays; an act of revision counts whole or not at all, and only where its writer
had seen the version that it changes (`base`); the engine's corrector never changes a line that the clerk has touched.
An act that does not count stays with its lines as `void`, so nothing that was typed is lost. All positions in texts are
counted in characters (code points). The form of the events is in docs/protocol.md, "The transcript".

Words may be moved, from one line to another (split, merge) or with their line in time. Where something that was said
then may not be read, what counts is when it was said: a line keeps every time that it has had, and those of the lines
whose words it may have (`Utterance.earlier_times`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NotRequired, cast

from sync.record.bodies.limits import Span
from sync.record.bodies.words import (
    InsertedLine,
    LineChange,
    LineProposal,
    LineSettings,
    RevisionBody,
    SpokenWord,
    UtteranceBody,
)
from sync.record.event import Event

UNSURE_BELOW = 0.5
"""A word of less probability than this is underlined."""
CORRECTOR = "corrector"
CLERK = "clerk"
_SETTABLE = frozenset({"text", "role", "seat", "struck", "doubtful", "gone", "start_ns", "end_ns"})


LineSource = Literal["speech", "typed", "phrase", "split", "sealed"]


class LineVersion(LineSettings):
    """One version of a line, and what it set; the first has no `id`: it was no revision."""

    number: int
    """Of the event that made it."""
    id: NotRequired[str]
    utc_ns: int
    by: str
    """`engine`, `clerk` or `corrector`."""
    act: str
    reason: NotRequired[str]
    void: NotRequired[bool]
    """The act did not count."""


class _Moved:
    """What is known of a line and is nobody's to see: it is no field, so no page and no export has it."""

    __slots__ = ("earlier_times",)
    earlier_times: tuple[tuple[int, int], ...]
    """(from, to) in ns of room time: when words that may be in the line were said, by lines and times of before."""

    def __post_init__(self) -> None:
        self.earlier_times = ()

    def has_words_of(self, times: Sequence[tuple[int, int]]) -> None:
        """Note that words of these times may be in the line."""
        self.earlier_times = tuple(dict.fromkeys((*self.earlier_times, *times)))


@dataclass(slots=True)
class Utterance(_Moved):
    """A line of the transcript: words that one speaker said, or that the clerk wrote; never silently changed."""

    id: str
    seat: str
    role: str
    start_ns: int
    end_ns: int
    text: str
    confidence: float | None = None
    voice: str = ""
    """Which of a seat's voices spoke, where they are told apart."""
    source: LineSource = "speech"
    """`speech`, `typed`, `phrase` (a set phrase of procedure), `split` (off another line), or `sealed`: of a line that
    may not be read nothing is there but its times."""
    revision: int = 0
    """The number of the event that made this version: what a writer names as `base`."""
    written_utc_ns: int = 0
    """When its first version was written down; what was said was said at `start_ns`."""
    touched: bool = False
    """A clerk has had a hand in it."""
    struck: bool = False
    doubtful: bool = False
    gone: str = ""
    """Why it is no line any more: `merged` into another or `withdrawn` (an insertion that was undone)."""
    unsure: list[Span] = field(default_factory=list)
    """[from, to) of what the engine was not sure of."""
    proposals: list[LineProposal] = field(default_factory=list)
    """What the corrector would change."""
    versions: list[LineVersion] = field(default_factory=list)
    """All of them, the first one too, once there is more than one."""

    def times(self) -> list[tuple[int, int]]:
        """When what is written here may have been said, as (from, to) in ns of room time."""
        times = [(self.start_ns, self.end_ns), *self.earlier_times]
        for version in self.versions:
            times.append((version.get("start_ns", self.start_ns), version.get("end_ns", self.end_ns)))
        return list(dict.fromkeys((min(time), max(time)) for time in times))


class Transcript:
    """The lines of one hearing, in the order in which they are read."""

    def __init__(self) -> None:
        self.lines: list[Utterance] = []
        self.ignored: set[str] = set()
        """Findings of the checks that the clerk has read and let stand."""
        self.voices: dict[tuple[str, str], str] = {}
        """Which role speaks with a voice of a seat, where the clerk has said so: (seat, voice) -> role."""
        self._by_id: dict[str, Utterance] = {}

    def __iter__(self) -> Iterator[Utterance]:
        """The lines that are there to read: not those that were merged or withdrawn."""
        return (line for line in self.lines if not line.gone)

    def get(self, name: str) -> Utterance | None:
        """A line by its id, also one that is gone."""
        return self._by_id.get(name)

    def utterance(self, event: Event) -> None:
        """Take what the engine heard; a second utterance of the same id is none."""
        body = cast(UtteranceBody, event.body)
        if str(body["id"]) in self._by_id:
            return
        text, seat, voice = str(body["text"]), str(body["seat"]), str(body.get("voice", ""))
        said = Utterance(
            id=str(body["id"]),
            seat=seat,
            # The engine may have finished these words before it heard whose voice it is.
            role=self.voices.get((seat, voice), str(body["role"])),
            start_ns=int(body["start_ns"]),
            end_ns=int(body["end_ns"]),
            text=text,
            confidence=body.get("confidence"),
            voice=voice,
            revision=event.number,
            written_utc_ns=event.utc_ns,
            unsure=_unsure(text, body.get("words") or []),
        )
        # Two people may finish out of order; the transcript is in the order in which they began.
        place = len(self.lines)
        while place > 0 and self.lines[place - 1].start_ns > said.start_ns:
            place -= 1
        self._insert(place, said)

    def revise(self, event: Event) -> bool:
        """Take one act of revision; False when it does not count (then every line that it names keeps it as void)."""
        if "changes" not in event.body:
            return self._revise_plainly(event)
        body = cast(RevisionBody, event.body)
        changes: Sequence[LineChange] = body["changes"]
        if not self.counts(str(body["by"]), changes):
            for change in changes:
                line = self._by_id.get(str(change.get("line", "")))
                if line is not None:
                    self._note(line, event, _settings(change.get("set", {})), void=True)
            return False
        from_times = self._rewritten_times(changes)
        for change in changes:
            if "new" in change:
                self._add(change["new"], event).has_words_of(from_times)
                continue
            line = self._by_id[str(change["line"])]
            if "propose" in change:
                line.proposals = [proposal.copy() for proposal in change["propose"]]
            if "set" in change:
                if "text" in change["set"] and _moves_words(changes):
                    line.has_words_of(from_times)
                self._set(line, change["set"], event)
        voice = body.get("voice")
        if voice:
            self.voices[str(voice["seat"]), str(voice["voice"])] = str(voice["role"])
        return True

    def check(self, event: Event) -> None:
        """Take the clerk's word on a finding of the checks."""
        name = str(event.body["id"])
        if event.body.get("ignored"):
            self.ignored.add(name)
        else:
            self.ignored.discard(name)

    def _revise_plainly(self, event: Event) -> bool:
        """The first form of a revision: an `utterance` and its new `text`, by the clerk, over whatever it was."""
        body = {"by": CLERK, "act": "edit", **event.body}
        line = self._by_id.get(str(body.get("utterance", body.get("id", ""))))
        if line is None:
            return False
        values: LineSettings = {"text": str(body["text"])} if "text" in body else {}
        self._set(line, values, replace(event, body=body))
        return True

    def counts(self, by: str, changes: Sequence[LineChange]) -> bool:
        """Whether an act with these changes would count if it came now."""
        named = {str(c["new"]["id"]) for c in changes if "new" in c}
        if len(named) != sum("new" in c for c in changes) or any(name in self._by_id for name in named):
            return False
        for change in changes:
            if "new" in change:
                after = str(change["new"].get("after", ""))
                if after and after not in self._by_id and after not in named:
                    return False
                continue
            line = self._by_id.get(str(change["line"]))
            if line is None or line.revision != int(change["base"]) or (by == CORRECTOR and line.touched):
                return False
        return True

    def _rewritten_times(self, changes: Sequence[LineChange]) -> list[tuple[int, int]]:
        """When the words were said that one act takes out of lines: whatever it writes elsewhere may be they."""
        settings = [(self._by_id[str(c["line"])], c["set"]) for c in changes if "set" in c]
        taken = [line for line, values in settings if "text" in values or values.get("gone")]
        return [time for line in taken for time in line.times()]

    def _add(self, new: InsertedLine, event: Event) -> Utterance:
        line = Utterance(
            id=str(new["id"]),
            seat=str(new.get("seat", "")),
            role=str(new["role"]),
            start_ns=int(new["start_ns"]),
            end_ns=int(new["end_ns"]),
            text=str(new["text"]),
            voice=str(new.get("voice", "")),
            source=cast(LineSource, str(new.get("source", "typed"))),
            revision=event.number,
            written_utc_ns=event.utc_ns,
            touched=event.body["by"] == CLERK,
        )
        after = self._by_id.get(str(new.get("after", "")))
        if after is not None:
            place = self.lines.index(after) + 1
        else:
            place = next((i for i, other in enumerate(self.lines) if other.start_ns > line.start_ns), len(self.lines))
        self._insert(place, line)
        return line

    def _set(self, line: Utterance, values: LineSettings, event: Event) -> None:
        text = values.get("text")
        if isinstance(text, str) and text != line.text:
            line.unsure = moved(line.unsure, line.text, text)
            line.proposals = _moved_proposals(line.proposals, line.text, text)
        self._note(line, event, _settings(values))
        if values.keys() & {"start_ns", "end_ns"}:
            line.has_words_of([(line.start_ns, line.end_ns)])
        for key in _SETTABLE & values.keys():
            value: Any = cast(Mapping[str, Any], values)[key]
            setattr(line, key, int(value) if key.endswith("_ns") else value)
        line.revision = event.number
        line.touched = line.touched or event.body["by"] == CLERK

    def _note(self, line: Utterance, event: Event, settings: LineSettings, *, void: bool = False) -> None:
        if not line.versions:  # until now `revision` is the number of the line's first event
            first: LineVersion = {
                "number": line.revision,
                "utc_ns": line.written_utc_ns,
                "by": "engine" if line.source == "speech" else CLERK,
                "act": line.source,
                "text": line.text,
                "role": line.role,
            }
            line.versions.append(first)
        body = event.body
        said: LineVersion = {
            "number": event.number,
            "id": str(body["id"]),
            "utc_ns": event.utc_ns,
            "by": str(body["by"]),
            "act": str(body["act"]),
        }
        if body.get("reason"):
            said["reason"] = str(body["reason"])
        line.versions.append(cast(LineVersion, {**said, **settings, **({"void": True} if void else {})}))

    def _insert(self, place: int, line: Utterance) -> None:
        self.lines.insert(place, line)
        self._by_id[line.id] = line


def lines_named(event: Event) -> Iterator[str]:
    """The lines that an utterance or a revision is about: no other line is changed by it."""
    body = event.body
    if event.kind == "utterance":
        yield str(body["id"])
    elif "changes" not in body:  # the first form of a revision
        yield str(body.get("utterance", body.get("id", "")))
    else:
        yield from (str(c["new"]["id"] if "new" in c else c["line"]) for c in body["changes"])


def moved(spans: Sequence[Sequence[int]], before: str, after: str) -> list[Span]:
    """Where spans of a text are in its next version; what lies in the changed part is dropped."""
    most = min(len(before), len(after))
    head = next((i for i in range(most) if before[i] != after[i]), most)
    tail = next((i for i in range(most - head) if before[-1 - i] != after[-1 - i]), most - head)
    shift = len(after) - len(before)
    kept = [[a, b] for a, b in spans if b <= head]
    return kept + [[a + shift, b + shift] for a, b in spans if a >= max(len(before) - tail, head) and b > head]


def _moved_proposals(proposals: Sequence[LineProposal], before: str, after: str) -> list[LineProposal]:
    found = [(p, moved([[int(p["at"]), int(p["at"]) + int(p["length"])]], before, after)) for p in proposals]
    return [{**p, "at": spans[0][0]} for p, spans in found if spans]


def _unsure(text: str, words: Sequence[SpokenWord]) -> list[Span]:
    spans: list[Span] = []
    at = 0
    for word in words:
        said = str(word["text"]).strip()
        found = text.find(said, at) if said else -1
        if found < 0:
            continue
        at = found + len(said)
        if float(word["probability"]) >= UNSURE_BELOW:
            continue
        if spans and spans[-1][1] == found:
            spans[-1][1] = at
        else:
            spans.append([found, at])
    return spans


def _moves_words(changes: Sequence[LineChange]) -> bool:
    """Whether an act may bring words from one line into another: it makes a line, or ends one."""
    return any("new" in change or change.get("set", {}).get("gone") for change in changes)


def _settings(values: LineSettings) -> LineSettings:
    said = cast(Mapping[str, Any], values)
    return cast(LineSettings, {key: said[key] for key in sorted(_SETTABLE & said.keys())})
