"""What an inspector asks an archive, kind by kind; each is one that somebody would ask."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from server.store.archive.filters import HearingFilter, WordFilter
from sync.runtime.units import NS_PER_S
from wutong.bench.archive.made_hearings import CAUSES, COURTS, EPOCH_NS, ROOMS_A_COURT, STEP_NS, MadeHearings

DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """A list of hearings; `pages` behind the first are asked for as well."""

    wanted: HearingFilter
    pages: int = 0


@dataclass(frozen=True, slots=True)
class WordQuestion:
    """A search for words."""

    words: str
    wanted: WordFilter
    pages: int = 0


Question = ListQuestion | WordQuestion


def questions(made: MadeHearings, hearings: int, asks: int) -> dict[str, list[Question]]:
    """`asks` questions of each kind for an archive of so many hearings; the same ones at each run."""
    chance = random.Random(36)  # noqa: S311 (the same at each run)
    days = _Days(hearings)

    def court() -> str:
        return f"court{chance.randrange(COURTS):03}"

    def number() -> int:
        return chance.randrange(hearings)

    def case_number() -> str:
        (rows,) = made.pieces(one := number(), one + 1, 1)
        return str(rows.hearings[0]["case_no"])

    def name(characters: int) -> str:
        while len(one := made.people_of(number())[0]) != characters:
            pass
        return one

    def room() -> str:
        return f"{court()}/r{chance.randrange(ROOMS_A_COURT):02}"

    def span(most: int) -> tuple[str, str]:
        return days.span(chance, most)

    def lists(*wanted: HearingFilter, pages: int = 0) -> list[Question]:
        return [ListQuestion(one, pages) for one in wanted]

    def words(*asked: tuple[str, WordFilter], pages: int = 0) -> list[Question]:
        return [WordQuestion(text, wanted, pages) for text, wanted in asked]

    times = range(asks)
    plain = WordFilter()
    frequent = ("原告", "被告", "证据", "借款", "陈述", "主张", "本院", "万元")
    return {
        "list, first page": lists(*(HearingFilter() for _ in times)),
        "list, next 20 pages": lists(HearingFilter(), pages=20),
        "list, a day": lists(*(HearingFilter(from_date=day, to_date=day) for day, _ in (span(1) for _ in times))),
        "list, a span of days": lists(*(HearingFilter(from_date=a, to_date=b) for a, b in (span(400) for _ in times))),
        "list, a court": lists(*(HearingFilter(court=court()) for _ in times)),
        "list, a room": lists(*(HearingFilter(room=room()) for _ in times)),
        "list, running": lists(*(HearingFilter(state="open") for _ in times)),
        "list, a case number": lists(*(HearingFilter(case=case_number()) for _ in times)),
        "list, part of a case number": lists(*(HearingFilter(case=case_number()[6:-1]) for _ in times)),
        "list, a party of 2 characters": lists(*(HearingFilter(case=name(2)) for _ in times)),
        "list, a party of 3 characters": lists(*(HearingFilter(case=name(3)) for _ in times)),
        "list, a frequent cause": lists(*(HearingFilter(case=one[:4]) for one in _taken(CAUSES[:4], asks)), pages=2),
        "list, a rare cause": lists(*(HearingFilter(case=one) for one in _taken(CAUSES[-4:], asks))),
        "list, restricted": lists(*(HearingFilter(level="restricted") for _ in times)),
        "list, withdrawn": lists(*(HearingFilter(level="withdrawn") for _ in times)),
        "list, court, days, cause, level": lists(
            *(
                HearingFilter(court=court(), case="离婚", from_date=a, to_date=b, level="open")
                for a, b in (span(400) for _ in times)
            )
        ),
        "list, nothing to find": lists(*(HearingFilter(case=one) for one in _taken(("龘靐", "齉爩", "zz"), asks))),
        "words, name of 2 characters": words(*((name(2), plain) for _ in times)),
        "words, name of 3 characters": words(*((name(3), plain) for _ in times)),
        "words, frequent word of 2": words(*((one, plain) for one in _taken(frequent, asks)), pages=2),
        "words, 6 characters": words(*((_six(made, number()), plain) for _ in times)),
        "words, two of them": words(*((f"{name(2)} 证据", plain) for _ in times)),
        "words, frequent character": words(*((one, plain) for one in _taken("原告被证人款对", asks))),
        "words, a character": words(*((chr(0x4E00 + 40 + n * 83 % 3400), plain) for n in times)),
        "words, nothing to find": words(*((one, plain) for one in _taken(("龘靐", "齉爩", "麤麤麤"), asks))),
        "words, in a court": words(*((one, WordFilter(court=court())) for one in _taken(frequent, asks))),
        "words, between days": words(
            *(("证据", WordFilter(from_date=a, to_date=b)) for a, b in (span(30) for _ in times))
        ),
        "words, in a case": words(*(("原告", WordFilter(case=case_number())) for _ in times)),
        "words, by a role": words(*((name(2), WordFilter(role="证人")) for _ in times)),
        "words, role, cause, days, court": words(
            *(
                ("借款", WordFilter(role="原告", case="借贷", court=court(), from_date=a, to_date=b))
                for a, b in (span(400) for _ in times)
            )
        ),
    }


@dataclass(frozen=True, slots=True)
class _Days:
    hearings: int

    def span(self, chance: random.Random, most: int) -> tuple[str, str]:
        """The first and the last day of a stretch of at most so many days that lies in the archive."""
        last = max(self.hearings * STEP_NS // DAY_NS, 1)
        begin = chance.randrange(last)
        end = min(begin + chance.randrange(most), last)
        days = [datetime.fromtimestamp((EPOCH_NS + n * DAY_NS) / NS_PER_S, UTC) for n in (begin, end)]
        return f"{days[0]:%Y-%m-%d}", f"{days[1]:%Y-%m-%d}"


def _taken(of: Sequence[str], asks: int) -> list[str]:
    """So many of them, in turns."""
    return [of[n % len(of)] for n in range(asks)]


def _six(made: MadeHearings, number: int) -> str:
    (rows,) = made.pieces(number, number + 1, 1)
    return max((str(one["text"]) for one in rows.utterances), key=len)[-8:-2]
