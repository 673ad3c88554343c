"""Write the dashboards for Grafana, `deploy/monitoring/*.json`: one of a center and one of its rooms.

    .venv/bin/python tools/make_dashboard.py

A panel is a line here: title, unit and what is asked. Grafana's own form of it is long, and nobody reads it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "monitoring"

WIDTH, HEIGHT, ACROSS = 8, 7, 3
"""Of a panel in Grafana's 24 columns, and how many stand beside each other."""
SOURCE = {"type": "prometheus", "uid": "${source}"}


class GraphPanel(NamedTuple):
    """A graph, or with `stat` the newest number alone. `asked`: (what is asked of Prometheus, its legend)."""

    title: str
    unit: str
    asked: Sequence[tuple[str, str]]
    stat: bool = False


CENTER = [
    GraphPanel("就绪 ready", "bool_yes_no", [('wutong_ready{job=~"$job"}', "{{instance}}")], stat=True),
    GraphPanel(
        "在线法庭 rooms online",
        "short",
        [
            ("sum by (instance) (wutong_center_room_online)", "{{instance}}"),
            ("wutong_center_rooms_in_hearing", "开庭 {{instance}}"),
        ],
        stat=True,
    ),
    GraphPanel("告警 alarms", "short", [("sum by (code) (wutong_center_alarms)", "{{code}}")]),
    GraphPanel(
        "事件 events",
        "ops",
        [
            ("sum by (instance) (rate(wutong_center_events_total[5m]))", "{{instance}}"),
            ("sum by (instance) (rate(wutong_center_events_again_total[5m]))", "重复 {{instance}}"),
            ("sum by (instance) (rate(wutong_center_events_not_stored_total[5m]))", "未存 {{instance}}"),
        ],
    ),
    GraphPanel(
        "回执 receipts",
        "s",
        [
            (
                f"histogram_quantile({q}, sum by (le) (rate(wutong_center_receipt_seconds_bucket[5m])))",
                f"p{int(q * 100)}",
            )
            for q in (0.5, 0.95, 0.99)
        ],
    ),
    GraphPanel(
        "拒收 refused",
        "ops",
        [
            ("sum by (code) (rate(wutong_center_refused_total[15m]))", "{{code}}"),
            ("rate(wutong_center_messages_refused_total[15m])", "消息 {{instance}}"),
            ("rate(wutong_center_messages_failed_total[15m])", "出错 {{instance}}"),
        ],
    ),
    GraphPanel(
        "数据库写入 database writes",
        "s",
        [
            (
                f"histogram_quantile({q}, sum by (le) (rate(wutong_center_database_write_seconds_bucket[5m])))",
                f"p{int(q * 100)}",
            )
            for q in (0.5, 0.95, 0.99)
        ],
    ),
    GraphPanel(
        "等待 waiting",
        "short",
        [
            ("wutong_center_inbox_messages", "收件 {{inbox}}"),
            ("wutong_center_database_queue", "数据库"),
            ("wutong_center_witness_queue", "见证"),
            ("wutong_center_audit_rows_waiting", "审计"),
        ],
    ),
    GraphPanel(
        "丢弃与错误 dropped, failed",
        "ops",
        [
            ("rate(wutong_center_inbox_dropped_total[5m])", "收件 {{inbox}}"),
            ("rate(wutong_center_database_failed_total[5m])", "数据库 {{act}}"),
        ],
    ),
    GraphPanel(
        "见证 witness",
        "ops",
        [
            ("rate(wutong_center_witnessed_total[5m])", "{{instance}}"),
            ("sum by (code) (rate(wutong_center_witness_refused_total[15m]))", "{{code}}"),
        ],
    ),
    GraphPanel(
        "上传 uploads",
        "bytes",
        [
            ("wutong_center_upload_bytes", "{{instance}}"),
            ("wutong_center_broker_backlog_bytes", "消息服务器 {{instance}}"),
        ],
    ),
    GraphPanel("未完成的上传 unfinished uploads", "short", [("wutong_center_uploads", "{{instance}}")]),
    GraphPanel(
        "磁盘 disk",
        "bytes",
        [
            ("wutong_center_disk_free_bytes", "剩余 {{instance}}"),
            ("wutong_center_disk_size_bytes", "总量 {{instance}}"),
        ],
    ),
    GraphPanel(
        "直播 live",
        "short",
        [("wutong_center_live_clients", "页面 {{instance}}"), ("wutong_center_tracks_watched", "轨道 {{instance}}")],
    ),
    GraphPanel("直播片段 live fragments", "ops", [("rate(wutong_center_fragments_total[1m])", "{{instance}}")]),
    GraphPanel(
        "事件循环延迟 loop delay",
        "s",
        [
            ("wutong_center_loop_delay_seconds", "{{instance}}"),
            ("wutong_scrape_collection_seconds", "采集 {{instance}}"),
        ],
    ),
    GraphPanel(
        "消息服务器、采集 broker, scrape",
        "bool_yes_no",
        [("wutong_center_broker_connected", "消息服务器 {{instance}}"), ("wutong_scrape_part_up", "{{part}}")],
    ),
    GraphPanel(
        "法庭时钟差 clocks of rooms", "s", [("topk(10, abs(wutong_center_room_clock_ahead_seconds))", "{{room}}")]
    ),
    GraphPanel(
        "中心证书 certificates", "s", [("wutong_center_certificate_left_seconds", "{{certificate}}")], stat=True
    ),
    GraphPanel(
        "法庭证书 certificates of rooms",
        "s",
        [("bottomk(10, wutong_center_room_certificate_left_seconds)", "{{room}} {{certificate}}")],
    ),
    GraphPanel(
        "法庭总数、版本 rooms, version",
        "short",
        [("wutong_center_rooms", "{{instance}}"), ("wutong_center_info", "{{version}}")],
        stat=True,
    ),
]
ROOMS = [
    GraphPanel("庭审 in hearing", "bool_yes_no", [("wutong_room_in_hearing", "{{instance}}")], stat=True),
    GraphPanel(
        "就绪 ready",
        "bool_yes_no",
        [('wutong_ready{job=~"$job"}', "{{instance}}"), ("wutong_ready_part == 0", "{{instance}} {{part}}")],
        stat=True,
    ),
    GraphPanel("告警 alarms", "short", [("wutong_room_alarms", "{{instance}} {{code}}")]),
    GraphPanel("服务 services", "bool_yes_no", [("wutong_room_service_up", "{{instance}} {{service}}")]),
    GraphPanel(
        "距上一片段 last fragment", "s", [("wutong_recorder_last_fragment_age_seconds", "{{instance}} {{track}}")]
    ),
    GraphPanel(
        "录制 tracks",
        "short",
        [
            ("sum by (instance) (wutong_recorder_track_running)", "工作 {{instance}}"),
            ("sum by (instance) (wutong_recorder_track_kept)", "保存 {{instance}}"),
        ],
    ),
    GraphPanel(
        "写入片段 fragments written", "ops", [("rate(wutong_recorder_fragments_total[1m])", "{{instance}} {{track}}")]
    ),
    GraphPanel(
        "缺口 gaps",
        "s",
        [
            ("increase(wutong_recorder_gap_seconds_total[1h])", "{{instance}} {{track}}"),
            ("increase(wutong_recorder_gaps_total[1h])", "次数 {{instance}} {{track}}"),
        ],
    ),
    GraphPanel(
        "未收下的片段、重启 dropped, restarts",
        "short",
        [
            ("increase(wutong_recorder_dropped_total[1h])", "{{instance}} {{track}}"),
            ("increase(wutong_recorder_restarts_total[1h])", "重启 {{instance}} {{track}}"),
        ],
    ),
    GraphPanel("磁盘写入 disk writes", "s", [("wutong_recorder_write_wait_seconds", "{{instance}}")]),
    GraphPanel(
        "等待写入 waiting for the disk",
        "short",
        [
            ("sum by (instance) (wutong_recorder_writer_queue)", "片段 {{instance}}"),
            ("wutong_recorder_events_waiting", "事件 {{instance}}"),
        ],
    ),
    GraphPanel("磁盘还能录 disk left", "s", [("wutong_recorder_disk_left_seconds", "{{instance}}")]),
    GraphPanel(
        "磁盘 disk",
        "bytes",
        [
            ("wutong_recorder_disk_free_bytes", "剩余 {{instance}}"),
            ("wutong_recorder_copy_pending_bytes", "未备份 {{instance}}"),
        ],
    ),
    GraphPanel("语音识别延迟 words", "s", [("wutong_transcriber_lag_seconds", "{{instance}}")]),
    GraphPanel(
        "语音识别 speech recognition",
        "short",
        [
            ("wutong_transcriber_queue", "等待 {{instance}}"),
            ("wutong_transcriber_hearings", "庭审 {{instance}}"),
            ("wutong_transcriber_state == 1", "{{instance}} {{state}}"),
        ],
    ),
    GraphPanel(
        "未获回执的事件 outbox",
        "short",
        [("wutong_uplink_outbox_events", "{{instance}}"), ("wutong_uplink_refused_events", "拒收 {{instance}}")],
    ),
    GraphPanel(
        "最早未获回执、上次回执 oldest, last receipt",
        "s",
        [
            ("wutong_uplink_oldest_event_age_seconds", "{{instance}}"),
            ("wutong_uplink_last_receipt_age_seconds", "上次回执 {{instance}}"),
        ],
    ),
    GraphPanel("回执 receipted", "ops", [("rate(wutong_uplink_receipted_events_total[5m])", "{{instance}}")]),
    GraphPanel(
        "待上传 uploads waiting",
        "bytes",
        [
            ("wutong_uplink_upload_backlog_bytes", "{{instance}}"),
            ("wutong_uplink_broker_backlog_bytes", "消息服务器 {{instance}}"),
        ],
    ),
    GraphPanel(
        "待上传文件 files waiting",
        "short",
        [("wutong_uplink_upload_backlog_files", "{{instance}}"), ("wutong_uplink_upload_refused", "被拒 {{instance}}")],
    ),
    GraphPanel(
        "与中心的连接 way to the center",
        "bool_yes_no",
        [
            ("wutong_uplink_broker_connected", "消息服务器 {{instance}}"),
            ("wutong_uplink_center_reachable", "中心 {{instance}}"),
            ("wutong_uplink_trust == 1", "{{instance}} {{state}}"),
        ],
    ),
    GraphPanel(
        "签名 signatures",
        "ops",
        [
            ("rate(wutong_signer_signatures_total[5m])", "{{instance}}"),
            ("rate(wutong_signer_refused_total[5m])", "拒签 {{instance}}"),
        ],
    ),
    GraphPanel(
        "时钟 clock",
        "s",
        [
            ("wutong_room_clock_error_seconds", "误差 {{instance}}"),
            ("wutong_room_clock_ahead_seconds", "与中心 {{instance}}"),
            ("wutong_room_loop_delay_seconds", "循环 {{instance}}"),
        ],
    ),
    GraphPanel("时钟来源 clock source", "bool_yes_no", [("wutong_room_clock_synchronized", "{{instance}}")]),
    GraphPanel("证书 certificates", "s", [("wutong_room_certificate_left_seconds", "{{instance}} {{certificate}}")]),
    GraphPanel("法庭、版本 rooms, versions", "short", [("wutong_room_info", "{{room}} {{version}}")], stat=True),
]


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
