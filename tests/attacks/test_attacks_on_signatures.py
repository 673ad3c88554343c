"""Attacks on what a clerk and those who sign have done: each is caught, also when the exporter was deceived."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet

from tests.attacks import forge_signing
from tests.attacks.forge_folder import Attack
from tests.support.exports.honest_exports import Forge
from wutong.verify.examine import Judgment
from wutong.verify.verdict import Verdict

WITHOUT_KEYS = [
    (forge_signing.line_changed_without_a_revision, "transcript"),
    (forge_signing.void_act_made_to_count, "transcript"),
    (forge_signing.writer_renamed, "transcript"),
    (forge_signing.writer_changed_in_the_ledger, "root-differs"),
    (forge_signing.reason_of_a_revision_changed_in_the_ledger, "root-differs"),
    (forge_signing.signature_moved, "signing"),
    (forge_signing.signature_moved_in_the_ledger, "root-differs"),
    (forge_signing.strokes_changed, "signing"),
    (forge_signing.strokes_changed_in_the_ledger, "root-differs"),
    (forge_signing.refusal_removed, "signing"),
    (forge_signing.refusal_removed_in_the_ledger, "root-differs"),
    (forge_signing.refusal_made_a_signature_in_the_ledger, "root-differs"),
    (forge_signing.refused_objection_removed, "signing"),
    (forge_signing.counts_of_the_certificate_changed, "certificate-json"),
    (forge_signing.document_changed, "document-differs"),
    (forge_signing.documents_swapped, "document-differs"),
    (forge_signing.document_removed, "document-missing"),
    (forge_signing.document_added, "document-extra"),
    (forge_signing.form_lowered, "form-too-old"),
]
WITH_THE_DEVICES_KEY = [
    (forge_signing.signature_of_other_words, "signature-unknown"),
    (forge_signing.words_changed_under_the_signatures, "words-hash"),
    (forge_signing.document_of_other_words, "document-unknown"),
    (forge_signing.document_signed_by_another_center, "document-signature"),
    (forge_signing.document_signed_by_another_room, "document-signature"),
    (forge_signing.document_changed_after_its_signature, "document-signature"),
]


def named(rows: Sequence[tuple[Attack, str]]) -> list[ParameterSet]:
    return [pytest.param(*row, id=row[0].__name__) for row in rows]


def codes(judgment: Judgment) -> set[str]:
    return {reason.code for reason in judgment.reasons if reason.verdict is Verdict.NOT_AUTHENTIC}


@pytest.mark.parametrize(("attack", "code"), named(WITHOUT_KEYS))
def test_what_is_done_to_signed_words_without_a_key_is_caught(forge: Forge, attack: Attack, code: str) -> None:
    forgery = forge("signed")
    attack(forgery)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC, caught.reasons
    forgery.reindex(sign=True)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC, caught.reasons
    assert code in codes(caught), caught.reasons


@pytest.mark.parametrize(("attack", "code"), named(WITH_THE_DEVICES_KEY))
def test_what_the_devices_holder_does_to_signed_words_contradicts_itself(
    forge: Forge, attack: Attack, code: str
) -> None:
    forgery = forge("signed")
    attack(forgery)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC, caught.reasons
    assert code in codes(caught), caught.reasons


def test_a_paper_that_a_device_could_not_sign_yet_is_told_and_changes_nothing(forge: Forge) -> None:
    forgery = forge("signed")
    forge_signing.document_without_a_signature(forgery)
    judgment = forgery.judge()
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    assert "document-unsigned" in {reason.code for reason in judgment.reasons}
