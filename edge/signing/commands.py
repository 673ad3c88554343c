"""Signing: the words are laid before those who were there, who sign, refuse or object; then it is a document.

Promises: an act is on disk before it is answered and the same id twice is one act; nobody signs words that are not the
newest version and the words of now (`stale`); a refusal and a correction that was refused have a reason. When nobody is
waited for any more, the documents are made, once for these words, also after a restart in between. Refuses: anything
before 闭庭, and while words may still come unless the clerk says `despite`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import structlog
from fontTools.ttLib import TTLibError

from edge.documents.jobs import KINDS as KINDS_OF_FILES
from edge.documents.jobs import Made, Making, failures_below, note_failures
from edge.documents.unprinted import unprinted
from edge.integrity.status import words_of as words_still
from edge.state.room_state import RoomState
from edge.state.shown import ShownSigning, ShownUnprinted, Words
from sync.errors import ConfigError, HearingError, StorageError, WutongError
from sync.record.bodies.signing import DocumentBody, DocumentKind, ObjectionBody, SignatureBody, TranscriptBody
from sync.record.hearing import Hearing, State
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import EVERYTHING_SEEN, Unseen
from sync.record.signers import is_complete, people_of
from sync.record.signing import ABSENT, EXPECT, KINDS, REFUSE, SIGN, words_of, words_sha256
from sync.record.transcript import CLERK, Utterance
from sync.text.characters import clean_words

log = structlog.get_logger(__name__)

AGAIN_S = 30.0
"""Documents that could not be made are tried again after so long, and after twice as long each time …"""
AGAIN_AT_MOST_S = 600.0
"""… up to this. Those of earlier hearings are tried as often."""
NO_WORDS = "0" * 64
"""In place of a hash, where a person is named before any words were laid before people."""
_NEWS = KINDS | {"utterance", "revision", "open", "close"}


class SigningCommands:
    """All methods belong to one event loop; `run` keeps the screens told and makes the documents."""

    def __init__(self, state: RoomState, making: Making) -> None:
        self._state = state
        self._making = making
        self._acts = asyncio.Lock()
        self._finishing = asyncio.Lock()
        self._news = asyncio.Event()
        self._news.set()
        self._signed = asyncio.Event()
        self._hashed: tuple[tuple[str, int, int], str, int] | None = None
        self._failure = ""
        self._failures: dict[str, dict[str, str]] = {}
        """By the hash of the words, which kinds could not be made and why."""
        self._unprinted: tuple[tuple[object, ...], list[ShownUnprinted]] | None = None
        making.changed.add(self._news.set)
        state.listen(self)

    # A listener of the room's state.

    def text(self, message: Mapping[str, Any]) -> None:
        """Look again after an event that may change what is signed."""
        if message["type"] == "event" and message["event"]["kind"] in _NEWS:
            self._news.set()

    def media(self, track: str, message: bytes) -> None:
        """Nothing is signed in pictures."""

    async def run(self) -> None:
        """Tell the screens of every change; make the documents when everybody has signed."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._notify_for_ever())
            group.create_task(self._finish_for_ever())
            group.create_task(self._finish_earlier_for_ever())

    async def _notify_for_ever(self) -> None:
        while True:
            self._news.clear()
            value = await self.value()
            self._state.show_signing(value)
            if value is not None and value["complete"] and len(value["documents"]) < len(KINDS_OF_FILES):
                self._signed.set()
            await self._news.wait()

    async def _finish_for_ever(self) -> None:
        again_s = AGAIN_S
        while True:
            await self._signed.wait()
            self._signed.clear()
            try:
                whole = await self.finish()
                self._failure = ""
            except (WutongError, OSError) as error:
                whole = False
                self._failure = error.message if isinstance(error, WutongError) else str(error)
                log.error("documents_wait", why=self._failure)
            self._news.set()
            if whole:
                again_s = AGAIN_S
                continue
            await asyncio.sleep(again_s)
            again_s = min(again_s * 2, AGAIN_AT_MOST_S)
            self._news.set()

    async def _finish_earlier_for_ever(self) -> None:
        """A hearing that came after must not keep the papers of the one before from being made."""
        while True:
            hearings = self._state.layout.hearings
            try:
                names = await asyncio.to_thread(failures_below, hearings)
            except OSError as error:
                log.error("documents_wait", why=str(error))
                names = {}
            for name in names:
                try:
                    await self._finish_earlier(name)
                except (WutongError, OSError) as error:
                    log.error("documents_wait", hearing=name, why=str(error))
            await asyncio.sleep(AGAIN_AT_MOST_S)

    async def _finish_earlier(self, name: str) -> None:
        if self._state.hearing is not None and self._state.hearing.id == name:
            return
        hearing = Hearing.of(name, await asyncio.to_thread(self._state.log.of_hearing, name))
        version = hearing.signing.version
        if version is not None and version.sha256 == words_sha256(name, words_of(hearing.transcript.lines)):
            await self._finish(hearing)
        else:  # there are other words now, which nobody has signed
            await asyncio.to_thread(note_failures, self._state.layout.hearing(name) / "documents", {})

    # What the screens are shown.

    async def value(self) -> ShownSigning | None:
        """`GET /api/transcript/signing`; None when the room never had a hearing."""
        hearing = self._state.hearing
        if hearing is None:
            return None
        version = hearing.signing.version
        sha256 = None if version is None else (await self._hash(hearing))[0]
        people = people_of(hearing, sha256)
        current = version is not None and version.sha256 == sha256
        failures = self._failures.get(sha256 or "", {})
        laid: Any = None if version is None else {**to_ms(asdict(version)), "current": current}
        return {
            "hearing": hearing.id,
            "transcript": laid,
            "people": [person.to_json() for person in people],
            "objections": [to_ms(asdict(one)) for one in hearing.signing.objections],
            "documents": [
                to_ms(asdict(one))
                for one in (hearing.signing.documents_of(sha256).values() if sha256 and current else ())
            ],
            "words": words_still(self._state, hearing.id),
            "complete": current and hearing.state is State.CLOSED and is_complete(people),
            "making": self._making.part,
            "failure": "" if failures else self._failure,
            "failures": [{"kind": cast(DocumentKind, kind), "why": why} for kind, why in failures.items()],
            "unprinted": await self._unprinted_of(hearing),
        }

    # What the clerk does.

    async def final(self, name: str, *, despite: bool) -> ShownSigning:
        """Lay the words of now before those who sign. `HearingError` `open`."""
        async with self._acts:
            await self._state.poll()
            hearing = self._closed()
            if not despite and words_still(self._state, hearing.id) is not Words.DONE:
                raise HearingError(
                    "语音识别尚未完成，笔录可能还会增加；请稍候，或确认后继续"
                    " (words may still come; wait, or confirm and go on)",
                    code="open",
                )
            through = hearing.last_number
            sha256, lines = await self._hash(hearing)
            version = hearing.signing.version
            if version is None or version.sha256 != sha256:
                number = len(hearing.signing.versions) + 1
                body: TranscriptBody = {
                    "id": name,
                    "version": number,
                    "sha256": sha256,
                    "lines": lines,
                    "through": through,
                }
                await self._state.append("transcript", body, hearing=hearing.id, key=f"transcript/{hearing.id}/{name}")
        return await self._said()

    async def sign(self, said: SignatureBody) -> ShownSigning:
        """Take what one person does. `HearingError` `open`, `stale`, `signed-already`, `invalid`."""
        async with self._acts:
            await self._state.poll()
            hearing = self._closed()
            if any(one.id == said["id"] for one in hearing.signing.signatures):
                return await self._said()
            version = hearing.signing.version
            sha256 = None if version is None else (await self._hash(hearing))[0]
            stale = version is None or not said["transcript"] == version.sha256 == sha256
            if said["act"] in (SIGN, REFUSE) and stale:
                raise HearingError(
                    "笔录已修改，请重新提交核对后再签名 (the words have changed; lay them before the people again)",
                    code="stale",
                )
            if said["act"] in (EXPECT, ABSENT):  # not about certain words
                said = {**said, "transcript": NO_WORDS if version is None else version.sha256}
            self._check_person(hearing, said, sha256)
            await self._state.append("signature", said, hearing=hearing.id, key=f"signature/{hearing.id}/{said['id']}")
        return await self._said()

    async def object(self, said: ObjectionBody) -> ShownSigning:
        """Take an objection to a line and what came of it. `HearingError` `open`, `not-found`, `invalid`."""
        async with self._acts:
            await self._state.poll()
            hearing = self._closed()
            line = hearing.transcript.get(said.get("line") or "")
            if line is None:
                raise HearingError("笔录中没有这一行 (the transcript has no such line)", code="not-found")
            if said["outcome"] == "corrected":
                await self._check_revision(hearing, line, said)
            body: ObjectionBody = {**said, "text": said["text"] or line.text}
            known = {clean_words(str(text)).strip() for text in (line.text, *(v.get("text") for v in line.versions))}
            if clean_words(body["text"]).strip() not in known:
                raise HearingError("这一行从未这样记录过 (the line never said that)", code="invalid")
            await self._state.append("objection", body, hearing=hearing.id, key=f"objection/{hearing.id}/{said['id']}")
        return await self._said()

    # Documents.

    def withheld(self) -> Unseen:
        """What no paper of the hearing holds now."""
        hearing = self._state.hearing
        return EVERYTHING_SEEN if hearing is None else self._state.unseen(hearing)

    async def document(self, kind: str) -> Made:
        """The final document of a kind where everybody has signed, else a draft; `HearingError` `no-hearing`.

        While a part of the hearing is sealed it is a draft without that part (节本), whoever asks: paper leaves the
        room. What was signed stays whole in the record.
        """
        hearing = self._state.hearing
        if hearing is None:
            raise HearingError("当前没有庭审 (there is no hearing)", code="no-hearing")
        unseen = self.withheld()
        if unseen:
            return await self._making.draft(hearing.id, kind, unseen)
        value = await self.value()
        if value is not None and value["complete"] and value["transcript"] is not None:
            sha256 = value["transcript"]["sha256"]
            if kind not in hearing.signing.documents_of(sha256):
                try:
                    await self.finish()
                except StorageError:
                    if kind not in hearing.signing.documents_of(sha256):  # another kind's failure is not this one's
                        raise
            final = hearing.signing.documents_of(sha256).get(kind)
            if final is None:
                why = self._failures.get(sha256, {}).get(kind, "")
                raise StorageError(f"这种笔录文件未能生成：{why} (this kind of document was not made; others may be)")
            path = self._state.layout.hearing(hearing.id) / final.file
            return Made(kind, path, final.bytes, final.sha256, final.sm3, draft=False)
        return await self._making.draft(hearing.id, kind)

    async def finish(self) -> bool:
        """Make the documents of words that everybody has signed, unless they are there; whether all are.

        `StorageError` when none could be made.
        """
        return self._state.hearing is None or await self._finish(self._state.hearing)

    async def _finish(self, hearing: Hearing) -> bool:
        async with self._finishing:
            version = hearing.signing.version
            if version is None:
                return True
            there = hearing.signing.documents_of(version.sha256)  # some, where the power went in between
            missing = [kind for kind in KINDS_OF_FILES if kind not in there]
            folder = self._state.layout.hearing(hearing.id)
            if not missing:
                await asyncio.to_thread(note_failures, folder / "documents", {})
                return True
            try:
                files, failed = await self._making.final(hearing.id, version.version, version.sha256, missing)
            except WutongError as error:
                self._failures[version.sha256] = dict.fromkeys(missing, error.message) if there else {}
                await asyncio.to_thread(note_failures, folder / "documents", dict.fromkeys(missing, error.message))
                raise
            for made in files:
                body: DocumentBody = {
                    "id": f"{version.sha256[:12]}-{made.kind}",
                    "transcript": version.sha256,
                    "kind": cast(DocumentKind, made.kind),
                    "file": made.path.relative_to(folder).as_posix(),
                    "bytes": made.bytes,
                    "sha256": made.sha256,
                    "sm3": made.sm3,
                }
                key = f"document/{hearing.id}/{version.sha256}/{made.kind}"
                await self._state.append("document", body, hearing=hearing.id, key=key)
            self._failures[version.sha256] = failed
            await asyncio.to_thread(note_failures, folder / "documents", failed)
            return not failed

    async def _unprinted_of(self, hearing: Hearing) -> list[ShownUnprinted]:
        """What the paper will not have, before anybody signs it; looked for again when something on it has changed."""
        lines, signing = hearing.transcript.lines, hearing.signing
        room = self._state.profile.room
        names = {"court_name": room.court_name, "room_name": room.room_name}
        newest = max((line.revision for line in lines), default=0)
        acts = (len(signing.signatures), len(signing.objections), len(hearing.exhibits))
        seen = (hearing.id, len(lines), newest, str(hearing.case), *acts)
        if self._unprinted is None or self._unprinted[0] != seen:
            try:
                found = await asyncio.to_thread(unprinted, hearing, **names)
            except (ConfigError, OSError, TTLibError) as error:  # what the documents will say; the panel goes on
                log.error("unprinted_unknown", why=str(error))
                found = []
            self._unprinted = (seen, found)
        return self._unprinted[1]

    async def _said(self) -> ShownSigning:
        value = await self.value()
        assert value is not None
        self._state.show_signing(value)
        return value

    async def _hash(self, hearing: Hearing) -> tuple[str, int]:
        """Hash and number of the lines of now."""
        lines = hearing.transcript.lines
        now = (hearing.id, len(lines), max((line.revision for line in lines), default=0))
        if self._hashed is None or self._hashed[0] != now:
            words = words_of(lines)
            self._hashed = (now, await asyncio.to_thread(words_sha256, hearing.id, words), len(words))
        return self._hashed[1:]

    def _closed(self) -> Hearing:
        hearing = self._state.hearing
        if hearing is None or hearing.state is not State.CLOSED:
            raise HearingError(
                "闭庭后才能核对、签名 (the transcript is checked and signed after the close)", code="open"
            )
        return hearing

    def _check_person(self, hearing: Hearing, said: SignatureBody, sha256: str | None) -> None:
        same = (p for p in people_of(hearing, sha256) if (p.role, p.name) == (said["role"], said["name"]))
        person = next(same, None)
        if person is not None and person.state == "signed" and said["act"] != EXPECT:
            raise HearingError(
                f"{person.role} {person.name} 已签名 (this person has signed these words already)",
                code="signed-already",
            )
        if person is not None and person.bench and said["act"] == REFUSE:
            raise HearingError(
                "审判人员、书记员应当在笔录上签名 (judges and the clerk have to sign; mark who was absent)",
                code="invalid",
            )
        if said["act"] in (REFUSE, ABSENT) and not said["reason"]:
            raise HearingError("请写明原因 (say the reason)", code="invalid")
        if said["act"] == SIGN and not said["name"]:
            raise HearingError("请填写签名人姓名 (say the name of who signs)", code="invalid")

    async def _check_revision(self, hearing: Hearing, line: Utterance, said: ObjectionBody) -> None:
        """The clerk did change this line on the objection, after the close, to what was asked for, and it stands."""
        versions = [version for version in line.versions if not version.get("void")]
        found = next((one for one in versions if one.get("id") == said["revision"]), None)
        if found is None:
            raise HearingError(
                "没有找到对这一行的更正 (no revision of this line has that id; correct it first)", code="not-found"
            )
        closes = await asyncio.to_thread(self._state.log.of_hearing, hearing.id, ["close"])
        after = found["number"] > max((event.number for event in closes), default=0)
        text = str(found.get("text", "")).strip()
        undone = text != line.text.strip() and any(
            one["act"] == "undo" and one["number"] > found["number"] for one in versions
        )
        if not after or found["by"] != CLERK or found["act"] != "objection" or text != said["wants"] or undone:
            raise HearingError(
                "该修改不是对这项异议的更正 (that revision is not the correction that was asked for; correct it first)",
                code="invalid",
            )
