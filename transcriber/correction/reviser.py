"""The reviser: after each utterance, what vocabulary and corrector know better, as a visible revision.

Promises: the utterance itself never changes; what is corrected or proposed is one event `revision` by `corrector` with
its reasons, right behind it, at most one for each utterance over all restarts; a line that a clerk has touched is left
alone, also when that happened a moment ago. Without a change there is no event. Whatever goes wrong here, the words
stand: a defect over one utterance costs its revision and nothing else, and is logged. A line that says why there are no
words is no text to correct, and words that are all in doubt keep their form, so that they stay underlined. A revision
that the disk refuses is said again for eight seconds, then given up until the next start, which looks at a hearing's
last utterances again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog

from hardware.speech_settings import Transcriber
from sync.errors import LedgerError, StorageError
from sync.record.bodies.words import LineChange, LineProposal, RevisionBody, UtteranceBody
from sync.record.event import Event
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from transcriber.correction.numbers.forms import Form, Rewritten, in_form, rewrite
from transcriber.correction.vocabulary.case import Vocabulary
from transcriber.correction.vocabulary.corrector import Change, Corrector, applied
from transcriber.correction.vocabulary.lexicon import Term, read
from transcriber.defects import DEFECTS
from transcriber.recognition.recognizer import DOUBTED_PROBABILITY
from transcriber.unheard import LINES

log = structlog.get_logger(__name__)

_RETRY_S = 1.0
_TRIES = 8
"""Of writing one revision, when the disk refuses it (a second apart) or others write at the same time."""
_LOOK_BACK = 8
"""Utterances at the end of a hearing that are looked at after a restart: words come one after the other, so at most the
last one was left without its revision."""


@dataclass(frozen=True, slots=True)
class Revised:
    """What a line should be: its text with the reasons, and what the clerk is asked."""

    text: str
    reasons: tuple[str, ...]
    proposals: tuple[LineProposal, ...]


def revised(
    corrector: Corrector,
    text: str,
    words: list[tuple[str, float]],
    *,
    numbers: Form | None = None,
    apply: bool = True,
) -> Revised:
    """Correct one line and bring its numbers into the wanted form; without `apply` corrections are only proposed."""
    changes = corrector.changes(text, words)
    made = [c for c in changes if c.applies and apply]
    asked = [c for c in changes if c not in made]
    corrected = applied(text, made)
    numerals = rewrite(corrected, numbers) if numbers is not None else []
    reasons = [f"{c.old}→{c.new}：{c.why}" for c in made] + [f"{r.old}→{r.new}：{r.why}的写法" for r in numerals]
    return Revised(
        text=in_form(corrected, numbers) if numbers is not None else corrected,
        reasons=tuple(dict.fromkeys(reasons)),
        proposals=tuple(p for c in asked if (p := _proposal(c, numerals)) is not None),
    )


def _proposal(change: Change, numerals: list[Rewritten]) -> LineProposal | None:
    """Place the change in the text whose numbers were rewritten; None where it would touch one of those numbers."""
    end = change.at + len(change.old)
    if any(change.at < r.at + len(r.old) and r.at < end for r in numerals):
        return None
    at = change.at + sum(len(r.new) - len(r.old) for r in numerals if r.at < change.at)
    return {
        "at": at,
        "length": len(change.old),
        "from": change.old,
        "to": change.new,
        "why": change.why,
        "confidence": change.confidence,
    }


class Reviser:
    """Looks at each utterance once. All methods belong to one event loop."""

    def __init__(self, *, settings: Transcriber, room_log: RoomLog, clock: RoomClock, feed: FeedServer) -> None:
        """Raises `ConfigError` for a file of terms that cannot be read."""
        self._settings = settings
        self._log = room_log
        self._clock = clock
        self._feed = feed
        self._extra: list[Term] = read(settings.terms) if settings.terms is not None else []
        self._correctors: dict[str, tuple[Vocabulary, Corrector]] = {}

    async def prepare(self) -> None:
        """Load what all hearings share, so that the first revision comes as quickly as the others. `ConfigError`."""
        if self._settings.corrections == "off":
            return
        try:
            await asyncio.to_thread(self._make, {})
        except DEFECTS as error:
            log.error("corrector_not_prepared", why=repr(error))

    async def bias(self, hearing: str) -> str:
        """Return what the engine is told before a turn: names of the case, where the profile wants it, else nothing."""
        if not self._settings.prompt:
            return ""
        try:
            return (await self._of(hearing))[0].bias
        except StorageError:
            return ""  # the log is read again for the next turn
        except DEFECTS as error:
            log.error("no_bias", why=repr(error))
            return ""

    async def echoed(self, hearing: str, text: str) -> bool:
        """Whether the engine only says back what it was told."""
        try:
            return (await self._of(hearing))[0].echoed(text)
        except StorageError:
            return False  # without the case nothing was told to the engine
        except DEFECTS as error:
            log.error("echo_not_judged", why=repr(error))
            return False

    async def after(self, hearing: str, event: Event) -> None:
        """Revise the `utterance` that was just written, or let it be. Raises nothing."""
        if event.kind != "utterance" or self._settings.corrections == "off" or event.body["text"] in LINES:
            return
        try:
            revision = await self._revision(hearing, event)
            if revision is not None:
                await self._write(hearing, event, revision)
        except StorageError as error:
            log.error("not_revised", utterance=event.body.get("id"), why=error.message)
        except DEFECTS as error:
            log.error("not_revised", utterance=event.body.get("id"), why=repr(error))

    async def _revision(self, hearing: str, event: Event) -> RevisionBody | None:
        _, corrector = await self._of(hearing)
        body = cast(UtteranceBody, event.body)
        words = [(str(w["text"]), float(w["probability"])) for w in body.get("words") or ()]
        sure = body.get("confidence")
        in_doubt = sure is not None and sure <= DOUBTED_PROBABILITY
        form = None if self._settings.numbers == "as-heard" or in_doubt else self._settings.numbers
        apply = self._settings.corrections == "apply" and not in_doubt
        found = await asyncio.to_thread(revised, corrector, str(body["text"]), words, numbers=form, apply=apply)
        return _revision(event, found)

    async def catch_up(self, hearing: str) -> None:
        """Look, after a restart, at the last utterances of a hearing that have no revision yet."""
        try:
            said = (await asyncio.to_thread(self._log.of_hearing, hearing, ("utterance",)))[-_LOOK_BACK:]
            done = await asyncio.to_thread(self._log.keys, "correct:")
        except StorageError as error:
            log.error("not_caught_up", hearing=hearing, why=error.message)
            return
        for event in said:
            if _key(event) not in done:
                await self.after(hearing, event)

    async def _of(self, hearing: str) -> tuple[Vocabulary, Corrector]:
        found = self._correctors.get(hearing)
        if found is None:
            found = await asyncio.to_thread(self._build, hearing)
            self._correctors = {hearing: found}  # one hearing is in work; the next one begins anew
        return found

    def _build(self, hearing: str) -> tuple[Vocabulary, Corrector]:
        """Raises `StorageError` when the log cannot be read."""
        opened = self._log.of_hearing(hearing, ("open",))
        case = opened[0].body.get("case") if opened else None
        return self._make(case if isinstance(case, Mapping) else {})

    def _make(self, case: Mapping[str, Any]) -> tuple[Vocabulary, Corrector]:
        vocabulary = Vocabulary.of_case(case, self._extra)
        return vocabulary, Corrector(vocabulary.terms, branch=vocabulary.branch)

    async def _write(self, hearing: str, said: Event, revision: RevisionBody) -> None:
        """Raises `StorageError` when the log cannot be read meanwhile, or refuses the event `_TRIES` times."""
        last = said.number
        for left in reversed(range(_TRIES)):
            try:
                event = await asyncio.to_thread(
                    self._log.append,
                    "revision",
                    revision,
                    hearing=hearing,
                    room_ns=self._clock.now_ns(),
                    utc_ns=self._clock.utc_now_ns(),
                    key=_key(said),
                    after=last,
                )
            except LedgerError:
                later = [e for e in await asyncio.to_thread(self._log.since, said.number) if e.hearing == hearing]
                if any(_names(e, str(said.body["id"])) for e in later):
                    return  # the clerk was quicker
                last = later[-1].number if later else last
            except StorageError as error:
                if not left:
                    raise
                log.warning("revision_waits", why=error.message, tries_left=left)
                await asyncio.sleep(_RETRY_S)
            else:
                self._feed.publish_json("log", {"number": event.number})
                return
        log.warning("not_revised", utterance=said.body["id"], why="others went on writing")


def _key(said: Event) -> str:
    return f"correct:{said.body['id']}"


def _names(event: Event, line: str) -> bool:
    changes = event.body.get("changes") if event.kind == "revision" else None
    return any(c.get("line") == line for c in changes or () if isinstance(c, Mapping))


def _revision(said: Event, found: Revised) -> RevisionBody | None:
    line: LineChange = {"line": str(said.body["id"]), "base": said.number}
    changes: list[LineChange] = []
    if found.text != said.body["text"]:
        changes.append({**line, "set": {"text": found.text}})
    if found.proposals:
        changes.append({**line, "propose": list(found.proposals)})  # after the text: they are places in the new one
    if not changes:
        return None
    return {
        "id": _key(said),
        "act": "correct" if "set" in changes[0] else "propose",
        "by": "corrector",
        "tab": "",
        "name": "",
        "reason": "；".join(found.reasons),
        "changes": changes,
    }
