"""What stands on the dashboards for Grafana: each panel is a line here, its title, its unit and what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class GraphPanel(NamedTuple):
    """A graph, or with `stat` the newest number alone. `asked`: (what is asked of Prometheus, its legend)."""

    title: str
    unit: str
    asked: Sequence[tuple[str, str]]
    stat: bool = False


def quantiles(buckets: str) -> list[tuple[str, str]]:
    """What is asked of a histogram of durations."""
    asked = "histogram_quantile({}, sum by (le) (rate({}[5m])))"
    return [(asked.format(q, buckets), f"p{int(q * 100)}") for q in (0.5, 0.95, 0.99)]


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
        quantiles("wutong_center_receipt_seconds_bucket"),
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
        quantiles("wutong_center_database_write_seconds_bucket"),
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
        "分片与法庭归属 leases",
        "short",
        [
            ("wutong_center_leases", "分片 {{instance}}"),
            ("sum(wutong_center_leases)", "分片合计"),
            ("wutong_center_rooms_owned", "法庭 {{state}} {{instance}}"),
        ],
    ),
    GraphPanel(
        "接管与续租 take-overs, renewals",
        "short",
        [
            ("wutong_center_lease_round_age_seconds", "续租至今秒数 {{instance}}"),
            ("increase(wutong_center_take_overs_total[15m])", "接管 {{instance}}"),
            ("increase(wutong_center_take_overs_failed_total[15m])", "接管失败 {{instance}}"),
            ("increase(wutong_center_lease_rounds_failed_total[15m])", "续租失败 {{instance}}"),
        ],
    ),
    GraphPanel(
        "转交 handed on",
        "short",
        [
            ("rate(wutong_center_forwarded_total[5m])", "每秒 {{instance}}"),
            ("wutong_center_forwarding", "进行中 {{instance}}"),
            ("sum by (code) (rate(wutong_center_forward_failed_total[5m]))", "每秒失败 {{code}}"),
        ],
    ),
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
        [("wutong_center_rooms", "{{instance}}"), ("wutong_center_info", "{{version}} {{role}}")],
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
MACHINES = [
    GraphPanel(
        "就绪 ready",
        "bool_yes_no",
        [
            ('wutong_ready{job=~"$job"}', "{{instance}}"),
            ('wutong_ready_part{job=~"$job"} == 0', "{{instance}} {{part}}"),
        ],
        stat=True,
    ),
    GraphPanel(
        "副本 copies kept",
        "ops",
        [
            ("sum by (instance, kind) (rate(wutong_copies_stored_total[5m]))", "{{instance}} {{kind}}"),
            ("rate(wutong_copies_again_total[5m])", "重复 {{instance}}"),
        ],
    ),
    GraphPanel("副本写入 copied", "Bps", [("rate(wutong_copies_stored_bytes_total[5m])", "{{instance}}")]),
    GraphPanel(
        "未收下的副本 copies refused, replaced",
        "short",
        [
            ("sum by (instance, code) (increase(wutong_copies_refused_total[1h]))", "{{instance}} {{code}}"),
            ("increase(wutong_copies_replaced_total[1h])", "同名 {{instance}}"),
        ],
    ),
    GraphPanel(
        "距上次收到副本 last copy of a room",
        "s",
        [("topk(10, wutong_copies_last_stored_age_seconds)", "{{instance}} {{room}}")],
    ),
    GraphPanel(
        "未完成的上传 unfinished uploads",
        "short",
        [("wutong_copies_uploads", "{{instance}}"), ("wutong_copies_rooms", "法庭 {{instance}}")],
    ),
    GraphPanel(
        "副本磁盘 disk of the copies",
        "bytes",
        [
            ("wutong_copies_disk_free_bytes", "剩余 {{instance}}"),
            ("wutong_copies_disk_size_bytes", "总量 {{instance}}"),
            ("wutong_copies_upload_bytes", "未完成 {{instance}}"),
        ],
    ),
    GraphPanel(
        "识别请求 questions of speech",
        "ops",
        [("sum by (instance, question) (rate(wutong_speech_answers_total[5m]))", "{{instance}} {{question}}")],
    ),
    GraphPanel(
        "识别应答 answers",
        "s",
        quantiles("wutong_speech_answer_seconds_bucket"),
    ),
    GraphPanel(
        "识别进程 processes of the model",
        "short",
        [
            ("wutong_speech_busy_processes", "忙 {{instance}}"),
            ("wutong_speech_processes", "全部 {{instance}}"),
            ("wutong_speech_waiting_questions", "等待 {{instance}}"),
            ("wutong_speech_waiting_most", "等待上限 {{instance}}"),
        ],
    ),
    GraphPanel(
        "未识别、重启 not answered, restarts",
        "short",
        [
            ("sum by (instance, code) (increase(wutong_speech_refused_total[1h]))", "{{instance}} {{code}}"),
            ("increase(wutong_speech_restarts_total[1h])", "重启 {{instance}}"),
        ],
    ),
    GraphPanel("识别的语音 sound heard", "short", [("rate(wutong_speech_heard_seconds_total[5m])", "{{instance}}")]),
    GraphPanel(
        "事件循环延迟 loop delay",
        "s",
        [
            ("wutong_copies_loop_delay_seconds", "副本 {{instance}}"),
            ("wutong_speech_loop_delay_seconds", "识别 {{instance}}"),
        ],
    ),
    GraphPanel("采集 scrape", "bool_yes_no", [('wutong_scrape_part_up{job=~"$job"}', "{{instance}} {{part}}")]),
    GraphPanel(
        "证书 certificates",
        "s",
        [
            ("wutong_copies_certificate_left_seconds", "副本 {{instance}} {{certificate}}"),
            ("wutong_speech_certificate_left_seconds", "识别 {{instance}} {{certificate}}"),
        ],
        stat=True,
    ),
    GraphPanel(
        "版本 versions",
        "short",
        [("wutong_copies_info", "副本 {{version}}"), ("wutong_speech_info", "识别 {{version}} {{model}}")],
        stat=True,
    ),
]
