"""Folders made to break the verifier: always a verdict, never a traceback, and never a good one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.exports.honest_exports import Forge
from wutong.export import forms
from wutong.verify.verdict import Verdict

SMALL = (
    forms.INDEX,
    forms.SIGNATURE,
    forms.LEAVES,
    forms.CHECKPOINTS,
    forms.DEVICE,
    "transcript.json",
    "certificate.json",
)
hostile_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KINDS = ["open", "pause", "resume", "close", "segment", "gap", "alarm", "clock", "utterance", "revision", "exhibit",
         "present", "mark", "seal", "access"]  # fmt: skip
KEYS = [
    "track",
    "index",
    "from_ns",
    "to_ns",
    "id",
    "text",
    "tracks",
    "seats",
    "case",
    "by_ns",
    "sha256",
    "bytes",
    "page",
]


def fuzzed(**options: Any) -> settings:
    return settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), **options)


@pytest.mark.parametrize("form", ["wutong-export/4", "wutong-export/2.1-rc", "wutong-export/12345"])
def test_an_export_of_another_form_is_not_judged_by_this_program(forge: Forge, form: str) -> None:
    """What it holds is its own affair: nothing of it is called false."""
    forgery = forge("pause")
    forgery.write(forms.INDEX, json.dumps({"form": form, "anything": "else"}).encode())
    forgery.remove("transcript.txt")
    forgery.write("captions/zh.vtt", b"WEBVTT")
    (forgery.folder / "link").symlink_to("captions")
    judgment = forgery.judge()
    assert (judgment.verdict, [r.code for r in judgment.reasons]) == (Verdict.NOT_VERIFIABLE, ["form"])
    for lang in ("zh", "en"):
        assert form in judgment.reasons[0].text(lang)
        assert forms.FORM in judgment.reasons[0].text(lang)
    assert int(judgment.verdict) == 40


def test_an_index_without_a_form_of_ours_is_false(forge: Forge) -> None:
    forgery = forge("pause")
    index = forgery.read(forms.INDEX)
    forgery.write(forms.INDEX, index.replace(forms.FORM.encode(), b"letters/1"))
    assert "index" in {r.code for r in forgery.judge().reasons}


@pytest.mark.parametrize("name", SMALL)
def test_bytes_changed_at_random_are_never_authentic(forge: Forge, name: str) -> None:
    forgery = forge("pause")
    honest = forgery.read(name)

    @fuzzed()
    @given(st.integers(0, len(honest) - 1), st.binary(min_size=1, max_size=8), st.booleans())
    def change(place: int, data: bytes, cut: bool) -> None:
        forged = honest[:place] + data + (b"" if cut else honest[place + len(data) :])
        if forged == honest:
            return
        forgery.write(name, forged)
        judgment = forgery.judge()
        assert judgment.verdict is not Verdict.AUTHENTIC
        for reason in judgment.reasons:
            assert reason.text("zh")
            assert reason.text("en")

    change()


def test_leaves_with_bodies_of_any_form_are_a_verdict(forge: Forge) -> None:
    forgery = forge("pause")
    honest = forgery.leaves

    @fuzzed()
    @given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), hostile_json, max_size=6))
    def append(kind: str, body: dict[str, Any]) -> None:
        last = json.loads(honest[-1])
        value = {**last, "number": last["number"] + 1, "kind": kind, "body": body}
        forgery.leaves = [*honest, json.dumps(value, sort_keys=True, separators=(",", ":")).encode()]
        assert forgery.judge().verdict is not Verdict.AUTHENTIC

    append()


def test_an_index_of_any_form_is_a_verdict(forge: Forge) -> None:
    forgery = forge("pause")

    @fuzzed()
    @given(
        hostile_json | st.dictionaries(st.sampled_from(["form", "room", "hearing", "files", "leaves"]), hostile_json)
    )
    def replace(value: Any) -> None:
        forgery.write(forms.INDEX, json.dumps(value).encode())
        assert forgery.judge().verdict is Verdict.NOT_AUTHENTIC

    replace()


@pytest.mark.parametrize("name", [forms.INDEX, forms.LEAVES, forms.CHECKPOINTS])
@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 100_000, b"\xff\xfe" * 1000, b"", b"\n" * 1000, b'{"note": 5}\n'],
    ids=["nested-lists", "nested-objects", "long-number", "no-text", "empty", "empty-lines", "wrong-type"],
)
def test_deep_long_and_empty_files_are_a_verdict(forge: Forge, name: str, data: bytes) -> None:
    forgery = forge("pause")
    forgery.write(name, data)
    assert forgery.judge().verdict in (Verdict.NOT_AUTHENTIC, Verdict.NOT_VERIFIABLE)


def test_an_empty_folder_is_not_verifiable(forge: Forge, tmp_path: Path) -> None:
    forgery = forge("pause")
    shutil.rmtree(forgery.folder)
    forgery.folder.mkdir()
    judgment = forgery.judge()
    assert judgment.verdict is Verdict.NOT_VERIFIABLE
    assert "folder" in {reason.code for reason in judgment.reasons}
