"""Rows of hearings, their cases, parties, words, levels and sealed parts, each made of its number alone.

So rows that are there already need not be made again, and two runs have the same archive. Five years of it are a
million hearings in 400 courts; one of sixteen is not tried in public.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.store.folded import folded_case
from sync.record.bodies.session import is_public
from sync.runtime.units import NS_PER_S
from sync.text.equal import fold
from wutong.bench.archive.made_words import MadeWords

PREFIX = "archive-"
COURTS, ROOMS_A_COURT = 400, 10
LINES = 3
EPOCH_NS = 1_609_459_200 * NS_PER_S
"""The first hearing: the beginning of 2021, in UTC."""
STEP_NS = 158 * NS_PER_S
CAUSES = (
    *("民间借贷纠纷", "离婚纠纷", "买卖合同纠纷", "机动车交通事故责任纠纷", "金融借款合同纠纷"),
    *("物业服务合同纠纷", "劳动争议", "房屋租赁合同纠纷", "继承纠纷", "建设工程施工合同纠纷"),
    *("侵害商标权纠纷", "生命权纠纷", "抚养费纠纷", "危险驾驶罪", "盗窃罪", "故意伤害罪", "行政处罚"),
)
"""From frequent to rare."""
_TRACKS = json.dumps([{"id": one, "kind": "video", "name": one} for one in ("bench", "parties")], ensure_ascii=False)
_SEED = 35


@dataclass
class MadeRows:
    """Rows of each table, in the order in which they are stored."""

    hearings: list[dict[str, Any]] = field(default_factory=list)
    utterances: list[dict[str, Any]] = field(default_factory=list)
    levels: list[dict[str, Any]] = field(default_factory=list)
    sealed_parts: list[dict[str, Any]] = field(default_factory=list)


class MadeHearings:
    """Hearings by their numbers, from 0 on."""

    def __init__(self) -> None:
        self._words = MadeWords(random.Random(_SEED))  # noqa: S311 (the same at each run)
        self._weights = [1 / (place + 1) for place in range(len(CAUSES))]

    @staticmethod
    def id_of(number: int) -> str:
        """The id of a hearing."""
        return f"{PREFIX}{number:09}"

    @staticmethod
    def number_of(hearing: str) -> int:
        """Which hearing has this id."""
        return int(hearing.removeprefix(PREFIX))

    def people_of(self, number: int) -> tuple[str, str]:
        """Plaintiff and defendant of a hearing."""
        people = self._words.people
        return people[number * 7 % len(people)], people[(number * 13 + 5) % len(people)]

    def pieces(self, first: int, until: int, size: int) -> Iterator[MadeRows]:
        """The rows of hearings `first` to `until`, not included, `size` hearings at a time."""
        for begin in range(first, until, size):
            rows = MadeRows()
            for number in range(begin, min(begin + size, until)):
                self._add(rows, number)
            yield rows

    def _add(self, rows: MadeRows, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 (the same at each run)
        case = self._case(number, chance)
        hearing, opened_ns = self.id_of(number), number * STEP_NS
        lasts_ns = chance.randint(600, 14_400) * NS_PER_S
        is_open = number % 50_000 == 0
        court, room = chance.randrange(COURTS), chance.randrange(ROOMS_A_COURT)
        rows.hearings.append(
            {
                "id": hearing,
                "room": f"court{court:03}/r{room:02}",
                "court_name": f"第{court:03}人民法院",
                "room_name": f"第{room + 1}法庭",
                "case_no": case["case_no"],
                "case_json": json.dumps(case, ensure_ascii=False),
                "tracks_json": _TRACKS,
                "state": "open" if is_open else "closed",
                "state_number": 2,
                "opened_ns": opened_ns,
                "opened_utc_ns": EPOCH_NS + opened_ns,
                "closed_ns": None if is_open else opened_ns + lasts_ns,
                "closed_utc_ns": None if is_open else EPOCH_NS + opened_ns + lasts_ns,
                "folded": folded_case(case),
                "public": is_public(case),
            }
        )
        rows.utterances += [self._line(hearing, n, opened_ns, number, chance) for n in range(LINES)]
        if (level := _level(number)) is not None:
            rows.levels.append({"hearing": hearing, "level": level})
        if number % 97 == 0:
            rows.sealed_parts.append(_part(hearing, opened_ns))

    def _case(self, number: int, chance: random.Random) -> dict[str, Any]:
        plaintiff, defendant = self.people_of(number)
        (cause,) = chance.choices(CAUSES, self._weights)
        kind = "刑" if cause.endswith("罪") else "行" if cause.startswith("行政") else "民"
        year = 2021 + number * STEP_NS // (31_557_600 * NS_PER_S)
        return {
            "id": f"case-{number}",
            "case_no": f"({year})黑{chance.randrange(1, 99):02}{kind}初{number % 90_000 + 1}号",
            "cause": cause,
            "title": f"{plaintiff}与{defendant}{cause}一案",
            "parties": {"原告": plaintiff, "被告": defendant},
            "public": number % 16 != 3,
            "procedure": "ordinary",
        }

    def _line(self, hearing: str, n: int, opened_ns: int, number: int, chance: random.Random) -> dict[str, Any]:
        role, words = self._words.line(chance, number * 7)
        start_ns = opened_ns + (60 * n + 5) * NS_PER_S
        end_ns = start_ns + 4 * NS_PER_S
        of_line = {"hearing": hearing, "id": f"u{n}", "seat": "", "role": role, "text": words, "folded": fold(words)}
        return {**of_line, "start_ns": start_ns, "end_ns": end_ns, "said_from_ns": start_ns, "said_to_ns": end_ns}


def _level(number: int) -> str | None:
    """What somebody has set: of one in 200 hearings that it is restricted, of one in 2,000 that nobody may see it."""
    if number % 2000 == 11:
        return "withdrawn"
    return "restricted" if number % 200 == 7 else None


def _part(hearing: str, opened_ns: int) -> dict[str, Any]:
    return {
        "hearing": hearing,
        "part": "center:p",
        "level": "restricted",
        "from_ns": opened_ns + 60 * NS_PER_S,
        "to_ns": opened_ns + 100 * NS_PER_S,
        "by": "archivist",
        "reason": "",
        "utc_ns": EPOCH_NS + opened_ns,
    }


def columns_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The columns of rows, which are the same in each."""
    return list(rows[0])
