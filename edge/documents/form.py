"""The court's form of a transcript (法庭笔录), before it is put on any paper: heads, lines, notes, and who signed.

A pure function of the hearing: times are of this machine's zone, as the clock on the court's wall. Lines that are gone
are left out, struck ones too unless asked for, and then the paper says how many; what the clerk marks doubtful is
marked. Exhibits and interruptions stand as notes where they happened. Whatever an older record holds, what comes from
people is cleaned before it is put on paper (`sync.text`), so that no record is without its documents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from sync.record.hearing import Hearing, State
from sync.record.signers import Signer, is_complete, people_of
from sync.record.signing import Version, words_of, words_sha256
from sync.text.characters import clean_line

TITLE = "法庭笔录"
DRAFT = "草稿，未经核对签名"
EXCERPT = "节本，封存区段的内容未列出"
DOUBTFUL = "〔存疑〕"
STRUCK = "〔删〕"
REASONS = {"recess": "休庭", "closed_evidence": "不公开举证、质证，暂停录音录像", "mediation": "调解，暂停录音录像"}
BLANK = "＿＿＿＿＿＿＿＿"
_FLIPPED_NS = 60_000_000_000
"""Pages of one exhibit that follow each other within this are one note."""


@dataclass(frozen=True, slots=True)
class Row:
    """A paragraph of the transcript; a note has no role."""

    text: str
    role: str = ""
    id: str = ""
    struck: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class CourtForm:
    """All that is on the paper."""

    court: str
    hearing: str
    heads: list[tuple[str, str]]
    rows: list[Row]
    closing: list[str]
    """What stands above the signatures."""
    people: list[Signer]
    version: Version | None
    """The version that was signed; None in a draft whose words were never laid before anybody."""
    draft: bool
    device: str = ""
    """How the device signs the file; empty where it cannot."""
    case_no: str = ""
    title: str = TITLE
    """What the paper is called in this kind of case."""
    objections: list[str] = field(default_factory=list)
    left_out: int = 0
    """Struck lines that were signed with the others and are not on the paper."""

    @property
    def on_each_page(self) -> list[Signer]:
        """Whose signature or refusal stands on each page; nobody's on a draft."""
        return [] if self.draft else [p for p in self.people if p.state in ("signed", "refused")]

    @property
    def counted(self) -> str:
        """How many lines were laid before people, and how many of them the paper leaves out; empty in a draft."""
        if self.version is None:
            return ""
        struck = f"，其中 {self.left_out} 行已删除，未列出" if self.left_out else ""
        return f"共 {self.version.lines} 条{struck}"


def form_of(
    hearing: Hearing,
    *,
    court_name: str,
    room_name: str,
    device: str = "",
    show_struck: bool = False,
    excerpt: bool = False,
) -> CourtForm:
    """The form of a hearing as it stands: a draft unless everybody has signed exactly these words. `excerpt`: something
    that is sealed is not in `hearing`, and the paper says so."""
    sha256 = words_sha256(hearing.id, words_of(hearing.transcript.lines))
    version = hearing.signing.version
    current = version is not None and version.sha256 == sha256
    people = people_of(hearing, sha256 if current else None)
    draft = not (current and hearing.state is State.CLOSED and is_complete(people))
    rows = _rows(hearing, show_struck=show_struck)
    return CourtForm(
        court=clean_line(court_name),
        hearing=hearing.id,
        heads=[*_heads(hearing, room_name, people), *([("封存", EXCERPT)] if excerpt else [])],
        rows=rows,
        closing=[f"（{EXCERPT}。全文由档案管理员保管。）"] if excerpt else _closing(people, draft=draft),
        people=people,
        version=version if current else None,
        draft=draft,
        device=device,
        case_no=clean_line(str(hearing.case.get("case_no", ""))),
        title=clean_line(str(hearing.case.get("paper") or "")) or TITLE,
        objections=_objections(hearing),
        left_out=0 if show_struck else sum(line.struck for line in hearing.transcript),
    )


def mapped(form: CourtForm, change: Callable[[str], str]) -> CourtForm:
    """The form with all of its words changed in one way: for a paper that cannot take every character."""
    people = [replace(p, role=change(p.role), name=change(p.name), reason=change(p.reason)) for p in form.people]
    return replace(
        form,
        court=change(form.court),
        heads=[(label, change(text)) for label, text in form.heads],
        rows=[replace(row, text=change(row.text), role=change(row.role)) for row in form.rows],
        people=people,
        device=change(form.device),
        case_no=change(form.case_no),
        title=change(form.title),
        objections=[change(text) for text in form.objections],
    )


def local(utc_ns: int) -> dt.datetime:
    """A moment on the court's wall."""
    return dt.datetime.fromtimestamp(utc_ns // 1_000_000_000, dt.UTC).astimezone()


def day(at: dt.datetime) -> str:
    """2026年11月22日 09时30分."""
    return f"{at.year}年{at.month}月{at.day}日 {at:%H}时{at:%M}分"


def _heads(hearing: Hearing, room_name: str, people: Iterable[Signer]) -> list[tuple[str, str]]:
    case, offset = hearing.case, hearing.opened_utc_ns - hearing.opened_ns
    opened = day(local(hearing.opened_utc_ns))
    until = "尚未闭庭" if hearing.closed_ns is None else day(local(hearing.closed_ns + offset))
    if hearing.closed_ns is not None and until.split()[0] == opened.split()[0]:
        until = until.split()[1]
    there = [p for p in people if p.state != "absent"]
    bench = [_named(p) for p in there if p.bench and p.role != "书记员"]
    clerk = [p.name or BLANK for p in there if p.role == "书记员"]
    others = [_named(p) for p in there if not p.bench]
    away = [_named(p) + (f"（{p.reason}）" if p.reason else "") for p in people if p.state == "absent"]
    heads = [
        ("案号", str(case.get("case_no") or BLANK)),
        ("案由", str(case.get("cause") or BLANK)),
        ("时间", f"{opened} 至 {until}"),
        ("地点", room_name),
        ("是否公开", "公开审理" if case.get("public", True) else "不公开审理"),
        ("审判人员", "；".join(bench) or BLANK),
        ("书记员", "、".join(clerk) or BLANK),
        ("到庭人员", "；".join(others) or BLANK),
    ]
    heads += [("未到庭退庭", "；".join(away))] if away else []
    return [(head, clean_line(value) or BLANK) for head, value in heads]


def _named(person: Signer) -> str:
    return f"{person.role} {person.name or BLANK}"


def _rows(hearing: Hearing, *, show_struck: bool) -> list[Row]:
    notes = sorted([*_interruptions(hearing), *_shown(hearing)])
    rows: list[Row] = []
    for line in hearing.transcript:
        while notes and notes[0][0] <= line.start_ns:
            rows.append(Row(notes.pop(0)[1]))
        if line.struck and not show_struck:
            continue
        text = clean_line(line.text)
        if text:
            rows.append(Row(text, clean_line(line.role), line.id, line.struck, line.doubtful))
    return rows + [Row(text) for _, text in notes]


def _interruptions(hearing: Hearing) -> list[tuple[int, str]]:
    offset = hearing.opened_utc_ns - hearing.opened_ns
    notes = []
    for pause in hearing.pauses:
        begun = f"{local(pause.from_ns + offset):%H时%M分}"
        notes.append((pause.from_ns, f"（{begun} {REASONS.get(pause.reason, pause.reason)}）"))
        if pause.to_ns is not None and pause.to_ns != hearing.closed_ns:
            notes.append((pause.to_ns, f"（{local(pause.to_ns + offset):%H时%M分} 继续开庭）"))
    return notes


def _shown(hearing: Hearing) -> list[tuple[int, str]]:
    """One note for pages of an exhibit that follow each other."""
    known = {exhibit.id: exhibit for exhibit in hearing.exhibits}
    runs: list[tuple[int, str, list[int], int]] = []
    for shown in hearing.presentations:
        last = runs[-1] if runs else None
        if last is not None and last[1] == shown.exhibit and shown.from_ns - last[3] <= _FLIPPED_NS:
            last[2].append(shown.page)
            runs[-1] = (*last[:3], shown.to_ns or shown.from_ns)
        else:
            runs.append((shown.from_ns, shown.exhibit, [shown.page], shown.to_ns or shown.from_ns))
    notes = []
    for at_ns, name, pages, _ in runs:
        exhibit = known.get(name)
        if exhibit is not None:
            which = "、".join(str(page) for page in sorted(set(pages)))
            where = f"第 {which} 页" if exhibit.pages > 1 else ""
            notes.append((at_ns, f"（出示证据 {exhibit.number}：《{clean_line(exhibit.title)}》{where}）"))
    return notes


def _closing(people: Iterable[Signer], *, draft: bool) -> list[str]:
    if draft:
        return [f"（{DRAFT}。本稿由语音识别形成并经书记员修改，不是法庭笔录。）"]
    if any(person.state == "refused" for person in people):
        return ["以上笔录已交由到庭人员核对，除拒绝签名者外，签名如下。"]
    return ["以上笔录已由到庭人员核对，并签名如下。"]


def _objections(hearing: Hearing) -> list[str]:
    said = []
    for one in hearing.signing.objections:
        who = f"{one.by['role']} {one.by['name']}".strip()
        line = hearing.transcript.get(one.line)
        where = ""
        if line is not None:
            at = local(line.start_ns + hearing.opened_utc_ns - hearing.opened_ns)
            where = f"{at:%H时%M分%S秒}{line.role}所述"
        played = "经回放录音，" if one.replayed_from_ns is not None else ""
        was, wants = _short(one.text), _short(one.wants).rstrip("。")
        text = f"补正申请：{who}认为{where}“{was}”记录有误，申请补正为“{wants}”。{played}"
        if one.outcome == "corrected":
            said.append(clean_line(text + "已予补正。"))
        else:
            said.append(clean_line(text + f"不予补正，理由：{one.reason}。申请记录在案。"))
    return said


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:60]}……{text[-40:]}"
