"""What a clerk and those who sign do after a hearing: every act of revision, two versions laid before people,
signatures and a refusal, objections, documents; as the room's events, sealed again."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fpdf import FPDF

from edge.documents.identity import Identity
from edge.documents.sign import sign_pdf
from sync.record.hearing import Hearing
from sync.record.signing import words_of, words_sha256
from sync.room.paths import RoomPaths
from sync.runtime.files.digests import checks_of
from tests.support.exports.honest_room import OPENED_NS, HonestRoom, S

STROKES = [
    [[0.1, 0.5, 0, 0.4], [0.35, 0.25, 16, 0.7], [0.6, 0.75, 33, 0.5]],
    [[0.7, 0.2, 210, 0.6], [0.8, 0.9, 240, 1]],
]


def paper(layout: RoomPaths, key: Ed25519PrivateKey) -> bytes:
    """A page with the signature of a device; what stands on it is for nobody here."""
    page = FPDF()
    page.add_page()
    identity = Identity(key, layout.device_certificate.read_bytes())
    return sign_pdf(bytes(page.output()), identity, place="jianshan")


class Desk:
    """Writes events, each a while after the last."""

    def __init__(self, room: HonestRoom, at_s: float = 30) -> None:
        self.room, self.at_s, self._count = room, at_s, 0

    @property
    def hearing(self) -> Hearing:
        return Hearing.of(self.room.hearing, self.room.log.of_hearing(self.room.hearing))

    def base(self, line: str) -> int:
        found = self.hearing.transcript.get(line)
        assert found is not None
        return found.revision

    def say(self, kind: str, body: dict[str, Any]) -> None:
        self.at_s += 1
        self.room.say(kind, body, self.at_s)

    def act(self, act: str, *changes: dict[str, Any], by: str = "clerk", **more: Any) -> str:
        self._count += 1
        name = f"r{self._count}"
        body = {"id": name, "act": act, "by": by, "tab": "t1", "name": "王五" if by == "clerk" else "", "reason": ""}
        self.say("revision", {**body, "undoes": "", "changes": list(changes), **more})
        return name

    def to(self, line: str, *, base: int | None = None, **values: Any) -> dict[str, Any]:
        return {"line": line, "base": self.base(line) if base is None else base, "set": values}

    def new(self, name: str, after: str, text: str, source: str, at_s: float = 2) -> dict[str, Any]:
        start = OPENED_NS + round(at_s * S)
        line = {"id": name, "after": after, "seat": "judge", "role": "审判长", "text": text, "voice": ""}
        return {"new": {**line, "start_ns": start, "end_ns": start + S, "source": source}}

    def lay(self, version: int) -> str:
        words = words_of(self.hearing.utterances)
        sha256 = words_sha256(self.room.hearing, words)
        through = self.hearing.last_number
        body = {"id": f"t{version}", "version": version, "sha256": sha256, "lines": len(words), "through": through}
        self.say("transcript", body)
        return sha256

    def sign(self, sha256: str, role: str, name: str, act: str = "sign", reason: str = "") -> None:
        self._count += 1
        drawn = {"size": [640, 240], "strokes": STROKES} if act == "sign" else {"size": [], "strokes": []}
        who = {"id": f"s{self._count}", "transcript": sha256, "role": role, "name": name}
        self.say("signature", {**who, "act": act, "reason": reason, **drawn})

    def object(self, line: str, outcome: str, **more: Any) -> None:
        self._count += 1
        by = {"role": "被告", "name": "李四"}
        body = {"id": f"o{self._count}", "line": line, "text": "我没有这样说", "by": by, "wants": "我说过要还"}
        played = {"replayed_from_ns": OPENED_NS + S, "replayed_to_ns": OPENED_NS + 2 * S}
        self.say("objection", {**body, "outcome": outcome, "reason": "", "revision": "", **played, **more})

    def file(self, sha256: str, kind: str, data: bytes) -> None:
        path = self.room.layout.hearing(self.room.hearing) / "documents" / f"v.{kind}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        checks = checks_of(path)
        body = {"id": f"{sha256[:12]}-{kind}", "transcript": sha256, "kind": kind, "file": f"documents/v.{kind}"}
        self.say("document", {**body, "bytes": len(data), "sha256": checks.sha256, "sm3": checks.sm3})


def revise(desk: Desk) -> None:
    """Every act."""
    said = {"seat": "clerk", "role": "书记员", "start_ns": OPENED_NS + 7 * S, "end_ns": OPENED_NS + 8 * S}
    desk.say("utterance", {**said, "id": "v1", "text": "请双方合对笔录", "confidence": 0.8, "voice": "b", "words": []})
    proposal = {"at": 3, "length": 2, "from": "合对", "to": "核对", "why": "同音词", "confidence": 0.7}
    desk.act("propose", {"line": "v1", "base": desk.base("v1"), "propose": [proposal]}, by="corrector")
    desk.act("correct", desk.to("v1", text="请双方核对笔录"), by="corrector", reason="同音词：合对 → 核对")
    stale = desk.base("u0")
    desk.act("edit", desk.to("u0", text="现在开庭。"), reason="听音更正")
    desk.act("edit", desk.to("u0", base=stale, text="现在闭庭。"))  # another panel, which had not seen the first
    desk.act("split", desk.to("u2", text="本案借款"), desk.new("n1", "u2", "金额是五万元。", "split", 6.6))
    desk.act("merge", desk.to("u2", text="本案借款金额是五万元。"), desk.to("n1", gone="merged"))
    desk.act("speaker", desk.to("u1", role="书记员", seat="clerk"))
    voice = {"seat": "clerk", "voice": "b", "role": "书记员甲"}
    desk.act("voice", desk.to("v1", role="书记员甲"), voice=voice)
    desk.act("insert", desk.new("n2", "u0", "（原告出示借条原件）", "typed"))
    desk.act("phrase", desk.new("n3", "", "现在宣读法庭纪律。", "phrase", 0.1))
    wrong = desk.act("insert", desk.new("n4", "u1", "写错了地方", "typed"))
    desk.act("undo", desk.to("n4", gone="withdrawn"), undoes=wrong)
    desk.act("insert", desk.new("n5", "u1", "此行应删除", "typed"))
    desk.act("strike", desk.to("n5", struck=True))
    desk.act("doubt", desk.to("u1", doubtful=True))
    desk.say("check", {"id": "name-1", "ignored": True, "line": "u1", "kind": "name", "text": "张三"})


def write_and_sign(room: HonestRoom) -> Desk:
    """All of it; the record is sealed again when this returns."""
    desk = Desk(room)
    revise(desk)
    first = desk.lay(1)
    desk.sign(first, "原告", "张三")
    corrected = desk.act("objection", desk.to("u1", text="请当事人核对本人身份。"), reason="被告异议，听音更正")
    desk.object("u1", "corrected", revision=corrected)
    desk.object("u2", "refused", reason="录音与笔录一致")
    last = desk.lay(2)
    desk.sign(last, "审判长", "赵六")
    desk.sign(last, "被告", "李四", "refuse", "对第三行有异议")
    desk.sign(last, "原告", "张三")
    desk.file(last, "pdf", paper(room.layout, room.device))
    desk.file(last, "docx", b"PK\x03\x04 signed words")
    room.sign()
    room.sign()
    return desk
