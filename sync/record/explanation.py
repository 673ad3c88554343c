"""情况说明: the draft of the written explanation that a fault asks for (法释〔2017〕5号, art. 4).

A fault is media that a gap declares missing outside the lawful pauses, or an alarm that touched the record. Promises:
one text for everybody (panel, center, export), the same for the same hearing and zone; nothing but what the record
declares itself. Refuses: to excuse, to guess a cause, and to sign: the blanks are for the people named in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from typing_extensions import TypedDict

from sync.record.hearing import Hearing, State
from sync.record.milliseconds import to_ms
from sync.record.timeline import Gap, Interval
from sync.runtime.units import NS_PER_S

HARMLESS = frozenset(
    {"transcriber", "disk", "copy", "program", "compatible", "slow-picture", "selftest", "not-enrolled"}
)
"""Alarms of what stands beside the record: words, space left, copies, pictures that are made of a camera's; and of a
camera that gives fewer pictures than were asked for, since all that it gives are kept at their times. All others touch
it. Each version may draw that line anew: nothing that a verifier compares says whether there is a draft."""
NOT_CHECKED = ("readback", "readback")
"""(code, subject): files were not decoded again in time; that says nothing against them."""

TITLE = "庭审录音录像情况说明（草稿）"
BLANKS = ("录制人员（书记员）", "审判长（独任审判员）", "日期")
_BASIS = "依据《最高人民法院关于人民法院庭审录音录像的若干规定》（法释〔2017〕5号）第四条作出，随案卷保存。"
_PAUSES = {"recess": "休庭", "closed_evidence": "不公开举证质证", "mediation": "不宜录制的调解"}


@dataclass(frozen=True, slots=True)
class MissingMedia:
    """Media of one track that does not exist, without the lawful pauses."""

    track: str
    name: str
    from_ns: int
    to_ns: int
    why: str
    remaining: tuple[str, ...]
    """Names of the tracks that do exist throughout this time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An alarm that touched the record; `to_ns` is None when it was not over at the end."""

    code: str
    subject: str
    name: str
    text: str
    from_ns: int
    to_ns: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The draft. `from_ns`, `to_ns`: the hearing so far; `missing_ns`: time in which at least one track is missing."""

    hearing: str
    court_name: str
    room_name: str
    case_no: str
    cause: str
    running: bool
    from_ns: int
    to_ns: int | None
    missing_ns: int
    missing: tuple[MissingMedia, ...]
    faults: tuple[Fault, ...]
    text: str

    def to_json(self) -> dict[str, Any]:
        """For the screens: `title`, `blanks`, `text` to show and copy, and what it was made from (`*_ms`)."""
        value = to_ms({"title": TITLE, "blanks": list(BLANKS), **asdict(self)})
        assert isinstance(value, dict)
        return value


class ShownExplanation(TypedDict):
    """The draft of 情况说明 as the screens get it: `text` to show and copy, and what it was made from."""

    title: str
    blanks: list[str]
    hearing: str
    court_name: str
    room_name: str
    case_no: str
    cause: str
    running: bool
    from_ns: int
    to_ns: int | None
    missing_ns: int
    missing: list[MissingMedia]
    faults: list[Fault]
    text: str


def explain(
    hearing: Hearing, *, court_name: str = "", room_name: str = "", zone: tzinfo | None = None
) -> Explanation | None:
    """The draft for a hearing, or None when nothing has to be explained. Times of day are of `zone`."""
    missing = missing_media(hearing)
    faults = _faults(hearing)
    if not missing and not faults:
        return None
    missing_ns = sum(to - start for start, to in _union((m.from_ns, m.to_ns) for m in missing))
    text = _Text(hearing, zone).write(missing, faults, missing_ns, court_name, room_name)
    return Explanation(
        hearing=hearing.id,
        court_name=court_name,
        room_name=room_name,
        case_no=str(hearing.case.get("case_no", "")),
        cause=str(hearing.case.get("cause", "")),
        running=hearing.state is not State.CLOSED,
        from_ns=hearing.opened_ns,
        to_ns=hearing.closed_ns,
        missing_ns=missing_ns,
        missing=tuple(missing),
        faults=tuple(faults),
        text=text,
    )


def missing_media(hearing: Hearing) -> list[MissingMedia]:
    """What the declared gaps take from the record, without the lawful pauses, by time and track."""
    names = _track_names(hearing)
    found: list[MissingMedia] = []
    by_track = {track: _unlawful(hearing, track) for track in {gap.track for gap in hearing.gaps}}
    for gap in hearing.gaps:
        for start, end in _outside(gap.from_ns, _end(gap, hearing), hearing.pauses):
            whole = tuple(
                name
                for track, name in names.items()
                if not any(s < end and e > start for s, e in by_track.get(track, ()))
            )
            found.append(MissingMedia(gap.track, names.get(gap.track, gap.track), start, end, gap.why, whole))
    return sorted(found, key=lambda m: (m.from_ns, m.track))


def _unlawful(hearing: Hearing, track: str) -> list[tuple[int, int]]:
    gaps = [gap for gap in hearing.gaps if gap.track == track]
    return [piece for gap in gaps for piece in _outside(gap.from_ns, _end(gap, hearing), hearing.pauses)]


def _faults(hearing: Hearing) -> list[Fault]:
    names = {**_track_names(hearing), **{str(s.get("id")): str(s.get("role", s.get("id"))) for s in hearing.seats}}
    return [
        Fault(a.code, a.subject, names.get(a.subject, ""), a.text, a.raised_ns, a.cleared_ns)
        for a in hearing.alarms
        if a.code not in HARMLESS and (a.code, a.subject) != NOT_CHECKED
    ]


def _track_names(hearing: Hearing) -> dict[str, str]:
    return {str(t.get("id")): str(t.get("name") or t.get("id")) for t in hearing.tracks}


def _end(interval: Interval | Gap, hearing: Hearing) -> int:
    if interval.to_ns is not None:
        return interval.to_ns
    return interval.from_ns if hearing.closed_ns is None else hearing.closed_ns


def _outside(start: int, end: int, pauses: Sequence[Interval]) -> list[tuple[int, int]]:
    """The parts of a stretch that lie in no pause; a pause that lasts has no end."""
    parts = [(start, end)] if end > start else []
    for pause in pauses:
        after = pause.to_ns
        cut = [(s, min(e, pause.from_ns)) for s, e in parts]
        if after is not None:
            cut += [(max(s, after), e) for s, e in parts]
        parts = sorted({(s, e) for s, e in cut if e > s})
    return parts


def _union(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


class _Text:
    """Writes the draft in Chinese, for paper."""

    def __init__(self, hearing: Hearing, zone: tzinfo | None) -> None:
        self._hearing = hearing
        self._zone = zone

    def write(
        self, missing: Sequence[MissingMedia], faults: Sequence[Fault], missing_ns: int, court_name: str, room_name: str
    ) -> str:
        hearing = self._hearing
        closed = hearing.closed_ns
        case_no, cause = hearing.case.get("case_no"), hearing.case.get("cause")
        lines = [
            TITLE,
            "",
            f"法院：{court_name or '＿＿＿＿＿＿＿＿'}　　法庭：{room_name or '＿＿＿＿＿＿'}",
            f"案号：{case_no or '＿＿＿＿＿＿＿＿'}　　案由：{cause or '＿＿＿＿＿＿'}",
            f"庭审：{hearing.id}",
            f"时间：{self._moment(hearing.opened_ns, day=True)} 开庭，"
            + ("庭审仍在进行（本草稿随庭审更新）" if closed is None else f"{self._moment(closed, day=True)} 闭庭"),
        ]
        lines += [f"依法中断：{text}" for text in [self._pauses()] if text]
        lines += ["", "一、缺失情况", *(self._missing(missing, missing_ns))]
        if faults:
            lines += ["", "二、系统告警", *(self._fault(i, fault) for i, fault in enumerate(faults, 1))]
        number = "三" if faults else "二"
        lines += ["", f"{number}、现存内容", self._remains(missing)]
        lines += ["", _BASIS, ""]
        lines += [f"{blank}：＿＿＿＿＿＿＿＿" for blank in BLANKS]
        return "\n".join(lines) + "\n"

    def _missing(self, missing: Sequence[MissingMedia], missing_ns: int) -> list[str]:
        if not missing:
            return ["各轨道均无缺失的时段；下列告警可能影响录音录像的真实性，请核对。"]
        lines = [f"缺口 {len(missing)} 处，至少一路缺失的时间共 {_seconds(missing_ns)} 秒："]
        for i, gap in enumerate(missing, 1):
            kept = f"该时段另有：{'、'.join(gap.remaining)}" if gap.remaining else "该时段没有完整的其他轨道"
            lines.append(
                f"{i}. {gap.name}：{self._moment(gap.from_ns)} 至 {self._moment(gap.to_ns)}"
                f"（{_seconds(gap.to_ns - gap.from_ns)} 秒），原因：{gap.why or '未查明'}；{kept}。"
            )
        return lines

    def _fault(self, i: int, fault: Fault) -> str:
        until = "未消除" if fault.to_ns is None else f"{self._moment(fault.to_ns)} 消除"
        about = f"{fault.name}：" if fault.name and fault.name not in fault.text else ""
        return f"{i}. {self._moment(fault.from_ns)} 发生，{until}：{about}{fault.text}"

    def _remains(self, missing: Sequence[MissingMedia]) -> str:
        hearing = self._hearing
        broken = {gap.track for gap in missing}
        whole = [name for track, name in _track_names(hearing).items() if track not in broken]
        parts = [f"{'、'.join(whole)}无缺失" if whole else "没有全程无缺失的轨道"]
        if broken:
            parts.append("有缺失的轨道除上列时段外均已保存")
        said = sum(line.source == "speech" for line in hearing.utterances)
        counts = (said, len(hearing.exhibits), len(hearing.marks))
        parts.append("识别文字 {} 条、证据 {} 件、标记 {} 条已保存".format(*counts))
        return "；".join(parts) + "。缺失部分未作任何填补。"

    def _pauses(self) -> str:
        texts = []
        for pause in self._hearing.pauses:
            until = "今" if pause.to_ns is None else self._moment(pause.to_ns)
            texts.append(f"{_PAUSES.get(pause.reason, pause.reason)} {self._moment(pause.from_ns)} 至 {until}")
        return "；".join(texts)

    def _moment(self, room_ns: int, *, day: bool = False) -> str:
        hearing = self._hearing
        utc_s, tenths = divmod((hearing.opened_utc_ns + room_ns - hearing.opened_ns) // 100_000_000, 10)
        at = datetime.fromtimestamp(utc_s, tz=UTC).astimezone(self._zone)
        return f"{at:%Y年%m月%d日 %H:%M:%S}" if day else f"{at:%H:%M:%S}.{tenths}"


def _seconds(ns: int) -> str:
    return f"{ns / NS_PER_S:.1f}"
