"""Mutation check: without one step of the verifier, the attack that the step is there for gets a better verdict."""

from __future__ import annotations

import pytest

from sync.ledger.token import read_roots
from tests.attacks import forge_device, forge_ledger, forge_media, forge_token, forge_words
from tests.attacks.forge_folder import Attack, Forgery
from tests.support.exports.honest_exports import Forge
from tests.support.peers.tsa import Authority
from wutong.verify.steps import STEPS
from wutong.verify.verdict import Verdict


def _signed(attack: Attack) -> Attack:
    def forge(forgery: Forgery) -> None:
        attack(forgery)
        forgery.reindex(sign=True)

    forge.__name__ = attack.__name__
    return forge


def _unsigned(attack: Attack) -> Attack:
    def forge(forgery: Forgery) -> None:
        attack(forgery)
        forgery.reindex(sign=False)

    return forge


NEEDED: dict[str, tuple[str, Attack | None, Verdict]] = {
    "folder": ("whole", forge_words.unlisted_file, Verdict.NOT_AUTHENTIC),
    "leaves": ("whole", forge_device.spaced_leaf, Verdict.NOT_AUTHENTIC),
    "checkpoints": ("whole", forge_ledger.device_key_changed, Verdict.NOT_AUTHENTIC),
    "witness": ("whole", _signed(forge_ledger.cosignature_stripped), Verdict.NOT_VERIFIABLE),
    "tree": ("whole", _signed(forge_ledger.mark_changed_and_resealed), Verdict.NOT_AUTHENTIC),
    "rules": ("pause", forge_device.unlawful_pause, Verdict.NOT_AUTHENTIC),
    "times": ("whole", forge_device.clock_jumped, Verdict.NOT_AUTHENTIC),
    "media": ("whole", _signed(forge_media.bit_flipped), Verdict.NOT_AUTHENTIC),
    "coverage": ("pause", forge_device.pause_removed, Verdict.NOT_AUTHENTIC),
    "words": ("whole", _signed(forge_words.word_edited), Verdict.NOT_AUTHENTIC),
    "token": ("stamped", None, Verdict.NOT_AUTHENTIC),
    "exporter": ("whole", _unsigned(forge_words.player_file_changed), Verdict.NOT_AUTHENTIC),
}


def test_the_registry_is_the_twelve_steps_of_the_contract() -> None:
    assert [step.name for step in STEPS] == list(NEEDED)
    assert [step.number for step in STEPS] == list(range(1, 13))


@pytest.mark.parametrize("step", NEEDED)
def test_without_the_step_its_attack_passes(forge: Forge, authority: Authority, step: str) -> None:
    export, attack, verdict = NEEDED[step]
    forgery = forge(export)
    if attack is None:
        forge_token.wrong_nonce(forgery, authority)
        forgery.reindex(sign=True)
        forgery.tsa_roots = read_roots(authority.root_pem)
    else:
        if step == "checkpoints":
            attack = _signed(attack)
        attack(forgery)
    whole = forgery.judge()
    assert whole.verdict is verdict, whole.reasons
    assert {reason.step for reason in whole.reasons if reason.verdict is verdict} == {
        next(s.number for s in STEPS if s.name == step)
    }
    assert forgery.judge(without=step).verdict is Verdict.AUTHENTIC
