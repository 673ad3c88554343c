"""Kinds of case from files: those of the product, a court's own, and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.cases.kind import MAX_KIND_BYTES, KindFileError, kind_of_text
from sync.cases.shelf import MOST_KINDS, KindShelf, read_kinds, shipped_kinds
from sync.record.signers import BENCH

MEDIATION = """
name = "调解"
english = "Mediation"
types = ["民初"]
paper = "调解笔录"
public = false
title = "{申请人}{案由}调解"

[[role]]
name = "调解员"
english = "Mediator"
bench = true

[[role]]
name = "申请人"
english = "Applicant"
required = true
"""


def test_the_kinds_of_the_product_say_who_takes_part_and_what_the_paper_is_called() -> None:
    kinds = read_kinds(None)
    assert list(kinds.kinds) == [
        "civil",
        "criminal",
        "administrative",
        "enforcement",
        "hearing",
        "committee",
        "other",
    ]
    criminal = kinds.kinds["criminal"]
    assert [role.name for role in criminal.role if role.required] == ["被告人"]
    assert {"公诉人", "辩护人"} <= {role.name for role in criminal.role if role.asked}
    assert criminal.bench == list(BENCH)
    assert (kinds.kinds["hearing"].paper, kinds.kinds["enforcement"].paper) == ("听证笔录", "执行笔录")
    assert kinds.kinds["committee"].public is False


def test_a_court_adds_a_kind_and_edits_another(tmp_path: Path) -> None:
    (tmp_path / "mediation.toml").write_text(MEDIATION, encoding="utf-8")
    (tmp_path / "civil.toml").write_text(MEDIATION.replace("调解笔录", "本院笔录"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a kind", encoding="utf-8")
    kinds = read_kinds(tmp_path)
    assert kinds.faults == ()
    assert kinds.own == {"mediation", "civil"}
    assert (kinds.kinds["mediation"].paper, kinds.kinds["civil"].paper) == ("调解笔录", "本院笔录")
    assert kinds.of("mediation") == ("mediation", kinds.kinds["mediation"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = “民事”", "第 1 行"),
        (MEDIATION.replace('english = "Mediation"\n', "", 1), "缺少 english"),
        ("color = 1\n" + MEDIATION, "不认识“color”"),
        (MEDIATION.replace("{申请人}", "{原告}"), "“{原告}”不是这里的诉讼地位"),
        (MEDIATION.replace('name = "申请人"', 'name = "调解员"').replace("{申请人}", ""), "“调解员”写了两次"),
        (MEDIATION.replace("public = false", 'public = "no"'), "“public”不合要求"),
        ("#" * (MAX_KIND_BYTES + 1), "64 KiB"),
    ],
)
def test_a_broken_file_leaves_the_shipped_kind_in_its_place_and_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "civil.toml").write_text(text, encoding="utf-8")
    kinds = read_kinds(tmp_path)
    assert kinds.kinds == shipped_kinds()
    assert len(kinds.faults) == 1
    assert "civil.toml" in kinds.faults[0]
    assert said in kinds.faults[0]


def test_what_is_no_folder_and_too_many_files_are_said(tmp_path: Path) -> None:
    assert read_kinds(tmp_path / "none").faults == ()
    (tmp_path / "Civil Case.toml").write_text(MEDIATION, encoding="utf-8")
    assert "文件名" in read_kinds(tmp_path).faults[0]
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "读不出" in read_kinds(tmp_path / "file").faults[0]
    for number in range(MOST_KINDS + 1):
        (tmp_path / f"own-{number}.toml").write_text(MEDIATION, encoding="utf-8")
    assert any("64" in fault for fault in read_kinds(tmp_path).faults)
    with pytest.raises(KindFileError, match="64 KiB"):
        kind_of_text("#" * (MAX_KIND_BYTES + 1), "civil.toml")


def test_a_case_is_of_the_kind_it_says_else_of_its_number_else_civil() -> None:
    kinds = read_kinds(None)
    assert kinds.of("hearing", "(2026)浙0106民初1号")[0] == "hearing"
    assert kinds.of("", "(2026)浙0106刑初1号")[0] == "criminal"
    assert kinds.of("gone", "(2026)浙0106行初1号")[0] == "administrative"
    assert kinds.of("gone", "演示")[0] == "civil"


def test_a_file_that_is_edited_is_read_again_without_a_restart(tmp_path: Path) -> None:
    shelf = KindShelf(tmp_path / "kinds")
    assert shelf.kinds().own == frozenset()
    (tmp_path / "kinds").mkdir()
    own = tmp_path / "kinds" / "mediation.toml"
    own.write_text(MEDIATION, encoding="utf-8")
    assert shelf.kinds().kinds["mediation"].paper == "调解笔录"
    assert shelf.kinds() is shelf.kinds()
    own.write_text(MEDIATION.replace("调解笔录", "调解记录表"), encoding="utf-8")
    assert shelf.kinds().kinds["mediation"].paper == "调解记录表"
    own.write_text("name =", encoding="utf-8")
    assert shelf.kinds().faults
