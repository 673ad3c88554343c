"""`certificate.json` and `transcript.json` are judged by what they say: no fact may change, lack or be added."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.attacks.forge_folder import Forgery
from tests.support.exports.honest_exports import Forge
from wutong.export import forms
from wutong.verify.verdict import Verdict

TRANSCRIPT = "transcript.json"
Change = Callable[[Any], None]


def rewritten(forgery: Forgery, name: str, change: Change = lambda value: None, **how: Any) -> tuple[Verdict, set[str]]:
    """The file says what `change` made of it; the exporter signs that in good faith."""
    value = json.loads(forgery.read(name))
    change(value)
    forgery.write(name, json.dumps(value, **how).encode())
    forgery.reindex(sign=True)
    judgment = forgery.judge()
    return judgment.verdict, {reason.code for reason in judgment.reasons}


def another_value(value: Any) -> None:
    value["case"]["case_no"] = "(2026)黑05民初124号"


def a_yes_for_a_number(value: Any) -> None:
    value["words"]["revisions"] = True


def one_fact_more(value: Any) -> None:
    value["clock"]["checked"] = True


def one_fact_less(value: Any) -> None:
    del value["interruptions"][0]["reason"]


def one_segment_less(value: Any) -> None:
    value["segments"].pop()


def an_opinion_with_words(value: Any) -> None:
    value["explanation_needed"] = "不需要"


def an_opinion_elsewhere(value: Any) -> None:
    value["ledger"]["explanation_needed"] = False


@pytest.mark.parametrize(
    "change",
    [
        another_value,
        a_yes_for_a_number,
        one_fact_more,
        one_fact_less,
        one_segment_less,
        an_opinion_with_words,
        an_opinion_elsewhere,
    ],
)
def test_a_certificate_with_other_facts_is_false(forge: Forge, change: Change) -> None:
    assert rewritten(forge("pause"), forms.CERTIFICATE, change) == (Verdict.NOT_AUTHENTIC, {"certificate-json"})


def test_a_transcript_with_one_fact_more_is_false(forge: Forge) -> None:
    def change(value: Any) -> None:
        value["lines"][0]["certain"] = True

    assert rewritten(forge("pause"), TRANSCRIPT, change) == (Verdict.NOT_AUTHENTIC, {"transcript"})


@pytest.mark.parametrize("name", [forms.CERTIFICATE, TRANSCRIPT])
def test_a_key_said_twice_is_false(forge: Forge, name: str) -> None:
    forgery = forge("pause")
    forgery.write(name, forgery.read(name).replace(b'"hearing":', b'"hearing": "x", "hearing":', 1))
    forgery.reindex(sign=True)
    assert forgery.judge().verdict is Verdict.NOT_AUTHENTIC


@pytest.mark.parametrize("name", [forms.CERTIFICATE, TRANSCRIPT])
def test_the_same_facts_may_be_spaced_and_sorted_otherwise(forge: Forge, name: str) -> None:
    assert rewritten(forge("pause"), name, sort_keys=True, indent=4) == (Verdict.AUTHENTIC, set())


@pytest.mark.parametrize("opinion", [True, False])
def test_an_early_export_that_says_whether_an_explanation_is_needed_stays_authentic(
    forge: Forge, opinion: bool
) -> None:
    def change(value: Any) -> None:
        value["explanation_needed"] = opinion

    assert rewritten(forge("pause"), forms.CERTIFICATE, change) == (Verdict.AUTHENTIC, set())
