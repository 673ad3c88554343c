"""录音录像情况说明 and the draft of a written explanation as PDF: A4, Chinese, the font inside of the file.

Everything in them comes from `wutong.export.derived.certificate` and `sync.record.explanation`; the PDF is for paper
and signatures, and covered by the exporter's signature only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from fpdf.enums import XPos, YPos

from sync.paper.characters import printable
from sync.paper.sheet import Paper
from wutong.export.derived.certificate import TITLE
from wutong.export.derived.clock_text import clock_text

_SIGNED = ("书记员", "审判长（独任审判员）", "当事人及其他诉讼参与人", "日期")
_ALARMS = 60
"""More alarms than that are in certificate.json only."""


def certificate_pdf(value: Mapping[str, Any], *, explained: bool) -> bytes:
    """The certificate that `certificate_of` made; `explained`: a draft of a written explanation lies beside it."""
    page = _Page(f"{value['hearing']}")
    page.banner(TITLE)
    _heads(page, value)
    _course(page, value, explained=explained)
    _clock(page, value)
    _ledger(page, value)
    page.signatures(_SIGNED)
    _checks(page, value)
    return page.made()


def explanation_pdf(text: str) -> bytes:
    """The draft of `sync.record.explanation`, whose first line is its title."""
    title, _, rest = text.partition("\n")
    page = _Page(title)
    page.banner(title)
    for line in rest.strip("\n").split("\n"):
        page.prose(line, gap=1.2 if line else 3.0)
    return page.made()


def _heads(page: _Page, value: Mapping[str, Any]) -> None:
    case = value["case"]
    parties = case.get("parties", {}) if isinstance(case, Mapping) else {}
    page.pair("法院 / 法庭", f"{value['court_name'] or value['room']}　{value['room_name']}")
    page.pair("案号", str(case.get("case_no", "")))
    page.pair("案由", str(case.get("cause", "")))
    page.pair("当事人", "；".join(f"{role}：{name}" for role, name in parties.items() if role != "书记员") or "—")
    page.pair("书记员", value["clerk"] or "＿＿＿＿＿＿＿＿")
    page.pair("庭审编号", str(value["hearing"]))
    if value["excerpt"] is not None:
        span = value["excerpt"]
        page.pair("摘录", f"仅 {_at(span['from_ms'])} 至 {_at(span['to_ms'])}（自开庭起）")


def _course(page: _Page, value: Mapping[str, Any], *, explained: bool) -> None:
    page.heading("一、录制过程")
    page.pair("开始（开庭）", _utc(value["opened_utc_ns"]))
    closed = value["closed_utc_ns"]
    page.pair("结束（闭庭）", "尚未闭庭" if closed is None else f"{_utc(closed)}（时长 {_at(value['closed_ms'])}）")
    if value["preroll_ms"]:
        page.pair("预录", f"开庭前 {value['preroll_ms'] / 1000:.1f} 秒")
    page.pair("录制轨道", "、".join(t["name"] or t["id"] for t in value["tracks"]))
    page.pair("中断及事由", "" if value["interruptions"] else "无")
    for item in value["interruptions"]:
        until = "未恢复" if item["to_ms"] is None else _at(item["to_ms"])
        page.item(f"{_at(item['from_ms'])} 至 {until}：{item['reason_text']}（法释〔2017〕5号第三条）")
    page.pair("缺失及原因", "" if value["gaps"] else "无")
    for item in value["gaps"]:
        page.item(f"{item['name']}：{_tenths(item['from_ms'])} 至 {_tenths(item['to_ms'])}，{item['why']}")
    alarms = value["alarms"]
    page.pair("告警", "" if alarms else "无")
    for item in alarms[:_ALARMS]:
        until = "未消除" if item["to_ms"] is None else f"{_at(item['to_ms'])} 消除"
        page.item(f"{_at(item['from_ms'])}：{item['text']}（{until}）")
    if len(alarms) > _ALARMS:
        page.item(f"另有 {len(alarms) - _ALARMS} 条，见 certificate.json")
    words = value["words"]
    complete = {None: "", True: "", False: "；封存时文字识别尚未完成"}[words["complete"]]
    page.pair("文字", f"{words['utterances']} 条，修订 {words['revisions']} 次{complete}")
    signing = value["signing"]
    if signing["transcripts"]:
        signed = f"核对 {signing['transcripts']} 版，签名 {signing['signatures']} 次，拒绝签名 {signing['refusals']} 次"
        objected = f"异议 {signing['objections']} 件（未予更正 {signing['objections_refused']} 件）"
        page.pair("笔录核对", f"{signed}，{objected}；笔录文件 {len(value['documents'])} 份")
    if explained:
        page.pair("书面说明", "存在故障或缺失，草稿见 explanation.pdf（第四条）")


def _clock(page: _Page, value: Mapping[str, Any]) -> None:
    page.heading("二、时间")
    clock = value["clock"]
    error = clock["error_ms"]
    source = {"chrony": "chrony（网络授时）", "free-running": "设备自身时钟（未授时）"}.get(
        clock["source"], clock["source"]
    )
    page.pair("时钟来源", f"{source or '未记录'}" + ("" if error is None else f"，误差不超过 {error:.1f} 毫秒"))
    page.pair("时钟调整", "" if clock["steps"] else "无")
    for step in clock["steps"]:
        page.item(f"{_at(step['at_ms'])}：系统时间改变 {step['by_ms'] / 1000:+.3f} 秒（录制时间轴不受影响）")


def _ledger(page: _Page, value: Mapping[str, Any]) -> None:
    page.heading("三、完整性")
    ledger = value["ledger"]
    device = ledger["device"]
    page.pair("设备证书", "无（设备未登记）" if device is None else f"{device['subject']}，序列号 {device['serial']}")
    if device is not None:
        page.pair("证书有效期", f"{device['valid_from']} 至 {device['valid_to']}")
    if ledger["leaves"] is None:
        page.pair("账本", "没有设备签名")
    else:
        state = "已封存" if ledger["sealed"] else "未封存"
        page.pair("账本", f"{ledger['leaves']} 条，{state}，设备签名于 {_utc(ledger['signed_utc_ns'])}")
        page.pair("账本根", "")
        page.mono(ledger["root"])
    page.pair("校验值", "每一录音录像文件和证据文件的完整性校验值（SHA-256、SM3）附后，共 "
              f"{len(value['segments'])} 个录音录像文件、{len(value['exhibits'])} 件证据。")  # fmt: skip
    page.prose("验证方法：wutong verify 文件夹 --center-key 中心公钥。", gap=1)


def _checks(page: _Page, value: Mapping[str, Any]) -> None:
    page.add_page()
    page.heading("附：完整性校验值")
    for segment in value["segments"]:
        page.check(
            f"{segment['path']}　{_at(segment['from_ms'])} – {_at(segment['to_ms'])}　{segment['bytes']:,} 字节",
            segment["sha256"],
            segment["sm3"],
        )
    for exhibit in value["exhibits"]:
        page.check(
            f"证据 {exhibit['number']}　{exhibit['title']}　{exhibit['bytes']:,} 字节",
            exhibit["sha256"],
            exhibit["sm3"],
        )


class _Page(Paper):
    """A4 with the court's plain layout."""

    def __init__(self, footer: str) -> None:
        super().__init__()
        self._footer = footer
        self.set_title(footer)
        self.add_page()

    def footer(self) -> None:
        """The hearing and the page."""
        self.set_y(-14)
        said, size = self.fitted(printable(self._footer), 8, 130)
        self.put(22, self.y + 3.5, said, size=size, gray=90)
        self.set_font("cjk", size=8)
        self.set_text_color(90)
        self.cell(0, 5, f"第 {self.page_no()} 页", align="R")
        self.set_text_color(0)

    def heading(self, text: str) -> None:
        self.ln(2)
        self.set_font("cjk", size=13)
        self.cell(0, 9, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        y = self.get_y()
        self.set_draw_color(150)
        self.rule(y)

    def rule(self, y: float) -> None:
        self.line(22, y, 188, y)
        self.ln(1.5)

    def pair(self, name: str, text: str) -> None:
        self.set_font("cjk", size=10.5)
        self.set_text_color(80)
        self.cell(32, 6.6, name)
        self.set_text_color(0)
        if text:  # else items follow, beginning on this line
            self.paragraph(text, size=10.5, pitch=6.6)

    def item(self, text: str) -> None:
        self.set_x(54)
        self.paragraph(text, size=10, pitch=6)

    def mono(self, text: str) -> None:
        self.set_x(54)
        self.set_font("courier", size=8.5)
        self.cell(0, 6.6, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def prose(self, text: str, gap: float = 0) -> None:
        self.paragraph(text, size=10.5, pitch=6.4)
        self.ln(gap)

    def check(self, name: str, sha256: str, sm3: str) -> None:
        self.paragraph(name, size=8.5, pitch=4.6)
        self.set_font("courier", size=8.5)
        for kind, digest in (("SHA-256", sha256), ("SM3    ", sm3 or "-")):
            self.cell(0, 4, f"  {kind}  {digest}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1.2)

    def signatures(self, names: Sequence[str]) -> None:
        self.ln(2)
        if self.get_y() > 297 - 20 - 10.5 * len(names):
            self.add_page()
        self.set_font("cjk", size=11)
        for name in names:
            self.cell(58, 10.5, f"{name}：")
            y = self.get_y() + 8
            self.line(80, y, 160, y)
            self.ln(10.5)


def _at(ms: int | None) -> str:
    return "—" if ms is None else clock_text(ms * 1_000_000)[:-4]


def _tenths(ms: int | None) -> str:
    return "—" if ms is None else clock_text(ms * 1_000_000)[:-2]


def _utc(ns: str) -> str:
    """UTC and the time of this machine's zone: a court reads the clock on its wall."""
    at = dt.datetime.fromtimestamp(int(ns) // 1_000_000_000, dt.UTC).astimezone()
    return f"{at:%Y年%m月%d日 %H:%M:%S}（UTC{at:%z}）"
