"""The signer's socket: who may ask, how much, how often. One question a connection (`sync.room.signer`).

Promises: only processes of this account, of root and of the socket's group are answered, whatever the folders' modes
say, and others take no place of theirs; a question is bounded in bytes and time, and who asks more often than `PER_S`
waits. A process that says nonsense, or nothing, on however many lines, costs nobody else's turn: a line that has said
nothing makes room for a newer one, and one process has `MOST_OF_PROCESS` questions at a time.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from edge.signer.guarded_key import GuardedKey
from sync.errors import ConfigError, WutongError
from sync.room.counts import SignerCounts
from sync.room.signer import AWAY, MAX_LINE, REFUSED
from sync.runtime.bounds.anteroom import Anteroom
from sync.runtime.process.sole_place import take_place
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

QUESTION_S = 5.0
MOST_AT_ONCE = 64
MOST_OF_PROCESS = 16
MOST_STRANGERS = 4
PER_S = 100.0
BURST = 200.0
"""A room signs every three seconds; catching up, its uplink may sign some batches a second."""


@dataclass(frozen=True, slots=True)
class _Peer:
    """Who is at the other end, as the kernel noted it when they connected."""

    pid: int
    uid: int
    gid: int

    @classmethod
    def of(cls, line: Any) -> _Peer:
        return cls(*struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))


class SignerDoor:
    """All methods belong to one event loop."""

    def __init__(self, path: Path, signer: GuardedKey, *, per_s: float = PER_S, burst: float = BURST) -> None:
        self._path = path
        self._signer = signer
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._at = 0.0
        self._signed = 0
        self._refused = 0
        self._server: asyncio.Server | None = None
        self._place: int | None = None
        self._group = -1
        self._inside: set[asyncio.Task[None]] = set()
        self._silent: Anteroom[asyncio.Task[None]] = Anteroom(MOST_AT_ONCE, MOST_OF_PROCESS)
        self._strangers: Anteroom[asyncio.Task[None]] = Anteroom(MOST_STRANGERS, MOST_STRANGERS)
        self._asking: Counter[int] = Counter()

    async def open(self) -> None:
        """Bind the socket, in place of one that a killed predecessor left; `ConfigError` when the predecessor lives."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._take_place()
            self._path.unlink(missing_ok=True)
            # Narrow from its first moment on; the folder's group is the services'.
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            before = os.umask(0o117)
            try:
                sock.bind(str(self._path))
            finally:
                os.umask(before)
            self._group = self._path.lstat().st_gid
            self._server = await asyncio.start_unix_server(self._serve, sock=sock, limit=MAX_LINE)
        except OSError as error:
            raise ConfigError(
                f"the signer's socket {self._path} cannot be made: {error.strerror}; the folder belongs to the room's"
                " services and their group (systemd-tmpfiles --create)"
            ) from error
        self._at = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """No more questions."""
        if self._server is not None:
            self._server.close()
        for task in list(self._inside):
            task.cancel()
        await asyncio.gather(*self._inside, return_exceptions=True)
        if self._place is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._place)
            self._place = None

    def _take_place(self) -> None:
        taken = f"another signer already works at {self._path}; stop it first"
        self._place = take_place(self._path, mode=0o600, taken=taken)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._inside.add(task)
        try:
            peer = _Peer.of(writer.get_extra_info("socket"))
            may = self._may_ask(peer)
            question = await self._question(reader, self._silent if may else self._strangers, peer)
            if not may:
                await _say(writer, _no("this account may not ask the signer"))
            elif self._has_too_many(peer):
                await _say(writer, _no("the signer is asked by too many at once; ask again", code=AWAY))
            else:
                self._asking[peer.pid] += 1
                try:
                    await self._turn()
                    await _say(writer, await self._answer(question))
                finally:
                    self._asking[peer.pid] -= 1
                    self._asking += Counter()  # forgets who asks nothing
        except (OSError, ValueError, EOFError, RuntimeError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, came to no end, or said nothing (RuntimeError is uvloop's word for gone)
        finally:
            self._inside.discard(task)
            with contextlib.suppress(Exception):
                writer.close()

    @staticmethod
    async def _question(reader: asyncio.StreamReader, silent: Anteroom[asyncio.Task[None]], peer: _Peer) -> bytes:
        """What one asks; until it is said, newer ones may have the place."""
        task = asyncio.current_task()
        assert task is not None
        displaced = silent.enters(peer.pid, task)
        if displaced is not None:
            displaced.cancel()
        try:
            async with asyncio.timeout(QUESTION_S):
                return await reader.readuntil(b"\n")
        finally:
            silent.leaves(peer.pid, task)

    def _may_ask(self, peer: _Peer) -> bool:
        may = peer.uid in (0, os.geteuid()) or peer.gid == self._group
        if not may:
            log.warning("signer_asked_by_stranger", uid=peer.uid, gid=peer.gid)
        return may

    def _has_too_many(self, peer: _Peer) -> bool:
        """Whether a process has its share; where all places are taken, one that has none is let in all the same."""
        its, all_of_them = self._asking[peer.pid], self._asking.total()
        return its >= MOST_OF_PROCESS or all_of_them >= (MOST_AT_ONCE if its else 2 * MOST_AT_ONCE)

    async def _turn(self) -> None:
        """Who asks too often waits."""
        now = asyncio.get_running_loop().time()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        self._tokens -= 1
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._per_s)

    async def _answer(self, question: bytes) -> dict[str, object]:
        try:
            asked = read_strict(question, limit=MAX_LINE, depth=2)
            if asked == {"do": "counts"}:
                counts: SignerCounts = {"signed": self._signed, "refused": self._refused}
                return {**counts}
            if asked == {"do": "key"}:
                return {"key": _text(self._signer.public_key().public_bytes_raw())}
            if not isinstance(asked, dict) or set(asked) != {"do", "data"} or asked["do"] != "sign":
                return _no("the question is none that the signer knows")
            data = base64.b64decode(str(asked["data"]), validate=True)
        except ValueError as error:  # no JSON of ours, no base64, or none of ASCII
            return _no(f"the question cannot be read: {error}")
        try:
            signature = await asyncio.to_thread(self._signer.sign, data)
            self._signed += 1
            return {"signature": _text(signature)}
        except WutongError as error:
            self._refused += 1
            log.error("not_signed", code=error.code, why=error.message)
            return _no(error.message, code=REFUSED if error.code == REFUSED else AWAY)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _no(why: str, *, code: str = REFUSED) -> dict[str, object]:
    return {"code": code, "message": why}


async def _say(writer: asyncio.StreamWriter, value: dict[str, object]) -> None:
    writer.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
    await writer.drain()
