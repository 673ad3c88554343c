"""What ships for Prometheus and Grafana asks only for what there is, and is what Prometheus takes."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from edge.api.room_metrics import CATALOG as ROOM
from server.api.center_metrics import CATALOG as CENTER
from server.copy_metrics import CATALOG as COPIES
from sync.http.monitoring.alarm_labels import ALARM_LABELS, OTHER
from sync.http.monitoring.definitions import MetricDefinition
from sync.http.monitoring.readings import LEFT_OUT
from sync.http.monitoring.scrape import COLLECTED, PART_UP
from tests.support.paths import ROOT
from transcriber.speech_metrics import CATALOG as SPEECH

FOLDER = ROOT / "deploy" / "monitoring"
RULES = FOLDER / "wutong.rules.yml"
DASHBOARDS = sorted(FOLDER.glob("*.json"))
BY_SAMPLE: dict[str, MetricDefinition] = {
    sample: metric
    for metric in (*ROOM, *CENTER, *COPIES, *SPEECH, LEFT_OUT, COLLECTED, PART_UP)
    for sample in metric.samples
}
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that Prometheus itself adds, and that of a histogram's bounds."""
_SELECTED = re.compile(r"\b(wutong_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_dashboard", ROOT / "tools/make_dashboard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def groups() -> list[dict[str, Any]]:
    loaded: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    assert set(loaded) == {"groups"}
    return list(loaded["groups"])


def alerts() -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group["rules"]]


def targets(path: Path) -> list[tuple[str, str]]:
    """(what is asked, its legend) of all panels."""
    panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
    return [(target["expr"], target["legendFormat"]) for panel in panels for target in panel["targets"]]


def wrong_in(asked: str) -> list[str]:
    """What of an expression of Prometheus is not there: metrics, and labels of them."""
    wrong, labels = [], set(OF_PROMETHEUS)
    for name, matchers in _SELECTED.findall(asked):
        metric = BY_SAMPLE.get(name)
        if metric is None:
            wrong.append(name)
            continue
        labels |= set(metric.labels)
        for label, value in _MATCHER.findall(matchers):
            if label not in {*metric.labels, *OF_PROMETHEUS}:
                wrong.append(f"{name}{{{label}}}")
            if label == "code" and name == "wutong_center_alarms":
                wrong += [code for code in value.split("|") if code not in ALARM_LABELS | {OTHER}]
    grouped = [label.strip() for found in _GROUPED.findall(asked) for label in found.split(",")]
    return wrong + [label for label in grouped if label not in labels]


def test_what_reads_expressions_finds_what_is_wrong_in_them() -> None:
    assert wrong_in('sum by (room) (wutong_center_alarms{code="fork"})') == []
    assert wrong_in("rate(wutong_center_events[5m])") == ["wutong_center_events"]
    assert wrong_in('wutong_center_alarms{code=~"fork|forks"}') == ["forks"]
    assert wrong_in('wutong_center_room_online{track="bench"}') == ["wutong_center_room_online{track}"]
    assert wrong_in("sum by (track) (wutong_center_room_online)") == ["track"]


def test_every_rule_asks_for_what_there_is_and_says_it_in_both_languages() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) > 25
    for rule in alerts():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert wrong_in(rule["expr"]) == [], rule["alert"]
        assert re.fullmatch(r"Wutong[A-Z][A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert rule["labels"]["severity"] in ("page", "work")
        summary = rule["annotations"]["summary"]
        assert re.search("[\u4e00-\u9fff]", summary)
        assert re.search(r"\([a-zA-Z/ ].*\)", summary)
        known = {label for name, _ in _SELECTED.findall(rule["expr"]) for label in BY_SAMPLE[name].labels}
        assert set(re.findall(r"\$labels\.(\w+)", summary)) <= known | OF_PROMETHEUS, rule["alert"]


def test_prometheus_itself_takes_the_rules_and_the_example() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here (apt install prometheus)")
    for what, file in (("rules", RULES), ("config", FOLDER / "prometheus.example.yml")):
        more = ["--syntax-only"] if what == "config" else []
        done = subprocess.run([promtool, "check", what, *more, str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_for_prometheus_is_of_the_ports_that_the_other_examples_open() -> None:
    example = yaml.safe_load((FOLDER / "prometheus.example.yml").read_text(encoding="utf-8"))
    jobs = {job["job_name"]: job for job in example["scrape_configs"]}
    center = tomllib.loads((ROOT / "systemd/center.example.toml").read_text(encoding="utf-8"))
    assert jobs["wutong-center"]["static_configs"][0]["targets"] == [f"127.0.0.1:{center['metrics']['port']}"]
    assert jobs["wutong-room"]["scheme"] == "https"
    assert jobs["wutong-room"]["authorization"]["type"] == "Bearer"
    assert example["rule_files"] == [RULES.name]
    for rule in alerts():
        named = [job for found in re.findall(r'job=~?"([^"]+)"', rule["expr"]) for job in found.split("|")]
        assert set(named) <= jobs.keys()


def test_the_dashboards_are_current(tool: ModuleType) -> None:
    assert sorted(tool.dashboards()) == DASHBOARDS
    for path, text in tool.dashboards().items():
        assert path.read_text(encoding="utf-8") == text, "run tools/make_dashboard.py"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_every_panel_asks_for_what_there_is(path: Path) -> None:
    whole = json.loads(path.read_text(encoding="utf-8"))
    assert len({panel["id"] for panel in whole["panels"]}) == len(whole["panels"]) > 15
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in whole["panels"]}
    assert len(places) == len(whole["panels"])
    for asked, legend in targets(path):
        assert wrong_in(asked) == [], asked
        known = {label for name, _ in _SELECTED.findall(asked) for label in BY_SAMPLE[name].labels}
        grouped = {label.strip() for found in _GROUPED.findall(asked) for label in found.split(",")}
        assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= (grouped or known | OF_PROMETHEUS), asked


@pytest.mark.parametrize(
    ("catalog", "path"),
    [
        (CENTER, "wutong-center.json"),
        (ROOM, "wutong-rooms.json"),
        (COPIES, "wutong-machines.json"),
        (SPEECH, "wutong-machines.json"),
    ],
)
def test_every_metric_is_on_a_dashboard(catalog: Collection[MetricDefinition], path: str) -> None:
    asked = {name for expression, _ in targets(FOLDER / path) for name, _ in _SELECTED.findall(expression)}
    missing = [metric.name for metric in catalog if not metric.samples & asked and metric.name != "wutong_ready_part"]
    assert missing == []


def test_the_files_are_in_the_wheel() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    assert hatch["build"]["targets"]["wheel"]["force-include"]["deploy/monitoring"] == "wutong/monitoring"


def test_the_codes_of_alarms_are_those_that_operators_read_of() -> None:
    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = operations[operations.index("## Alarms") :].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    named = {code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)}
    assert named == ALARM_LABELS
