"""Whatever text stands in a record, new or old, its documents are made, and what has a shape is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.documents.docx import docx_of
from edge.documents.form import CourtForm, form_of
from edge.documents.pdf import pdf_of
from edge.documents.plain import json_of, srt_of, vtt_of
from sync.record.docket import Case
from sync.record.hearing import Hearing
from sync.record.signers import people_of
from tests.support.words.signed_hearing import HEARING, S, Story

pytestmark = pytest.mark.process  # fontconfig is asked for the fonts

PASTED = ["\v", "\x00", "\u200b", "\ufeff", "\u202e", "\x1b[2J", "\f", "\x85", "\u2028", "\U000e0041", "]]>", "-->"]


def record(dirty: str, *, role: str = "证人") -> Story:
    """As a room of before kept it: the text everywhere that people type or an engine writes."""
    story = Story(5)
    opening = story.events[0].body
    case: dict[str, Any] = {**opening["case"], "case_no": f"(2026)黑05{dirty}民初123号", "cause": f"借贷{dirty}纠纷"}
    case["parties"] = {**case["parties"], f"{role}{dirty}": f"张{dirty}伟"}
    story.events[0] = story.events[0].__class__(1, HEARING, "open", 100 * S, 0, {**opening, "case": case})
    story.hearing = Hearing.of(HEARING, story.events)
    story.revise("u0", text=f"一{dirty}二", role=f"{role}{dirty}")
    return story


def documents(hearing: Hearing) -> dict[str, bytes]:
    form: CourtForm = form_of(hearing, court_name="尖山区人民法院", room_name="第三法庭")
    plain = {"json": json_of(hearing, form), "srt": srt_of(hearing, form), "vtt": vtt_of(hearing, form)}
    return {"pdf": pdf_of(form), "docx": docx_of(form), **plain}


@pytest.mark.parametrize("dirty", PASTED)
def test_a_record_of_before_has_all_its_documents(dirty: str) -> None:
    made = documents(record(dirty).hearing)
    assert all(made.values())
    assert json.loads(made["json"])["heads"]["案号"].startswith("(2026)黑05")
    cues = made["srt"].decode()
    assert cues.count("-->") == 4 + 1  # of three lines that are not struck, one of them changed, and of the draft
    assert all(c == "\n" or c.isprintable() for c in cues)


@pytest.mark.parametrize("dirty", PASTED[:10])
def test_whoever_bears_it_in_a_record_of_before_can_sign(dirty: str) -> None:
    """The panel shows the role cleaned, and that is what it sends."""
    story = record(dirty)
    hearing = story.hearing
    [shown] = [p for p in people_of(hearing, None) if p.role.startswith("证人") and p.name.startswith("张")]
    assert shown.role.isprintable()
    assert shown.name.isprintable()
    story.say("signature", 500, id="s1", transcript="", role=shown.role, name=shown.name, act="absent", reason="")
    [after] = [p for p in people_of(hearing, None) if p.role == shown.role and p.name == shown.name]
    assert after.state == "absent"


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_what_the_docket_accepts_is_printed(text: str) -> None:
    case = {"case_no": f"(2026)黑05民初{text}号", "cause": text, "title": text, "parties": {f"原告{text}": f"张{text}"}}
    accepted = Case.model_validate(case).model_dump()
    assert all(value == Case.model_validate(accepted).model_dump()[key] for key, value in accepted.items())
    story = Story(5)
    opening = story.events[0].body
    story.events[0] = story.events[0].__class__(1, HEARING, "open", 100 * S, 0, {**opening, "case": accepted})
    made = documents(Hearing.of(HEARING, story.events))
    assert json.loads(made["json"])["case"] == accepted
    assert all(made.values())
