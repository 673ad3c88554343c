"""Known vulnerabilities of what is pinned: which lines count, what an index says, and where it is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.paths import ROOT
from tools import audit


def test_every_pin_of_every_lock_is_asked_for_once() -> None:
    locks = sorted((ROOT / "locks").glob("*.lock"))
    wanted = audit.pins(locks)
    assert len(wanted) == len(set(wanted)) > 100
    names = {name for name, _ in wanted}
    assert {"fastapi", "cryptography", "uv", "hatchling", "sherpa-onnx", "atheris", "schemathesis"} <= names
    assert all(version[0].isdigit() for _, version in wanted)


def test_what_was_withdrawn_or_accepted_is_no_finding() -> None:
    answer = {
        "vulnerabilities": [
            {
                "id": "PYSEC-1",
                "aliases": ["CVE-1"],
                "fixed_in": ["2.0", "1.9.1"],
                "summary": "evil\nmore",
                "withdrawn": None,
            },
            {"id": "PYSEC-2", "aliases": [], "fixed_in": [], "details": "odd", "withdrawn": "2026-01-01"},
            {"id": "PYSEC-3", "aliases": ["CVE-3"], "fixed_in": [], "details": "not ours"},
        ]
    }
    assert [a.id for a in audit.advisories(("a", "1"), answer, {})] == ["PYSEC-1", "PYSEC-3"]
    assert [a.id for a in audit.advisories(("a", "1"), answer, {"b CVE-3": "of another"})] == ["PYSEC-1", "PYSEC-3"]
    [found] = audit.advisories(("a", "1"), answer, {"a CVE-3": "the function is not called"})
    assert str(found) == "a 1: PYSEC-1 (mended in 2.0, 1.9.1) evil"
    for nothing in ({}, {"vulnerabilities": None}):
        assert [*audit.advisories(("a", "1"), nothing, {})] == []


def test_what_is_accepted_has_a_reason_and_an_end(tmp_path: Path) -> None:
    today = dt.date(2026, 11, 29)
    audit.accepted(audit.ACCEPTED, today)
    file = tmp_path / "accepted.toml"
    entry = '[[accepted]]\nid = "CVE-3"\npackage = "A"\n'
    file.write_text(entry + 'reason = "the function is not called"\nuntil = 2026-11-30\n')
    assert audit.accepted(file, today) == {"a CVE-3": "the function is not called"}
    assert audit.accepted(file, today + dt.timedelta(days=1)) == {}
    for lacking in ('reason = "the function is not called"\n', 'until = 2027-01-01\nreason = "no"\n'):
        file.write_text(entry + lacking)
        with pytest.raises(ValueError, match="CVE-3"):
            audit.accepted(file, today)


PINS = [(f"p{n}", "1") for n in range(20)]
EVIL = {"vulnerabilities": [{"id": "PYSEC-9", "fixed_in": ["2"], "summary": "evil"}]}


def test_a_pin_that_was_not_asked_is_named_and_makes_it_not_clean(tmp_path: Path) -> None:
    def ask(pin: audit.Pin) -> Mapping[str, Any]:
        if pin == PINS[3]:
            raise httpx.ConnectTimeout("")
        if pin == PINS[5]:
            raise ValueError("only 2 is known there")
        return EVIL if pin == PINS[7] else {}

    answers = audit.Answers(tmp_path)
    asked = audit.ask_all(PINS, ask, answers, {}, seconds=60)
    assert asked.not_asked == {PINS[3]: "ConnectTimeout", PINS[5]: "only 2 is known there"}
    assert [found.package for found in asked.found] == ["p7"]
    assert asked.code == audit.FOUND
    asked = audit.ask_all(PINS, ask, answers, {"p7 PYSEC-9": "accepted"}, seconds=60)
    assert (asked.code, len(asked.not_asked)) == (audit.NOT_ASKED, 2)


def test_a_run_that_was_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    now = [0.0]
    answers = audit.Answers(tmp_path, lambda: now[0])
    first = audit.ask_all(PINS[:8], lambda pin: EVIL, answers, {}, seconds=60)
    assert len(first.found) == 8
    told: list[tuple[int, int]] = []
    cut = audit.ask_all(PINS, _fails, answers, {}, seconds=0, say=lambda *said: told.append(said))
    assert (len(cut.found), sorted(cut.not_asked)) == (8, sorted(PINS[8:]))
    assert told == [(n, 20) for n in range(1, 21)]
    rest = audit.ask_all(PINS, lambda pin: {}, answers, {}, seconds=60)
    assert (len(rest.found), rest.not_asked) == (8, {})
    again = audit.ask_all(PINS, lambda pin: {}, answers, {}, seconds=60, fresh=True)
    assert again.code == audit.NONE
    now[0] = audit.KEPT_S
    assert len(audit.ask_all(PINS, _fails, answers, {}, seconds=60).not_asked) == 20


def _fails(pin: audit.Pin) -> Mapping[str, Any]:
    raise ValueError("it is asked again")


def _served(answer: httpx.Response | Exception) -> audit.AdvisoryIndex:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return audit.AdvisoryIndex(httpx.Client(transport=httpx.MockTransport(handle)), "https://index.example/simple")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(500),
        httpx.Response(200, content=b"<html>sign in</html>"),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, content=b" " * 2048),
        httpx.ReadTimeout("slow"),
    ],
)
def test_an_index_that_gives_no_answer_is_said_to_have_given_none(
    answer: httpx.Response | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ANSWER_BYTES", 1024)
    with pytest.raises((ValueError, httpx.HTTPError)):
        _served(answer).ask(("a", "1"))
    assert _served(httpx.Response(200, json=EVIL)).ask(("a", "1")) == EVIL


@pytest.mark.parametrize(
    "index", ["https://index.example/simple", "https://index.example/simple/", "https://index.example"]
)
def test_the_json_is_asked_of_the_index_that_installs(index: str) -> None:
    assert audit.json_address(index, "a", "1.0") == "https://index.example/pypi/a/1.0/json"


def test_a_pin_is_a_line_with_two_equal_signs(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text("A.b==1.0 ; python_version < '4' \\\n    --hash=sha256:00\n# c==2\nd>=3\na.b==1.0\n")
    assert audit.pins([lock]) == [("a.b", "1.0")]


def test_a_mirror_that_knows_the_newest_alone_says_nothing_of_others() -> None:
    answer = {"info": {"version": "2.0"}, "vulnerabilities": []}
    assert audit.of_newest("2.0", answer) is answer
    with pytest.raises(ValueError, match=r"only 2\.0 is known"):
        audit.of_newest("1.0", answer)
    with pytest.raises(ValueError, match="nothing"):
        audit.of_newest("1.0", {})
