"""An export that was given out once is judged alike for ever: what a verifier compares is frozen with its form.

Where one of these fails after a change of `wutong/export/` or `sync/record/hearing.py`, the change makes honest exports
false. Raise `FORM` in wutong/export/forms.py, keep the renderers of the form before it for the verifier, and make a
golden export of the new form (tests/export/make_golden.py) beside this one. Never change the files of a golden export.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import read_public
from sync.ledger.leaf import leaf_of, read_leaf
from sync.ledger.note import read_note
from wutong.export import forms
from wutong.export.derived.files import derived_files
from wutong.verify.case import ExportCase
from wutong.verify.examine import examine
from wutong.verify.verdict import Verdict

GOLDEN = Path(__file__).parent / "golden"
NOW = GOLDEN / forms.FORM.replace("/", "-")
RAISE = "this changes what honest exports are compared with: raise FORM (see the head of this file)"


@pytest.mark.parametrize("golden", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_an_export_of_each_form_keeps_its_verdict(golden: Path) -> None:
    judgment = examine(ExportCase(golden / "export", read_public((golden / "center.pem").read_bytes())))
    assert judgment.verdict is Verdict.WITH_GAPS, (RAISE, judgment.reasons)
    assert [reason.about[0] for reason in judgment.reasons if reason.code == "gap"] == ["审判席"], RAISE


@pytest.mark.parametrize("golden", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_what_is_made_of_the_leaves_is_what_the_form_says_to_the_byte(golden: Path) -> None:
    folder, form = golden / "export", golden.name.replace("-export-", "-export/")
    case = ExportCase(folder)
    events = [read_leaf(leaf) for leaf in case.leaves]
    assert [leaf_of(event) for event in events] == case.leaves, RAISE
    signed = case.checkpoints[-1].note
    assert signed is not None
    last = Checkpoint.from_text(read_note(signed.to_text()).text)
    for name, data in derived_files(events, last.room, last, case.device, form=form).items():
        assert data.decode() == (folder / name).read_text(), (name, RAISE)
    index = forms.Index.from_bytes((folder / forms.INDEX).read_bytes())
    assert index.form == form
    assert index.to_bytes() == (folder / forms.INDEX).read_bytes(), RAISE


def test_the_golden_hearing_says_all_that_a_certificate_can_say() -> None:
    """A list that is empty pins nothing."""
    import json

    value = json.loads((NOW / "export" / forms.CERTIFICATE).read_bytes())
    lists = [value[name] for name in ("interruptions", "gaps", "alarms", "tracks", "segments", "exhibits", "seats")]
    assert all([*lists, value["clock"]["steps"], value["words"]["revisions"], value["ledger"]["device"]])
    assert all([*value["signing"].values(), value["documents"], value["words"]["struck"]])


def test_the_golden_hearing_says_all_that_can_become_of_a_line() -> None:
    import json

    lines = json.loads((NOW / "export" / "transcript.json").read_bytes())["lines"]
    assert {line["source"] for line in lines} == {"speech", "split", "typed", "phrase"}
    assert {line["gone"] for line in lines} == {"", "merged", "withdrawn"}
    assert all(any(line[flag] for line in lines) for flag in ("struck", "doubtful", "voice"))
    versions = [version for line in lines for version in line["versions"]]
    assert {version["by"] for version in versions} >= {"engine", "clerk", "corrector"}
    assert {version["counts"] for version in versions} == {True, False}
    assert any(version.get("reason") for version in versions)
    assert any(version["undoes"] for version in versions)
    acts = {version["act"] for version in versions}
    assert {"edit", "split", "merge", "speaker", "strike", "doubt", "correct", "undo", "objection"} <= acts


def test_the_golden_hearing_says_all_that_can_become_of_a_signature() -> None:
    judgment = examine(ExportCase(NOW / "export", read_public((NOW / "center.pem").read_bytes())))
    assert {"signed", "signed-before", "refused", "objection-refused"} <= {reason.code for reason in judgment.reasons}
