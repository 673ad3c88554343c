"""Write the dashboards for Grafana, `deploy/monitoring/*.json`: of a center, of its rooms, and of machines beside them.

    .venv/bin/python tools/make_dashboard.py

The panels are in `tools/dashboard_panels.py`. Grafana's own form of them is long, and nobody reads it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.dashboard_panels import CENTER, MACHINES, ROOMS, GraphPanel

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "monitoring"

WIDTH, HEIGHT, ACROSS = 8, 7, 3
"""Of a panel in Grafana's 24 columns, and how many stand beside each other."""
SOURCE = {"type": "prometheus", "uid": "${source}"}


def dashboard(title: str, uid: str, job: str, panels: Sequence[GraphPanel]) -> dict[str, Any]:
    """A dashboard in Grafana's form (schema 38: Grafana 10 or newer)."""
    return {
        "title": title,
        "uid": uid,
        "tags": ["wutong"],
        "schemaVersion": 38,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "label": "数据源", "type": "datasource", "query": "prometheus"},
                {"name": "job", "type": "constant", "query": job, "hide": 2},
            ]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: GraphPanel) -> dict[str, Any]:
    row, column = divmod(number, ACROSS)
    return {
        "id": number + 1,
        "title": panel.title,
        "type": "stat" if panel.stat else "timeseries",
        "datasource": SOURCE,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": column * WIDTH, "y": row * HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": None}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": asked, "legendFormat": legend}
            for i, (asked, legend) in enumerate(panel.asked)
        ],
    }


def dashboards() -> dict[Path, str]:
    """Each file and what belongs in it."""
    made = {
        FOLDER / "wutong-center.json": dashboard("五同 中心 Wutong center", "wutong-center", "wutong-center", CENTER),
        FOLDER / "wutong-machines.json": dashboard(
            "五同 副本与识别 Wutong copies and speech", "wutong-machines", "wutong-copyserver|wutong-speech", MACHINES
        ),
        FOLDER / "wutong-rooms.json": dashboard("五同 法庭 Wutong rooms", "wutong-rooms", "wutong-room", ROOMS),
    }
    return {path: json.dumps(value, ensure_ascii=False, indent=1) + "\n" for path, value in made.items()}


def main() -> int:
    """Command line."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in dashboards().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
