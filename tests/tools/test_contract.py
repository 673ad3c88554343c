"""The screens' contract is current, and says what the servers say."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType
from typing import Any

import pytest

from sync.record.event import Event
from sync.record.explanation import Explanation
from sync.record.hearing import Hearing
from sync.record.milliseconds import event_to_ms
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_contract", ROOT / "tools/make_contract.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def interfaces(tool: ModuleType) -> dict[str, set[str]]:
    """name -> keys of every interface that is written."""
    text = "\n".join(tool.contract().values())
    found = re.findall(r"^export interface (\w+) \{\n(.*?)^\}", text, flags=re.MULTILINE | re.DOTALL)
    return {name: set(re.findall(r"^  (\w+)\??:", body, flags=re.MULTILINE)) for name, body in found}


def test_the_files_are_current(tool: ModuleType) -> None:
    wanted: dict[Any, str] = tool.contract()
    assert set(tool.OUT.glob("*.ts")) == set(wanted), "run tools/make_contract.py"
    for path, text in wanted.items():
        assert path.read_text(encoding="utf-8") == text, "run tools/make_contract.py"
        assert text.startswith(tool.HEAD)


def test_no_time_is_in_nanoseconds(interfaces: dict[str, set[str]]) -> None:
    assert not {key for keys in interfaces.values() for key in keys if key.endswith("_ns")}


def test_a_hearing_is_shown_as_the_contract_says(interfaces: dict[str, set[str]]) -> None:
    event = Event(
        1, "h", "utterance", 5, 6, {"id": "u", "seat": "s", "role": "r", "start_ns": 1, "end_ns": 2, "text": ""}
    )
    shown = Hearing.of("h", [event]).to_json()
    assert set(shown) == interfaces["Hearing"]
    assert set(shown["utterances"][0]) == interfaces["Line"]
    assert set(event_to_ms(event)) == {"number", "hearing", "kind", "room_ms", "utc_ms", "body"}


def test_an_explanation_is_shown_as_the_contract_says(interfaces: dict[str, set[str]]) -> None:
    draft = Explanation("h", "", "", "", "", True, 0, None, 0, (), (), "")
    assert set(draft.to_json()) == interfaces["Explanation"]


def test_two_types_of_one_name_are_refused(tool: ModuleType) -> None:
    writer = tool.ContractWriter()
    writer.raw("room", "Seat", "")
    with pytest.raises(ValueError, match="Seat"):
        writer.raw("center", "Seat", "")
