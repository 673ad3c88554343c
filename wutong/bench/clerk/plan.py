"""What a clerk must change so that the lines say what the reference says, and what typing costs.

Promises: only words are corrected, as `wutong.bench.captions.character_errors.alike` compares them; punctuation and the
form of numbers stay as they are. A character belongs on the line of its seat where the text around it is.

Typing is counted as with an input method for full pinyin: the letters of each syllable, and one key that selects the
characters for each run that is typed. A single wrong character is typed together with a neighbor, because a lone
syllable has too many candidates. Typing everything is counted in the clauses between punctuation marks, without any
key for the marks themselves, for new lines or for who speaks: in favor of the keyboard.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pypinyin import lazy_pinyin
from rapidfuzz.distance import Levenshtein

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import alike


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line of the transcript as it stands; times in seconds of the recording."""

    id: str
    channel: int
    role: str
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class TextRun:
    """Some characters of a line that are to be others; `at` counts characters of the line as it stands."""

    at: int
    old: str
    new: str


@dataclass(slots=True)
class Work:
    """What is to be done to one line; nothing when it is empty."""

    line: PlannedLine
    runs: list[TextRun] = field(default_factory=list)
    role: str = ""
    """Who really speaks, where it is another one."""
    strike: bool = False

    def __bool__(self) -> bool:
        return bool(self.runs or self.role or self.strike)


@dataclass(frozen=True, slots=True)
class MissingLine:
    """What was said and stands nowhere: a line to insert after the line `after` ("": at the beginning)."""

    said: Said
    after: str


def plan(said: Sequence[Said], lines: Sequence[PlannedLine]) -> tuple[list[Work], list[MissingLine]]:
    """(the work on each line that needs any, in the order of reading; the lines to insert)."""
    work: dict[str, Work] = {}
    missing: list[MissingLine] = []
    ordered = sorted(lines, key=lambda line: line.start_s)
    for channel in sorted({s.channel for s in said} | {line.channel for line in ordered}):
        ours = [line for line in ordered if line.channel == channel]
        spoken = sorted((s for s in said if s.channel == channel), key=lambda s: s.start)
        wanted, nowhere = _lay(spoken, ours)
        for line in ours:
            work[line.id] = _line(line, wanted.get(line.id, []))
        for one in nowhere:
            before = [line.id for line in ordered if line.start_s < one.start]
            missing.append(MissingLine(one, before[-1] if before else ""))
    return [w for line in ordered if (w := work[line.id])], sorted(missing, key=lambda m: m.said.start)


def _lay(spoken: Sequence[Said], lines: Sequence[PlannedLine]) -> tuple[dict[str, list[tuple[str, Said]]], list[Said]]:
    """(line -> the characters that belong on it, and of whom; what belongs on none)."""
    reference = [(c, one) for one in spoken for c in _letters(one.text)]
    heard = [(c, line.id) for line in lines for c in _letters(line.text)]
    place: dict[int, str] = {}
    for op in Levenshtein.opcodes("".join(c for c, _ in reference), "".join(c for c, _ in heard)):
        if op.tag in {"equal", "replace"}:
            for i, j in zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True):
                place[i] = heard[j][1]
    wanted: dict[str, list[tuple[str, Said]]] = {}
    nowhere: list[Said] = []
    for i, (c, one) in enumerate(reference):
        own = [k for k in place if reference[k][1] is one]
        if not own:
            if one not in nowhere:
                nowhere.append(one)
            continue
        nearest = place[min(own, key=lambda k: (abs(k - i), k))]
        wanted.setdefault(nearest, []).append((c, one))
    return wanted, nowhere


def _line(line: PlannedLine, wanted: Sequence[tuple[str, Said]]) -> Work:
    work = Work(line)
    if not wanted:
        work.strike = bool(_letters(line.text))
        return work
    [(role, _)] = Counter(one.role for _, one in wanted).most_common(1)
    work.role = role if role != line.role else ""
    runs = _runs(line.text, "".join(c for c, _ in wanted))
    all_done = alike(applied(line.text, runs))
    for run in list(runs):
        rest = [r for r in runs if r is not run]
        if alike(applied(line.text, rest)) == all_done:
            runs = rest  # another form of the same: 30万, 三十万
    work.runs = runs
    return work


def _runs(text: str, wanted: str) -> list[TextRun]:
    places = [i for i, c in enumerate(text) if _letters(c)]
    heard = "".join(text[i] for i in places)
    groups: list[list[int]] = []  # [wanted from, to, heard from, to)
    for op in Levenshtein.opcodes(wanted, heard):
        if op.tag == "equal":
            continue
        if groups and groups[-1][1] == op.src_start and groups[-1][3] == op.dest_start:
            groups[-1][1], groups[-1][3] = op.src_end, op.dest_end
        else:
            groups.append([op.src_start, op.src_end, op.dest_start, op.dest_end])
    runs = []
    for a, b, c, d in groups:
        if b - a == 1:  # a lone syllable is typed with a neighbor, where one stands right beside it
            if d < len(places) and (d == c or places[d] == places[d - 1] + 1):
                b, d = b + 1, d + 1
            elif c > 0 and (d == c or places[c - 1] == places[c] - 1):
                a, c = a - 1, c - 1
        first = places[c] if c < d else (places[c - 1] + 1 if c else 0)
        last = places[d - 1] + 1 if d > c else first
        runs.append(TextRun(first, text[first:last], wanted[a:b]))
    return _apart(runs)


def _apart(runs: Sequence[TextRun]) -> list[TextRun]:
    """Runs that a neighbor made touch or overlap become one."""
    out: list[TextRun] = []
    for run in runs:
        before = out[-1] if out else None
        if before is not None and run.at < before.at + len(before.old):
            shared = before.at + len(before.old) - run.at
            out[-1] = TextRun(before.at, before.old + run.old[shared:], before.new + run.new[shared:])
        else:
            out.append(run)
    return out


def applied(text: str, runs: Sequence[TextRun]) -> str:
    """The text with all runs replaced."""
    for run in sorted(runs, key=lambda r: -r.at):
        text = text[: run.at] + run.new + text[run.at + len(run.old) :]
    return text


def _letters(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


def letters_of(run: str) -> list[str]:
    """The keys for a run of characters: its pinyin, letter by letter; other characters stand for themselves."""
    return list("".join(lazy_pinyin(run)))


def keys_of(run: str) -> int:
    """Letters and one key to select."""
    return len(letters_of(run)) + 1 if run else 0


def typing_everything(said: Sequence[Said]) -> int:
    """Keys to type all of the reference's words, clause by clause."""
    return sum(keys_of(clause) for one in said for clause in re.split(r"[^\w]+", one.text) if clause)
