"""A hearing that was signed, as its events: everything that a transcript has to show once, and as long as asked for."""

from __future__ import annotations

import math
from typing import Any

from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.signing import words_of, words_sha256

S = 10**9
UTC_NS = 1_795_310_000 * S
HEARING = "20261122-093000-1f2e3d4c"
PARTIES = {"审判长": "赵敏", "原告": "张伟明", "被告": "李建国", "证人": "周某", "书记员": "孙丽"}
SAID = [
    ("书记员", "请全体起立。"),
    ("审判长", "请坐下。现在开庭。今天依法公开审理原告张伟明诉被告李建国民间借贷纠纷一案。"),
    ("原告", "请求判令被告偿还借款本金三十万元，并自二〇二三年六月一日起按年利率百分之六支付利息。"),
    ("原告", "这一句说错了，删去。"),
    ("被告", "我实际收到二十七万元，<后来>还过&五万元。"),
    ("审判长", "休庭十分钟。"),
    ("原告", "他从来没有还过现金。"),
    ("审判长", "现在闭庭。"),
]


def drawn(seed: int) -> list[list[list[float]]]:
    return [
        [
            [0.1 + 0.2 * n + 0.05 * math.sin(i / 5), 0.5 + 0.3 * math.cos(i / 4 + n + seed), n * 400 + i * 8, 0.5]
            for i in range(30)
        ]
        for n in range(3)
    ]


class Story:
    """Events one after the other, folded as they come."""

    def __init__(self, lines: int = len(SAID)) -> None:
        self.events: list[Event] = []
        self.hearing = Hearing(HEARING)
        case = {
            "id": "d1",
            "case_no": "(2026)黑05民初123号",
            "cause": "民间借贷纠纷",
            "parties": PARTIES,
            "public": True,
        }
        self.say("open", 100, case=case, seats=[{"id": "judge", "role": "审判长", "roles": ["审判长"]}], tracks=[])
        about = {"filename": "a.pdf", "media_type": "application/pdf", "sha256": "0" * 64, "bytes": 3}
        self.say("exhibit", 101, id="e1", number=1, title="借条", pages=3, **about)
        for number in range(lines):
            role, text = SAID[number % len(SAID)]
            start_ns = (102 + 4 * number) * S
            spoken = {"seat": "judge", "role": role, "start_ns": start_ns, "end_ns": start_ns + 3 * S, "text": text}
            self.say("utterance", start_ns / S + 3, id=f"u{number}", confidence=0.9, words=[], voice="", **spoken)
            if number == 2:
                for page in (1, 2):
                    self.say("present", start_ns / S + 3, exhibit="e1", page=page, zoom=1.0, x=0.5, y=0.5)
                self.say("withdraw", start_ns / S + 3.5)
            if number == 5:
                self.say("pause", start_ns / S + 3, reason="recess")
                self.say("resume", start_ns / S + 3.9)
        self.end_s = 102.0 + 4 * lines
        self.say("close", self.end_s)
        self.revise("u3", struck=True)
        self.revise("u4", doubtful=True)

    def say(self, kind: str, at_s: float, **body: Any) -> None:
        at_ns = int(at_s * S)
        event = Event(len(self.events) + 1, HEARING, kind, at_ns, UTC_NS + at_ns, body)
        self.events.append(event)
        self.hearing.apply(event)

    def revise(self, line: str, **values: Any) -> None:
        known = self.hearing.transcript.get(line)
        assert known is not None
        changes = [{"line": line, "base": known.revision, "set": values}]
        self.say("revision", self.end_s + 1, id=f"r{len(self.events)}", act="edit", by="clerk", changes=changes)

    def sign(self) -> Story:
        """Laid before all; the witness has left, the defendant objects, is refused and refuses."""
        words = words_of(self.hearing.transcript.lines)
        sha256 = words_sha256(HEARING, words)
        version = len(self.hearing.signing.versions) + 1
        last = self.events[-1].number
        about = {"version": version, "sha256": sha256, "lines": len(words), "through": last}
        self.say("transcript", self.end_s + 10, id=f"t{version}", **about)
        asked = {"by": {"role": "被告", "name": "李建国"}, "wants": "我实际收到二十五万元。", "text": SAID[4][1]}
        told = {"outcome": "refused", "reason": "回放与笔录一致", "revision": ""}
        self.say(
            "objection", self.end_s + 20, id="o1", line="u4", **asked, **told, replayed_from_ns=1, replayed_to_ns=2
        )
        for number, (role, name) in enumerate(PARTIES.items()):
            who = {"id": f"s{version}{number}", "transcript": sha256, "role": role, "name": name}
            at_s = self.end_s + 30 + number
            if role == "证人":
                self.say("signature", at_s, **who, act="absent", reason="作证后已离庭")
            elif role == "被告":
                self.say("signature", at_s, **who, act="refuse", reason="补正申请未获准许")
            else:
                self.say("signature", at_s, **who, act="sign", reason="", size=[900, 300], strokes=drawn(number))
        return self
