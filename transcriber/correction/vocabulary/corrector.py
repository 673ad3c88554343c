"""The corrector: words that sound like a term of the court or a name of the case, and are written as something else.

Promises: a change puts characters that sound alike in the place of as many others, into a name of several parts the
dots that the docket gives it, or the docket's own character in the place of what simplifying the script made of it
(张干 where the docket says 张乾), and nothing else; each names its reason and how sure it is; what is sure enough is to
be applied, what is likely is to be proposed, the rest is let be. Text without a term near it is never changed, and what
was corrected once is not corrected again.

It is a decoder: of all ways to read the syllables as ordinary words and terms it takes the most probable one. A changed
character costs by the distance of its sound and by how sure the engine was of it; see docs/words.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sync.text.equal import DOT, DOTS
from transcriber.correction.numbers.numerals import PLAIN
from transcriber.correction.vocabulary import ordinary
from transcriber.correction.vocabulary.index import Match, SoundIndex
from transcriber.correction.vocabulary.lexicon import Term, ideographs, is_ideograph
from transcriber.recognition.text.script import in_simplified_alone

APPLY, PROPOSE = 0.9, 0.5
"""The least confidence with which a change is made, and with which the clerk is asked."""
_COURT_SHARE, _CASE_SHARE = 0.35, 0.25
"""How much of what is said in court are its terms, and how much names of the case."""
_CHANGED, _CHANGED_SURE = 0.8, 2.2
"""What a changed character costs (nats), and how much more where the engine was sure of it."""
_APART = 6.0
"""What a distance of 1.0 in sound costs."""
_WHOLE_CLAUSE = 1.5
"""What a term gains that is all that was said between two pauses."""
_OTHER_BRANCH = 3.0
"""What a term costs that belongs to another branch of law than the case."""
_BRANCHES = frozenset({"民事", "刑事", "行政"})
_OVER_COMMA = 1.5
"""What it costs that the engine heard a comma inside of the term."""
_NO_ANCHOR = {2: 4.5, 3: 2.5}
"""What it costs that no character of a short term is as the engine wrote it: names and rare words look like that."""
_SHORT = {2: 1.5, 3: 0.5}
"""What a changed short term costs besides: short terms sound like much else."""
_UNSURE = 0.7
"""The probability of a character of which the engine says nothing."""
_ALIKE, _ASKED_AT_MOST = 0.17, 0.85
"""Up to this distance two syllables sound the same, but for the tone; the confidence of what is proposed at most."""
_LONG = 5
"""Syllables from which on a term is no chance."""
_COMMON_WORD, _COMMON_CHARACTER = math.log(6e-6), math.log(3e-4)
"""From which probability on a word, or a single character, is what anybody may have said."""
_SCALE, _MIDDLE = 0.8, 1.5
_SOFT = frozenset("，、：")
_ONLY_DOTS = 0.99
"""How sure it is that a name whose every character was heard is that name."""


@dataclass(frozen=True, slots=True)
class Change:
    """What should stand at a place; positions count the characters of the text."""

    at: int
    old: str
    new: str
    why: str
    confidence: float

    @property
    def applies(self) -> bool:
        """Whether it is sure enough to be made."""
        return self.confidence >= APPLY


@dataclass(frozen=True, slots=True)
class _PathStep:
    """A stretch of characters read as a word or as a term."""

    first: int
    last: int
    match: Match | None = None
    changed: tuple[int, ...] = ()


@dataclass(slots=True)
class _HeardText:
    """The Chinese characters of a text, where they stand, and how sure the engine was of each."""

    characters: list[str]
    places: list[int]
    sure: list[float]
    after: list[int]
    """What is before each character: 0 nothing, 1 a comma, 2 the end of a sentence or other letters."""


class Corrector:
    """Corrects the lines of one hearing. Building it takes a moment; safe to use from several threads."""

    def __init__(self, terms: Iterable[Term], *, branch: str = "") -> None:
        """`branch`: 民事, 刑事 or 行政; terms of the sections with the other two names are less likely."""
        self._other = _BRANCHES - {branch} if branch else frozenset[str]()
        terms = list(terms)
        self._index = SoundIndex(terms)
        self._simplified = _simplified(terms)
        self._ordinary = ordinary.log_probabilities()
        known = self._index.written.values()
        of_case = sum(t.of_case for t in known)
        self._court = math.log(_COURT_SHARE / max(len(known) - of_case, 1))
        self._case = math.log(_CASE_SHARE / max(of_case, 1))
        self._rest = math.log(1 - _COURT_SHARE - _CASE_SHARE)

    def changes(self, text: str, probabilities: Sequence[tuple[str, float]] = ()) -> list[Change]:
        """What to change in `text`, in its order.

        `probabilities`: the engine's words with their probabilities; joined they are `text`, else they do not count.
        """
        of_script = self._of_script(text)
        taken = {i for change in of_script for i in range(change.at, change.at + len(change.old))}
        by_sound = self._by_sound(text, probabilities)
        found = [c for c in by_sound if taken.isdisjoint(range(c.at, c.at + len(c.old)))]
        return sorted([*of_script, *found], key=lambda change: change.at)

    def _of_script(self, text: str) -> list[Change]:
        """What the docket or a term writes with a character that simplifying took for a traditional one.

        The clerk is asked where an ordinary word lies across its edge, or is written like it: 紧张干不了 may say
        nothing of 张乾, and 征文 nothing of 徵文.
        """
        found: list[Change] = []
        for written, term in self._simplified.items():
            at = text.find(written)
            while at >= 0:
                end = at + len(written)
                free = all(at >= c.at + len(c.old) or end <= c.at for c in found)
                if free and not self._in_other_term(text, at, end):
                    doubted = written in self._ordinary or self._straddled(text, at, end)
                    confidence = _ASKED_AT_MOST if doubted else 1.0
                    found.append(Change(at, written, term.text, f"字形，{term.kind}「{term.text}」", confidence))
                at = text.find(written, end)
        return found

    def _straddled(self, text: str, at: int, end: int) -> bool:
        """Whether an ordinary word lies across an edge of a stretch."""
        return any(
            text[first:last] in self._ordinary
            for edge in (at, end)
            for first in range(max(edge - ordinary.LONGEST + 1, 0), edge)
            for last in range(edge + 1, min(first + ordinary.LONGEST, len(text)) + 1)
        )

    def _in_other_term(self, text: str, at: int, end: int) -> bool:
        """Whether a stretch is a part of a longer term that stands there as it should: 张干 of 张干才."""
        written = text[at:end]
        return any(
            text.startswith(longer, at - inside)
            for longer in self._index.written
            if len(longer) > len(written) and (inside := longer.find(written)) >= 0 and at >= inside
        )

    def _by_sound(self, text: str, probabilities: Sequence[tuple[str, float]]) -> list[Change]:
        heard = _listen(text, probabilities)
        matches = self._matches(heard)
        best, path = self._decode(heard, matches, frozenset())
        found = []
        for step in path:
            if step.match is None:
                continue
            if not step.changed:
                found += _dotted(text, heard, step, step.match, _ONLY_DOTS)
                continue
            other, as_heard = self._decode(heard, matches, frozenset(step.changed))
            confidence = 1 / (1 + math.exp(-(best - other - _MIDDLE) / _SCALE))
            if self._daring(heard, step, step.match, as_heard):
                confidence = min(confidence, _ASKED_AT_MOST)
            if confidence >= PROPOSE:
                found += _spelled(text, heard, step, step.match, round(confidence, 3))
        return found

    def _daring(self, heard: _HeardText, step: _PathStep, match: Match, as_heard: list[_PathStep]) -> bool:
        """Whether the clerk must be asked, however probable it is.

        So it is with a short term that only sounds alike, with one that would replace another term (陈述属实), and with
        one that would replace a common word, unless it is all that was said between two pauses: 这样做没有意义 may be
        meant so.
        """
        size = len(match.written)
        if size >= _LONG:
            return False
        only_alike = max(match.apart[i - step.first] for i in step.changed) > _ALIKE
        if only_alike and (size == 2 or (size == 3 and match.term.of_case)):
            return True
        # A little word is hardly misheard as one that sounds otherwise, and no numeral: 证据与本案, 证据以原件为准.
        counted = any(match.written[i - step.first] in PLAIN for i in step.changed)
        little = size == 2 or (size == 3 and (only_alike or counted))
        replaced = [other for other in as_heard if any(other.first <= i < other.last for i in step.changed)]
        if any(other.match is not None and not other.changed for other in replaced):
            return True
        return not self._alone(heard, step) and all(
            other.match is None and self._common("".join(heard.characters[other.first : other.last]), short=little)
            for other in replaced
        )

    def _common(self, word: str, *, short: bool) -> bool:
        known = self._ordinary.get(word, ordinary.UNKNOWN)
        return known > (_COMMON_WORD if len(word) > 1 else _COMMON_CHARACTER if short else 0.0)

    @staticmethod
    def _alone(heard: _HeardText, step: _PathStep) -> bool:
        """Whether a stretch is all that was said between two pauses."""
        ends = step.last == len(heard.characters) or heard.after[step.last]
        return bool(heard.after[step.first] and ends)

    def _matches(self, heard: _HeardText) -> list[list[_PathStep]]:
        """Find the terms that could begin at each character."""
        out: list[list[_PathStep]] = []
        for first in range(len(heard.characters)):
            steps = []
            for match in self._index.near(heard.characters, first):
                last = first + len(match.written)
                if 2 not in heard.after[first + 1 : last]:
                    changed = tuple(i for i in range(first, last) if heard.characters[i] != match.written[i - first])
                    steps.append(_PathStep(first, last, match, changed))
            out.append(steps)
        return out

    def _decode(
        self, heard: _HeardText, matches: list[list[_PathStep]], kept: frozenset[int]
    ) -> tuple[float, list[_PathStep]]:
        """Find the best reading in which the characters at `kept` stay what they are."""
        count = len(heard.characters)
        best: list[tuple[float, _PathStep | None]] = [(-math.inf, None)] * (count + 1)
        best[0] = (0.0, None)
        for first in range(count):
            so_far = best[first][0]
            for step, gain in self._steps(heard, matches, first):
                if so_far + gain > best[step.last][0] and kept.isdisjoint(step.changed):
                    best[step.last] = (so_far + gain, step)
        path: list[_PathStep] = []
        at = count
        while at > 0:
            step_back = best[at][1]
            assert step_back is not None  # every character can be read by itself
            path.append(step_back)
            at = step_back.first
        return best[count][0], path[::-1]

    def _steps(
        self, heard: _HeardText, matches: list[list[_PathStep]], first: int
    ) -> Iterable[tuple[_PathStep, float]]:
        yield _PathStep(first, first + 1), self._rest + self._ordinary.get(heard.characters[first], ordinary.UNKNOWN)
        word = heard.characters[first]
        for last in range(first + 2, min(first + ordinary.LONGEST, len(heard.characters)) + 1):
            if heard.after[last - 1]:
                break
            word += heard.characters[last - 1]
            known = self._ordinary.get(word)
            if known is not None:
                yield _PathStep(first, last), self._rest + known
        for step in matches[first]:
            yield step, self._gain(heard, step)

    def _gain(self, heard: _HeardText, step: _PathStep) -> float:
        match = step.match
        assert match is not None
        gain = self._case if match.term.of_case else self._court
        if match.term.kind in self._other and not match.term.of_case:
            gain -= _OTHER_BRANCH
        known = self._ordinary.get(match.written)
        if known is not None:
            gain = max(gain, self._rest + known)
        if step.changed:
            size = len(match.written)
            gain -= _SHORT.get(size, 0.0) + (_NO_ANCHOR.get(size, 1.0) if len(step.changed) == size else 0.0)
        gain -= _OVER_COMMA * sum(1 for i in range(step.first + 1, step.last) if heard.after[i])
        for i in step.changed:
            gain -= _CHANGED + _CHANGED_SURE * heard.sure[i] ** 2 + _APART * match.apart[i - step.first]
        if self._alone(heard, step):
            gain += _WHOLE_CLAUSE
        return gain


def _simplified(terms: Sequence[Term]) -> dict[str, Term]:
    """Terms by what OpenCC makes of them, where that is another text and no term itself; the longest first."""
    known = {term.text for term in terms}
    changed = {written: t for t in terms if (written := in_simplified_alone(t.text)) != t.text and written not in known}
    return dict(sorted(changed.items(), key=lambda one: -len(one[0])))


def _listen(text: str, probabilities: Sequence[tuple[str, float]]) -> _HeardText:
    sure = [_UNSURE] * len(text)
    if "".join(word for word, _ in probabilities) == text:
        sure = [p for word, p in probabilities for _ in word]
    heard = _HeardText([], [], [], [])
    before = 2
    for place, character in enumerate(text):
        if is_ideograph(character):
            heard.characters.append(character)
            heard.places.append(place)
            heard.sure.append(sure[place])
            heard.after.append(before)
            before = 0
        elif character not in DOTS:
            before = max(before, 1 if character in _SOFT else 2)
    return heard


def _dotted(text: str, heard: _HeardText, step: _PathStep, match: Match, confidence: float) -> list[Change]:
    """Write a name of several parts as the docket has it, whatever stands between the parts in `text`."""
    if DOT not in match.term.text:
        return []
    behind = _dots_behind(match.term.text)
    new = ""
    for i in range(step.first, step.last):
        between = text[heard.places[i] + 1 : heard.places[i + 1]] if i + 1 < step.last else ""
        new += match.written[i - step.first] + (DOT if i - step.first in behind else between)
    first, last = heard.places[step.first], heard.places[step.last - 1] + 1
    old = text[first:last]
    why = f"{match.term.kind}「{match.term.text}」"
    return [Change(first, old, new, why, confidence)] if new != old else []


def _dots_behind(written: str) -> set[int]:
    """Behind which of its ideographs, counted from 0, a term has a dot."""
    return {len(ideographs(written[:place])) - 1 for place, c in enumerate(written) if c == DOT}


def _spelled(text: str, heard: _HeardText, step: _PathStep, match: Match, confidence: float) -> list[Change]:
    """Make one change of each run of characters that is another now; of all the term where dots belong into it."""
    if dotted := _dotted(text, heard, step, match, confidence):
        return dotted
    out = []
    for _, run in groupby(enumerate(step.changed), key=lambda pair: pair[1] - pair[0]):
        places = [i for _, i in run]
        first, last = heard.places[places[0]], heard.places[places[-1]] + 1
        new = list(text[first:last])
        for i in places:
            new[heard.places[i] - first] = match.written[i - step.first]
        alike = max(match.apart[i - step.first] for i in places) < _ALIKE
        sound = "同音" if alike else "近音"
        out.append(
            Change(
                first, text[first:last], "".join(new), f"{sound}，{match.term.kind}「{match.term.text}」", confidence
            )
        )
    return out


def applied(text: str, changes: Iterable[Change]) -> str:
    """Return `text` with the changes made."""
    for change in changes:
        text = text[: change.at] + change.new + text[change.at + len(change.old) :]
    return text
