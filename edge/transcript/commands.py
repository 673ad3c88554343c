"""What the clerk changes in the transcript: acts of revision, checked against the lines as they are, then logged.

Promises: an act is written only if it counts (`sync.record.transcript`), one after the other; the same id twice is one
act; an answer comes when it is on disk. It works in a pause, after the close and after the seal. Refuses, with the
lines as they are now: an act against a version that is not the newest (`ConflictError`), unless only the corrector came
in between and the words do not matter to the act; an act that is too large for the center. A signed transcript is
changed only with `reopen`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.state.room_state import RoomState
from edge.transcript.history import RevisionHistory
from sync.errors import HearingError
from sync.record.bodies.words import LineChange, NamedVoice, RevisionBody
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.signing import words_of, words_sha256
from sync.record.transcript import CLERK, Utterance

MAX_VOICE_LINES = 2000
"""That one act gives to another speaker; the act says so where there were more."""
MAX_ACT_BYTES = 900_000
"""Of an act as JSON: the center takes no event beyond 1 MiB, and a record that lacks one is never whole there."""
WORDS = ("utterance", "revision")


class ConflictError(HearingError):
    """Somebody else changed the lines; `lines` is what they are now."""

    code = "conflict"

    def __init__(self, message: str, lines: Sequence[Utterance], *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.lines = lines


@dataclass(frozen=True, slots=True)
class ClerkAct:
    """What a clerk does: `changes` as docs/protocol.md has them, times in ns."""

    id: str
    act: str
    changes: Sequence[LineChange]
    tab: str = ""
    name: str = ""
    reason: str = ""
    undoes: str = ""
    voice: NamedVoice | None = None
    reopen: bool = False

    def body(self, changes: Sequence[LineChange]) -> RevisionBody:
        """As the event says it."""
        said: RevisionBody = {
            "id": self.id,
            "act": self.act,
            "by": "clerk",
            "tab": self.tab,
            "name": self.name,
            "changes": list(changes),
        }
        if self.reason:
            said["reason"] = self.reason
        if self.undoes:
            said["undoes"] = self.undoes
        if self.voice:
            said["voice"] = self.voice
        return said


@dataclass(frozen=True, slots=True)
class Done:
    """An act in the log, and the lines that it named as they are now."""

    event: Event
    lines: list[Utterance] = field(default_factory=list)


class TranscriptCommands:
    """All methods belong to one event loop."""

    def __init__(self, state: RoomState) -> None:
        self._state = state
        self._acts = asyncio.Lock()
        self._history: RevisionHistory | None = None

    async def revise(self, act: ClerkAct) -> Done:
        """Write one act. `HearingError` codes: `no-hearing`, `not-found`, `conflict`, `signed`."""
        async with self._acts:
            history = await self._poll()
            known = history.known(act.id)
            return _done(history, known.event) if known else await self._write(history, act)

    async def voice(self, name: str, tab: str, clerk: str, line: str, role: str, *, reopen: bool = False) -> Done:
        """`role` speaks with the voice of `line`: it and every untouched line of that voice, and all that is to come.

        Where the voices of a seat are not told apart, its untouched lines from this one on.
        """
        async with self._acts:
            history = await self._poll()
            known = history.known(name)
            if known is not None:
                return _done(history, known.event)
            said = _line(history, line)
            lines = history.transcript.lines
            past = lines if said.voice else lines[lines.index(said) :]
            same = [
                one
                for one in past
                if (one.seat, one.voice, one.source, one.gone) == (said.seat, said.voice, "speech", "")
                if not one.touched and one.role != role and one is not said
            ]
            changes: list[LineChange] = [
                {"line": one.id, "base": one.revision, "set": {"role": role}} for one in (said, *same)
            ]
            voice: NamedVoice = {"seat": said.seat, "voice": said.voice, "role": role}
            left = max(len(changes) - MAX_VOICE_LINES, 0)
            reason = f"一次最多更改 {MAX_VOICE_LINES} 行，其余 {left} 行未更改" if left else ""
            act = ClerkAct(name, "voice", changes[:MAX_VOICE_LINES], tab, clerk, reason, voice=voice, reopen=reopen)
            return await self._write(history, act)

    async def undo(self, name: str, tab: str, clerk: str, revision: str = "", *, reopen: bool = False) -> Done:
        """Take back the act `revision`, or the last one of `tab`. Also `nothing-to-undo`."""
        async with self._acts:
            history = await self._poll()
            known = history.known(name)
            if known is not None:
                return _done(history, known.event)
            written = history.known(revision) if revision else history.last_of(tab)
            if written is None:
                raise HearingError("没有可以撤销的修改 (there is nothing to undo)", code="nothing-to-undo")
            if not history.may_undo(written):
                raise _conflict(history, written.event.body["changes"])
            changes, voice = history.inverse(written)
            act = ClerkAct(name, "undo", changes, tab, clerk, undoes=written.id, voice=voice, reopen=reopen)
            return await self._write(history, act)

    async def _write(self, history: RevisionHistory, act: ClerkAct) -> Done:
        hearing = self._hearing()
        if len(json.dumps(act.body(act.changes))) > MAX_ACT_BYTES:
            raise HearingError(
                "一次修改的内容太多，请分几次修改 (too much for one act; do it in parts)", code="invalid"
            )
        for change in act.changes:
            if "line" in change:
                _check_times(_line(history, str(change["line"])), change.get("set", {}))
        self._check_signed(history, hearing, act)
        for attempt in ("", "/again"):  # the corrector writes from a process of its own and may be quicker
            changes = history.rebased(act.changes)
            if not history.transcript.counts(CLERK, changes):
                break
            key = f"revision/{hearing.id}/{act.id}{attempt}"
            event = await self._state.append("revision", act.body(changes), hearing=hearing.id, key=key)
            await self._poll()
            known = history.known(act.id)
            if known is not None and known.event.number == event.number:
                return _done(history, event)
        raise _conflict(history, act.changes)

    def _check_signed(self, history: RevisionHistory, hearing: Hearing, act: ClerkAct) -> None:
        version = hearing.signing.version
        if version is None or act.reopen or not hearing.signing.signed:
            return
        if words_sha256(hearing.id, words_of(history.transcript.lines)) == version.sha256:
            raise ConflictError(
                "笔录已有人签名；确需修改请重新打开，修改后须重新签名"
                " (somebody has signed these words; reopen the transcript to change them, then have it signed again)",
                _named(history, act.changes),
                code="signed",
            )

    async def _poll(self) -> RevisionHistory:
        """The history of the hearing that was opened last, up to the end of the log."""
        hearing = self._hearing()
        history = self._history
        log = self._state.log
        if history is None or history.hearing != hearing.id:
            history = RevisionHistory(hearing.id)
            for event in await asyncio.to_thread(log.of_hearing, hearing.id, WORDS, mark=True):
                history.take(event)
            self._history = history
        while events := await asyncio.to_thread(log.since, history.last, mark=True):
            for event in events:
                history.take(event)
        return history

    def _hearing(self) -> Hearing:
        hearing = self._state.hearing
        if hearing is None:
            raise HearingError("还没有开过庭 (there has been no hearing yet)", code="no-hearing")
        return hearing


def _line(history: RevisionHistory, name: str) -> Utterance:
    line = history.line(name)
    if line is None:
        raise HearingError("笔录中没有这一行 (the transcript has no such line)", code="not-found")
    return line


def _check_times(line: Utterance, values: Mapping[str, Any]) -> None:
    if not values.keys() & {"start_ns", "end_ns"}:
        return
    if int(values.get("end_ns", line.end_ns)) < int(values.get("start_ns", line.start_ns)):
        raise HearingError("一行的结束不能早于开始 (a line ends after it begins)", code="invalid")


def _named(history: RevisionHistory, changes: Sequence[LineChange]) -> list[Utterance]:
    names = [str(change["new"]["id"] if "new" in change else change["line"]) for change in changes]
    return [line for name in dict.fromkeys(names) if (line := history.line(name)) is not None]


def _done(history: RevisionHistory, event: Event) -> Done:
    return Done(event, _named(history, event.body["changes"]))


def _conflict(history: RevisionHistory, changes: Sequence[LineChange]) -> ConflictError:
    return ConflictError(
        "这一行已被别处修改，请选择保留哪一个 (the line was changed elsewhere; choose what to keep)",
        _named(history, changes),
    )
