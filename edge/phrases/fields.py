"""The fields of a case in a set phrase: filled where the case says it, left as a blank where it does not.

Promises: nothing is invented; what is missing is written as `BLANK` and named. Pure functions of the case.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

from edge.phrases.file import FIELD, Phrase

BLANK: Final = "____"
_PROCEDURE: Final = {"ordinary": "普通程序", "simplified": "简易程序"}
_PUBLIC: Final = {"True": "公开", "False": "不公开"}
_OF_NUMBER: Final = {"民": "民事", "刑": "刑事", "行": "行政"}
_BENCH: Final = ("审判长", "审判员", "法官")


class PhrasePart(TypedDict):
    """A piece of a phrase: plain words, or a field of the case and what stands for it."""

    text: str
    field: NotRequired[str]
    missing: NotRequired[bool]


@dataclass(frozen=True, slots=True)
class Filled:
    """A phrase as it goes into the transcript."""

    text: str
    parts: list[PhrasePart]
    """In their order, for the preview."""
    missing: list[str]


def fields_of(
    case: Mapping[str, Any], *, court_name: str, room_name: str, opened_utc_ns: int, zone: dt.tzinfo | None = None
) -> dict[str, str]:
    """What is known of a case, by the name of the field. `zone`: of the date; the machine's own where none is given."""
    at = dt.datetime.fromtimestamp(opened_utc_ns / 1_000_000_000, tz=dt.UTC).astimezone(zone)
    known = {
        "法院": court_name,
        "法庭": room_name,
        "案号": str(case.get("case_no", "")),
        "案由": str(case.get("cause", "")),
        "案件": str(case.get("title", "")),
        "日期": f"{at.year}年{at.month}月{at.day}日" if opened_utc_ns else "",
        "程序": _PROCEDURE.get(str(case.get("procedure", "")), ""),
        "公开": _PUBLIC.get(str(case.get("public")), ""),
    }
    known |= {str(role): str(name) for role, name in dict(case.get("parties", {})).items()}
    return {field: value.strip() for field, value in known.items() if value.strip()}


def fill(phrase: Phrase, known: Mapping[str, str]) -> Filled:
    """Put what is known into a phrase."""
    parts: list[PhrasePart] = []
    missing: list[str] = []
    at = 0
    for found in FIELD.finditer(phrase.text):
        if found.start() > at:
            parts.append({"text": phrase.text[at : found.start()]})
        field = found[1]
        value = known.get(field)
        if value is None:
            parts.append({"text": BLANK, "field": field, "missing": True})
            if field not in missing:
                missing.append(field)
        else:
            parts.append({"text": value, "field": field})
        at = found.end()
    if at < len(phrase.text):
        parts.append({"text": phrase.text[at:]})
    return Filled("".join(part["text"] for part in parts), parts, missing)


def kind_of(case: Mapping[str, Any]) -> str:
    """民事, 刑事 or 行政, by the kind that the case says, its number or its cause; empty where none says it."""
    if isinstance(branch := case.get("branch"), str):
        return branch
    number = re.sub(r"[（(].*?[)）]", "", str(case.get("case_no", "")))
    found = re.search(r"[民刑行](?=[初终再申监辖破特督撤赔保他更抗审]|$|\d)", number) or re.search(r"[民刑]", number)
    if found is not None:
        return _OF_NUMBER[found[0]]
    cause = str(case.get("cause", ""))
    if cause.endswith("罪"):
        return "刑事"
    if re.search(r"行政|征收|复议|政府信息公开", cause):
        return "行政"
    return "民事" if "纠纷" in cause else ""


def speaker_of(role: str, seats: Sequence[Mapping[str, Any]], parties: Mapping[str, Any]) -> tuple[str, str]:
    """The role and the seat of who says a phrase: a judge sits alone in some hearings and presides in others."""
    asked = [role, *(other for other in _BENCH if role in _BENCH and other != role)]
    for one in asked:
        for seat in seats:
            if one in (seat.get("roles") or [seat.get("role")]):
                # Who presides is written as the docket calls them.
                named = next((r for r in asked if r in parties), one) if role in _BENCH else one
                return named, str(seat.get("id", ""))
    return role, ""
