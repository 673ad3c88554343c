"""The 27 attacks: each is caught, with its verdict and the reason by its code, and again when the exporter was deceived
and signed the forged folder himself."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from sync.ledger.token import read_roots
from tests.attacks import forge_device, forge_ledger, forge_media, forge_token, forge_words
from tests.attacks.forge_folder import Attack
from tests.support.exports.honest_exports import Forge
from tests.support.peers.tsa import Authority
from wutong.verify.examine import Judgment
from wutong.verify.verdict import Verdict

FALSE, UNSEALED, UNVERIFIABLE = Verdict.NOT_AUTHENTIC, Verdict.UNSEALED, Verdict.NOT_VERIFIABLE

# What is done to the folder without a key, from which export, the reason.
WITHOUT_KEYS = [
    (1, forge_media.bit_flipped, "whole", FALSE, "media-differs"),
    (1, forge_media.bit_flipped_in_sound, "whole", FALSE, "media-differs"),
    (2, forge_media.segment_deleted, "whole", FALSE, "media-missing"),
    (2, forge_media.segment_deleted_with_its_leaf, "whole", FALSE, "root-differs"),
    (3, forge_media.segments_swapped, "whole", FALSE, "media-differs"),
    (4, forge_media.segment_inserted, "whole", FALSE, "media-extra"),
    (4, forge_media.segment_repeated, "whole", FALSE, "media-differs"),
    (5, forge_media.first_segments_dropped, "whole", FALSE, "media-missing"),
    (6, forge_ledger.device_key_changed, "whole", FALSE, "device-key-changed"),
    (7, forge_ledger.tail_cut, "whole", UNSEALED, "unsealed"),
    (8, forge_ledger.tail_cut_with_forged_seal, "whole", FALSE, "checkpoint-signature"),
    (9, forge_media.remuxed, "whole", FALSE, "media-differs"),
    (9, forge_media.re_encoded, "whole", FALSE, "media-differs"),
    (10, forge_ledger.proof_too_long, "excerpt", FALSE, "proof"),
    (10, forge_ledger.proof_too_short, "excerpt", FALSE, "proof"),
    (10, forge_ledger.proof_with_wrong_index, "excerpt", FALSE, "proof"),
    (10, forge_ledger.proof_with_wrong_size, "excerpt", FALSE, "proof"),
    (11, forge_ledger.inner_node_as_leaf, "excerpt", FALSE, "proof"),
    (14, forge_ledger.old_checkpoint_last, "whole", FALSE, "checkpoint-order"),
    (14, forge_ledger.newest_checkpoints_dropped, "whole", UNVERIFIABLE, "leaves-unsigned"),
    (15, forge_ledger.fork, "whole", FALSE, "fork"),
    (16, forge_ledger.leaf_of_another_hearing, "whole", FALSE, "leaf-hearing"),
    (16, forge_ledger.checkpoint_of_another_hearing, "whole", FALSE, "checkpoint-hearing"),
    (17, forge_ledger.signatures_stripped, "whole", UNVERIFIABLE, "checkpoint-unsigned"),
    (17, forge_ledger.cosignature_stripped, "whole", UNVERIFIABLE, "unwitnessed"),
    (17, forge_ledger.cosignature_false, "whole", FALSE, "cosignature"),
    (18, forge_words.word_edited, "whole", FALSE, "transcript"),
    (18, forge_words.word_edited_in_the_ledger, "whole", FALSE, "root-differs"),
    (19, forge_words.revisions_rewritten, "whole", FALSE, "transcript"),
    (19, forge_words.revision_taken_away, "whole", FALSE, "root-differs"),
    (20, forge_words.exhibit_swapped, "whole", FALSE, "exhibit-differs"),
    (21, forge_ledger.exhibit_moment_moved, "whole", FALSE, "root-differs"),
    (26, forge_words.unlisted_file, "whole", FALSE, "unlisted"),
    (26, forge_words.link_out_of_the_folder, "whole", FALSE, "not-a-file"),
    (26, forge_words.pipe_for_a_file, "whole", FALSE, "not-a-file"),
]
UNSIGNED = {17, 26}
"""Where the exporter's signature would not fit the attack, or is what was taken away."""
WITH_THE_DEVICES_KEY = [
    (4, forge_device.segment_said_twice, "whole", "segment-twice"),
    (22, forge_device.clock_jumped, "whole", "clock-jump"),
    (22, forge_device.clock_rolled_back, "whole", "clock-back"),
    (23, forge_device.pause_removed, "pause", "hole"),
    (23, forge_device.gap_removed, "gaps", "hole"),
    (25, forge_device.spaced_leaf, "whole", "leaf"),
    (25, forge_device.key_twice, "whole", "leaf"),
    (25, forge_device.not_a_number, "whole", "leaf"),
    (3, forge_device.unlawful_pause, "pause", "pause-reason"),
    (8, forge_device.other_totals, "whole", "seal"),
]
TOKENS = [
    (12, forge_token.wrong_nonce, "token"),
    (12, forge_token.wrong_text, "token"),
    (12, forge_token.wrong_status, "token"),
    (12, forge_token.several_signers, "token"),
    (12, forge_token.injected_certificate, "token"),
    (13, forge_token.twice, "token"),
    (13, forge_token.very_many, "token"),
]


def codes(judgment: Judgment) -> set[str]:
    return {reason.code for reason in judgment.reasons}


def named(rows: Sequence[tuple[Any, ...]]) -> list[ParameterSet]:
    return [pytest.param(*row[1:], id=f"{row[0]:02d}-{row[1].__name__}") for row in rows]


@pytest.mark.parametrize(("attack", "export", "verdict", "code"), named(WITHOUT_KEYS))
def test_what_is_done_without_a_key_is_caught(
    forge: Forge, attack: Attack, export: str, verdict: Verdict, code: str
) -> None:
    forgery = forge(export)
    attack(forgery)
    caught = forgery.judge()
    assert code in codes(caught), caught.reasons
    # The folder's own index does not fit any more, and he cannot sign a new one.
    assert caught.verdict in (verdict, Verdict.NOT_AUTHENTIC)
    assert caught.verdict is not Verdict.AUTHENTIC


@pytest.mark.parametrize(
    ("attack", "export", "verdict", "code"), named([row for row in WITHOUT_KEYS if row[0] not in UNSIGNED])
)
def test_it_is_caught_when_the_exporter_was_deceived(
    forge: Forge, attack: Attack, export: str, verdict: Verdict, code: str
) -> None:
    forgery = forge(export)
    attack(forgery)
    forgery.reindex(sign=True)
    caught = forgery.judge()
    assert caught.verdict is verdict, caught.reasons
    assert code in codes(caught)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (forge_ledger.signatures_stripped, "checkpoint-unsigned"),
        (forge_ledger.cosignature_stripped, "unwitnessed"),
    ],
)
def test_17_stripped_signatures_are_not_verifiable(forge: Forge, attack: Attack, code: str) -> None:
    forgery = forge()
    attack(forgery)
    # He lists what is left; that list nobody has signed.
    forgery.derive()
    forgery.reindex(sign=False)
    forgery.remove("index.json.sig")
    caught = forgery.judge()
    assert {code, "index-unsigned"} <= codes(caught)
    assert caught.verdict is Verdict.NOT_VERIFIABLE, caught.reasons


@pytest.mark.parametrize(("attack", "export", "code"), named(WITH_THE_DEVICES_KEY))
def test_what_the_devices_holder_does_breaks_the_rules(forge: Forge, attack: Attack, export: str, code: str) -> None:
    forgery = forge(export)
    attack(forgery)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC, caught.reasons
    assert codes(caught) - {"gap"} <= {code, "seal", "transcript", "leaf", "media-extra"}, caught.reasons
    assert code in codes(caught)


@pytest.mark.parametrize(("attack", "code"), named(TOKENS))
def test_a_token_that_lies_is_caught(forge: Forge, authority: Authority, attack: Attack, code: str) -> None:
    forgery = forge("stamped")
    attack(forgery, authority)
    forgery.reindex(sign=True)
    forgery.tsa_roots = read_roots(authority.root_pem)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC
    assert codes(caught) == {code}


def test_12_a_token_of_another_policy_is_refused(forge: Forge, authority: Authority) -> None:
    forgery = forge("stamped")
    forgery.tsa_roots, forgery.tsa_policy = read_roots(authority.root_pem), "1.2.3.4.9"
    assert codes(forgery.judge()) == {"token"}


def test_12_a_token_by_a_key_for_another_use_is_refused(forge: Forge, place: Path) -> None:
    from tests.support.peers.tsa import Authority

    other = Authority(place / "other-tsa", usage="critical,timeStamping,codeSigning")
    forgery = forge("stamped")
    try:
        forge_token.wrong_text(forgery, other)
    except subprocess.CalledProcessError:
        return  # OpenSSL itself refuses to sign with such a certificate
    forgery.tsa_roots = read_roots(other.root_pem)
    assert forgery.judge().verdict is Verdict.NOT_AUTHENTIC


def test_13_tokens_beside_the_one_are_no_files_of_an_export(forge: Forge, authority: Authority) -> None:
    forgery = forge("stamped")
    forge_token.beside(forgery, authority)
    assert "unlisted" in codes(forgery.judge())
    forgery.reindex(sign=True)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC
    assert "path" in codes(caught)


def test_16_a_segment_of_another_hearing_is_not_taken(forge: Forge) -> None:
    forgery = forge()
    forge_media.segment_of_another_hearing(forgery, forge("other"))
    forgery.reindex(sign=True)
    caught = forgery.judge()
    assert (caught.verdict, codes(caught) & {"media-differs"}) == (Verdict.NOT_AUTHENTIC, {"media-differs"})


def test_24_a_root_that_the_bundle_brings_itself_counts_for_nothing(forge: Forge) -> None:
    forgery = forge()
    forge_ledger.self_signed_root(forgery)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC
    assert {"certificate", "unwitnessed"} <= codes(caught)
    forgery.write("ledger/center.pem", b"-----BEGIN PUBLIC KEY-----\n")
    assert {"certificate", "unlisted"} <= codes(forgery.judge())


@pytest.mark.parametrize("attack", [forge_words.index_with_a_key_twice, forge_words.index_with_nan])
def test_25_an_index_that_two_readers_read_differently_is_refused(forge: Forge, attack: Attack) -> None:
    forgery = forge()
    attack(forgery)
    forgery.sign_index()
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC
    assert "index" in codes(caught)


def test_26_a_path_that_leads_out_of_the_folder_is_refused(forge: Forge) -> None:
    forgery = forge()
    forge_words.index_with_a_traversal(forgery)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC
    assert "path" in codes(caught)


def test_27_a_certificate_that_expired_since_is_no_reason(forge: Forge) -> None:
    assert forge("old").judge().verdict is Verdict.AUTHENTIC


def test_27_a_certificate_that_had_expired_before_is_one(forge: Forge) -> None:
    caught = forge("late").judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC
    assert codes(caught) == {"certificate-expired"}


def test_words_after_the_end_are_signed_by_nobody(forge: Forge) -> None:
    forgery = forge()
    forge_words.event_appended(forgery)
    forgery.reindex(sign=True)
    caught = forgery.judge()
    assert caught.verdict is Verdict.NOT_VERIFIABLE
    assert "leaves-unsigned" in codes(caught)


def test_a_box_without_end_is_a_verdict(forge: Forge) -> None:
    forgery = forge()
    forge_media.box_without_end(forgery)
    assert forgery.judge().verdict is Verdict.NOT_AUTHENTIC
