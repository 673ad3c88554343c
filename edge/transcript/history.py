"""What each act of revision of a hearing changed, so that it can be undone; the fold that `edge.transcript.commands`
decides by.

Promises: `inverse` gives the changes that make the lines of an act what they were before it, as long as nothing else
was done to them since; acts that were undone count as never done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sync.record.bodies.words import LineChange, LineSettings, NamedVoice, RevisionBody
from sync.record.event import DAMAGED, Event
from sync.record.transcript import CORRECTOR, Transcript, Utterance

PLAIN = frozenset({"role", "seat", "struck", "doubtful"})
"""Settings that mean the same whatever the words of the line are."""


@dataclass(slots=True)
class Written:
    """One act as the log has it."""

    event: Event
    counts: bool
    before: dict[str, LineSettings] = field(default_factory=dict)
    """line -> what was set on it, as it was before; of a new line: that it was not there."""
    voice: NamedVoice | None = None
    """Whose voice it was before, where the act said whose it is."""

    @property
    def id(self) -> str:
        """The act's name, by whoever wrote it."""
        return str(self.event.body["id"])


class RevisionHistory:
    """The acts of one hearing, in their order."""

    def __init__(self, hearing: str) -> None:
        self.hearing = hearing
        self.transcript = Transcript()
        self.last = 0
        """The number of the last event that was taken."""
        self._acts: dict[str, Written] = {}
        self._order: list[Written] = []
        self._undone: set[str] = set()
        self._hands: dict[str, list[str]] = {}
        """line -> the acts that made it what it is, the newest last."""

    def take(self, event: Event) -> None:
        """Take an event of the room's log; only words of this hearing matter."""
        self.last = max(self.last, event.number)
        if event.hearing != self.hearing or DAMAGED in event.body:
            return
        if event.kind == "utterance":
            self.transcript.utterance(event)
        elif event.kind == "revision":
            self._revision(event)

    def known(self, name: str) -> Written | None:
        """An act that counts, by its id."""
        written = self._acts.get(name)
        return written if written is not None and written.counts else None

    def line(self, name: str) -> Utterance | None:
        """A line as it is now, also one that is gone."""
        return self.transcript.get(name)

    def last_of(self, tab: str) -> Written | None:
        """The last act of a tab that counts and was neither an undoing nor undone."""
        for written in reversed(self._order):
            body = written.event.body
            if body.get("tab") == tab and body["act"] != "undo" and written.id not in self._undone:
                return written
        return None

    def may_undo(self, written: Written) -> bool:
        """Whether nothing was done to its lines since (or was undone)."""
        for name in written.before:
            line, hands = self.line(name), self._hands.get(name, [])
            if line is None or not (line.revision == written.event.number or hands[-1:] == [written.id]):
                return False
        return bool(written.before)

    def inverse(self, written: Written) -> tuple[list[LineChange], NamedVoice | None]:
        """The changes that undo an act, and whose voice it is again."""
        changes: list[LineChange] = []
        for name, before in written.before.items():
            line = self.line(name)
            assert line is not None
            changes.append({"line": name, "base": line.revision, "set": before.copy()})
        return changes, written.voice

    def rebased(self, changes: Sequence[LineChange]) -> list[LineChange]:
        """The changes, written against the lines as they are now where only the corrector came in between and what is
        changed does not depend on the words."""
        return [self._rebased(change.copy()) for change in changes]

    def _rebased(self, change: LineChange) -> LineChange:
        line = self.line(str(change.get("line", "")))
        if line is None or line.revision == change["base"] or not change["set"].keys() <= PLAIN:
            return change
        later = [v for v in line.versions if v["number"] > change["base"] and not v.get("void")]
        if any(v["by"] != CORRECTOR for v in later):
            return change
        return {**change, "base": line.revision}

    def _revision(self, event: Event) -> None:
        if "changes" not in event.body:  # the first form: it cannot be undone, and what it changed neither
            plain = str(event.body.get("utterance", event.body.get("id", "")))
            if self.transcript.revise(event):
                self._hands.setdefault(plain, []).append(f"plain/{event.number}")
            return
        body = cast(RevisionBody, event.body)
        written = Written(event, False, *self._before(body))
        revisions = {name: line.revision for name in written.before if (line := self.line(name)) is not None}
        written.counts = self.transcript.revise(event)
        if self.known(written.id) is None:
            self._acts[written.id] = written
        if not written.counts:
            return
        self._order.append(written)
        undoes = str(body.get("undoes") or "")
        undone = self._acts.get(undoes)
        if undone is not None:
            self._undone.add(undoes)
            self._undone.discard(str(undone.event.body.get("undoes") or ""))
        for name in written.before:
            hands = self._hands.setdefault(name, [])
            if undone is not None and hands[-1:] == [undoes]:
                hands.pop()
            elif undone is not None and revisions.get(name) == undone.event.number:
                hands.append(str(undone.event.body.get("undoes") or undoes))  # an undoing was undone
            else:
                hands.append(written.id)

    def _before(self, body: RevisionBody) -> tuple[dict[str, LineSettings], NamedVoice | None]:
        before: dict[str, LineSettings] = {}
        for change in body["changes"]:
            if "new" in change:
                before[str(change["new"]["id"])] = {"gone": "withdrawn"}
                continue
            line = self.line(str(change["line"]))
            if line is not None and "set" in change:
                known = cast(dict[str, Any], before.setdefault(line.id, {}))
                for key in change["set"]:
                    known.setdefault(key, getattr(line, key))
        voice = body.get("voice")
        if not voice:
            return before, None
        seat, name = str(voice["seat"]), str(voice["voice"])
        earlier = next((str(values["role"]) for values in before.values() if "role" in values), str(voice["role"]))
        return before, {"seat": seat, "voice": name, "role": self.transcript.voices.get((seat, name), earlier)}
