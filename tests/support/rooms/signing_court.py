"""A closed hearing of a real room whose transcript is to be signed: what the panel does, as requests."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.ledger.keys import certificate_request, issue, make_key, public_pem
from sync.record.event import Event
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.support.rooms.edge_room import CASE, Room

S = 10**9
PARTIES = {"审判长": "赵敏", "原告": "张伟明", "被告": "李建国", "书记员": "孙丽"}
SAID = (
    ("书记员", "请全体起立。"),
    ("审判长", "请坐下。现在开庭。今天依法公开审理原告张伟明诉被告李建国民间借贷纠纷一案。"),
    ("原告", "请求判令被告偿还借款本金三十万元。"),
    ("被告", "我实际收到二十七万元，后来还过五万元。"),
    ("审判长", "现在闭庭。"),
)


def strokes(seed: int = 0) -> list[list[list[float]]]:
    """Something like a name."""
    drawn = []
    for n in range(3):
        stroke = []
        for i in range(30):
            x = 0.15 + 0.25 * n + 0.06 * math.sin(i / 5 + seed) + i * 0.003
            y = 0.5 + 0.3 * math.cos(i / 4 + n + seed)
            stroke.append([x, y, float(n * 400 + i * 8), 0.5])
        drawn.append(stroke)
    return drawn


def enroll_device(layout: RoomPaths, room: str) -> Ed25519PublicKey:
    """Give the room's device a certificate, as a center does; the center's public key."""
    center, key = Ed25519PrivateKey.generate(), make_key(layout.device_key)
    layout.keys.mkdir(exist_ok=True)
    pem = issue(certificate_request(key, room), room, center, dt.datetime.now(dt.UTC))
    layout.device_certificate.write_bytes(pem)
    layout.center_key.write_bytes(public_pem(center.public_key()))
    return center.public_key()


def printed(pdf: bytes, folder: Path) -> str:
    """What stands on the pages of a file, without blanks."""
    file = folder / "printed.pdf"
    file.write_bytes(pdf)
    found = subprocess.run(["pdftotext", "-raw", str(file), "-"], capture_output=True, check=True)
    return "".join(found.stdout.decode().split())


class Court:
    """`await Court.of(room)`: five lines were said, and the hearing is closed."""

    def __init__(self, room: Room, hearing: str) -> None:
        self.room = room
        self.hearing = hearing
        self.log = RoomLog(room.layout.log)

    @classmethod
    async def of(cls, room: Room, said: Sequence[tuple[str, str]] = SAID, **case: Any) -> Court:
        """Open, speak, close."""
        despite = (await room.state())["selftest"]["hindrances"]
        whole = {**CASE, "parties": PARTIES, "despite": despite, **case}
        answer = await room.clerk.post("/api/hearing", json=whole)
        assert answer.status_code == 200, answer.text
        court = cls(room, str(answer.json()["id"]))
        begin_ns = round(answer.json()["opened_ms"] * 1_000_000)
        for number, (role, text) in enumerate(said):
            await court.say(f"u{number}", role, text, begin_ns + number * S)
        assert (await room.clerk.post("/api/hearing/close")).status_code == 200
        await room.until_state(lambda s: len(s["hearing"]["utterances"]) == len(said))
        return court

    async def say(self, name: str, role: str, text: str, at_ns: int) -> None:
        """An utterance, as the transcriber writes it."""
        body = {"id": name, "seat": "judge", "role": role, "start_ns": at_ns, "end_ns": at_ns + S, "text": text}
        body |= {"confidence": 0.9, "words": [], "voice": ""}
        event = await asyncio.to_thread(
            lambda: self.log.append("utterance", body, hearing=self.hearing, room_ns=at_ns, utc_ns=at_ns)
        )
        self.room.transcriber.publish_json("log", {"number": event.number})

    async def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        answer = await self.room.clerk.post(f"/api/transcript/{path}", json={"id": secrets.token_hex(6)} | body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def lay(self, **more: Any) -> str:
        """The words of now before those who sign; their hash."""
        return str((await self.post("final", more))["transcript"]["sha256"])

    async def sign(self, sha256: str, role: str, status: int = 200, **more: Any) -> Any:
        body: dict[str, Any] = {"transcript": sha256, "role": role, "name": PARTIES.get(role, "王芳"), "act": "sign"}
        body |= {"size": [900, 300], "strokes": strokes(len(role))}
        return await self.post("signatures", body | more, status)

    async def sign_all(self, sha256: str, *roles: str) -> Any:
        for role in roles or PARTIES:
            value = await self.sign(sha256, role)
        return value

    async def refuse(self, sha256: str, role: str, reason: str, status: int = 200) -> Any:
        body: dict[str, Any] = {
            "transcript": sha256,
            "role": role,
            "name": PARTIES.get(role, ""),
            "act": "refuse",
            "reason": reason,
        }
        return await self.post("signatures", body, status)

    async def signing(self) -> Any:
        return (await self.room.clerk.get("/api/transcript/signing")).json()

    async def states(self) -> dict[str, str]:
        return {person["role"]: person["state"] for person in (await self.signing())["people"]}

    async def finished(self, timeout_s: float = 120) -> Any:
        """Wait until all documents are made; the signing."""
        state = await self.room.until_state(lambda s: s["signing"] and len(s["signing"]["documents"]) == 5, timeout_s)
        return state["signing"]

    async def edit(self, line: str, text: str, status: int = 200, **more: Any) -> Any:
        utterances = (await self.room.state())["hearing"]["utterances"]
        base = next(u["revision"] for u in utterances if u["id"] == line)
        body = {"act": "edit", "tab": "t1", "changes": [{"line": line, "base": base, "set": {"text": text}}]}
        return await self.post("revisions", body | more, status)

    async def document(self, kind: str) -> tuple[bytes, bool]:
        """The file, and whether it is a draft."""
        answer = await self.room.clerk.get(f"/api/transcript/document.{kind}", timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.content, answer.headers["x-wutong-draft"] == "1"

    async def events(self, *kinds: str) -> list[Event]:
        return await asyncio.to_thread(self.log.of_hearing, self.hearing, kinds)
