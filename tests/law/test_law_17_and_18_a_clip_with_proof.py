"""17, 18. Footage of a breach of order, and of a complaint about conduct, can be found and clipped with proof
(法释〔2017〕5号, art. 13 and 14): an excerpt holds the leaves of its stretch with proofs of inclusion."""

from __future__ import annotations

import json

from tests.support.exports.honest_exports import Forge, HonestExports
from wutong.verify.verdict import Verdict


def test_a_clip_is_proven_without_the_rest_of_the_hearing(honest: HonestExports, forge: Forge) -> None:
    excerpt = forge("excerpt")
    assert excerpt.judge().verdict is Verdict.AUTHENTIC
    # The clip is the first 3.5 s: what was said at 6.2 s is not in it, and the media of then neither.
    words = (excerpt.folder / "transcript.txt").read_text()
    assert "现在开庭" in words
    assert "五万元" not in words
    whole = {p.relative_to(honest("pause").folder) for p in (honest("pause").folder / "media").glob("*/*")}
    clip = {p.relative_to(excerpt.folder) for p in (excerpt.folder / "media").glob("*/*")}
    assert len(clip) < len(whole)
    proofs = [json.loads(line) for line in (excerpt.folder / "ledger/proofs.jsonl").read_text().splitlines()]
    assert len(proofs) == len(excerpt.leaves)


def test_a_clip_whose_footage_was_changed_is_not_authentic(forge: Forge) -> None:
    excerpt = forge("excerpt")
    excerpt.flip("media/judge/00000.mp4")
    assert excerpt.judge().verdict is Verdict.NOT_AUTHENTIC


def test_a_clip_with_a_piece_cut_out_is_not_authentic(forge: Forge) -> None:
    """The segment, its leaf and its proof are taken out; the clip's own time line shows it."""
    excerpt = forge("excerpt")
    leaves = excerpt.leaves
    place = next(i for i, leaf in enumerate(leaves) if b'"track":"judge"' in leaf and b'"index":0' in leaf)
    proofs = excerpt.read("ledger/proofs.jsonl").splitlines(keepends=True)
    excerpt.leaves = leaves[:place] + leaves[place + 1 :]
    excerpt.write("ledger/proofs.jsonl", b"".join(proofs[:place] + proofs[place + 1 :]))
    excerpt.remove("media/judge/00000.mp4")
    excerpt.reindex(sign=True)
    caught = excerpt.judge()
    assert caught.verdict is Verdict.NOT_AUTHENTIC
    assert "hole" in {reason.code for reason in caught.reasons}
