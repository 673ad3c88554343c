"""One light room: a status each second and batches of events that its device has signed, one hearing, no media.

What it says has the form and the size of what a room says, and its receipts are judged as a room judges them: signed by
the center's key, by number and digest. It keeps its batches in memory and says one again that was not receipted. What
is not there: checkpoints, uploads, captions, pictures, and a log on a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync import topics
from sync.errors import LedgerError
from sync.ledger.keys import CENTER
from sync.ledger.messages.event_batch import batch_text, event_text, pack_batch
from sync.ledger.messages.receipts import MAX_RECEIPTS_BYTES, Receipts
from sync.ledger.messages.signed_message import check_text, read_envelope
from sync.ledger.note import Verifier
from sync.record.event import Event, event_digest
from sync.runtime.units import NS_PER_S
from wutong.bench.archive.made_words import MadeWords
from wutong.bench.center.samples import Samples
from wutong.bench.province.light_line import LightLine
from wutong.bench.province.province_orders import LightPace, LightRoomOrders

RECEIPT = "receipt_ms"
STATUS_LATE = "status_late_ms"
RESEND_S = 10.0
WINDOW = 8
"""Batches that may be under way: a center that does not keep up is not flooded."""
AGAIN_S = 2.0
_CAMERAS = ("bench", "parties", "mics", "mix")


@dataclass
class SaidBatch:
    """A batch that is under way."""

    payload: bytes
    digests: dict[int, str]
    begun_ns: int
    said_s: float = field(default=0.0)


class LightRoom:
    """All methods belong to one event loop."""

    def __init__(
        self, orders: LightRoomOrders, port: int, pace: LightPace, center_key: bytes, words: MadeWords, samples: Samples
    ) -> None:
        self._orders = orders
        self._port = port
        self._pace = pace
        self._samples = samples
        self._words = words
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(orders.key))
        self._verifiers = [Verifier(CENTER, Ed25519PublicKey.from_public_bytes(center_key))]
        self._chance = random.Random(orders.address)  # noqa: S311 (the same at each run)
        self._prefix = topics.of_room(orders.address)
        self._session = secrets.token_hex(8)
        self._hearing = f"light-{secrets.token_hex(6)}"
        self._opened_utc_ns = time.time_ns()
        self._number = 0
        self._under_way: list[SaidBatch] = []
        self._line: LightLine | None = None
        self._quiet = False
        self.said = 0
        """Events, each once."""
        self.receipted = 0
        self.lost_lines = 0
        self.refused = 0
        """Messages of the center that name something as refused, or that nobody believes."""

    @property
    def is_there(self) -> bool:
        """Whether it is connected and its opening was receipted."""
        return self._line is not None and self._line.ready.is_set() and self.receipted > 0

    @property
    def pending(self) -> int:
        """Events that were said and not receipted."""
        return sum(len(batch.digests) for batch in self._under_way)

    def be_quiet(self) -> None:
        """Say no new events; what is under way is said until it is receipted."""
        self._quiet = True

    async def run(self) -> None:
        """Say all of it for ever, over one connection after the other."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._connect_for_ever())
            group.create_task(self._tell_status())
            group.create_task(self._tell_events())

    async def _connect_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        wanted = [f"{self._prefix}/{topic}" for topic in (topics.RECEIPTS, topics.DEMAND)]
        while True:
            line = LightLine(self._orders.address, self._orders.password, wanted, self._hear)
            with contextlib.suppress(OSError):
                await loop.create_connection(lambda one=line: one, "127.0.0.1", self._port)  # type: ignore[misc]
                self._line = line
                self._forget_what_was_said()  # what went over the line before may be lost with it
                await line.lost.wait()
                self.lost_lines += 1
            await asyncio.sleep(AGAIN_S * (0.5 + self._orders.phase))

    async def _tell_status(self) -> None:
        due_s = time.monotonic() + self._orders.phase * self._pace.status_s
        while True:
            await asyncio.sleep(max(due_s - time.monotonic(), 0))
            payload = json.dumps(self._status(), ensure_ascii=False).encode()
            if self._line is not None and self._line.publish(f"{self._prefix}/{topics.STATUS}", payload):
                self._samples.since(STATUS_LATE, round(due_s * NS_PER_S))
                self._samples.count("statuses")
            due_s += self._pace.status_s

    async def _tell_events(self) -> None:
        due_s = time.monotonic() + self._orders.phase * self._pace.batch_s
        while True:
            await asyncio.sleep(max(due_s - time.monotonic(), 0))
            due_s += self._pace.batch_s
            if len(self._under_way) < WINDOW and not self._quiet:
                self._under_way.append(self._batch())
            self._say_again()

    def _say_again(self) -> None:
        """Say what is under way and was not said, or so long ago that it may have been lost."""
        now_s = time.monotonic()
        for batch in self._under_way:
            if batch.said_s and now_s - batch.said_s < RESEND_S:
                continue
            if self._line is None or not self._line.publish(f"{self._prefix}/{topics.EVENTS}", batch.payload):
                return
            self._samples.count("batches_again" if batch.said_s else "batches")
            batch.said_s = now_s

    def _forget_what_was_said(self) -> None:
        """All that is under way is said anew at the next opportunity."""
        for batch in self._under_way:
            batch.said_s = 0.0

    def _batch(self) -> SaidBatch:
        begun_ns = time.monotonic_ns()
        count = self._pace.events if self._number else 1
        events = [self._event(self._number + 1 + n) for n in range(count)]
        self._number += count
        self.said += count
        self._samples.count("events", count)
        text = batch_text([event_text(event) for event in events])
        digests = {event.number: event_digest(event) for event in events}
        return SaidBatch(pack_batch(self._orders.address, list(digests), text, self._key), digests, begun_ns)

    def _event(self, number: int) -> Event:
        utc_ns = time.time_ns()
        room_ns = utc_ns - self._opened_utc_ns
        body: dict[str, Any]
        if number == 1:
            kind, body = "open", self._opening()
        elif number % 2:
            kind, body = "mark", {"id": f"m{number}", "kind": "note", "text": "重点"}
        else:
            role, text = self._words.line(self._chance, len(self._orders.address))
            spoken = [{"text": one, "start_ns": room_ns, "end_ns": room_ns, "probability": 0.9} for one in text]
            kind, body = "utterance", {"id": f"u{number}", "seat": "judge", "role": role, "text": text, "voice": ""}
            body |= {"start_ns": room_ns, "end_ns": room_ns + NS_PER_S, "confidence": 0.9, "words": spoken}
        return Event(number, self._hearing, kind, room_ns, utc_ns, body)

    def _opening(self) -> dict[str, Any]:
        tracks = [{"id": one, "kind": "video", "name": one} for one in _CAMERAS[:2]]
        seats = [{"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0}]
        names = {
            "court": "bench",
            "room": self._orders.address,
            "court_name": "省院",
            "room_name": self._orders.address,
        }
        return {"case": self._case(), "seats": seats, "tracks": tracks, **names}

    def _case(self) -> dict[str, Any]:
        number = f"(2026)黑05民初{int(self._orders.phase * 9000) + 1}号"
        parties = {"原告": "张三", "被告": "李四"}
        return {
            "id": "c",
            "case_no": number,
            "cause": "民间借贷纠纷",
            "title": "",
            "parties": parties,
            "public": True,
            "procedure": "ordinary",
        }

    def _status(self) -> dict[str, Any]:
        utc_ns = time.time_ns()
        room_ns = utc_ns - self._opened_utc_ns
        tracks = [
            {"id": one, "kind": "video", "name": one, "mime": "video/mp4", "state": "running", "kept": True}
            | {"kept_bytes": room_ns, "last_fragment_ns": room_ns, "restarts": 0, "why": "", "fault": ""}
            | {"fps": 25.0, "key_s": 1.0}
            for one in _CAMERAS
        ]
        disk = {"free_bytes": room_ns, "hours_left": 99.5, "longest_wait_ms": 3.0}
        clock = {"source": "chrony", "error_ms": 0.4}
        recorder = {"at_ns": room_ns, "tracks": tracks, "hearing": self._hearing, "disk": disk, "clock": clock}
        hearing = {"id": self._hearing, "state": "open", "pause": None, "case": self._case()}
        return {
            "online": True,
            "session": self._session,
            "at_utc_ns": utc_ns,
            "room_ns": room_ns,
            "court_name": "省院",
            "room_name": self._orders.address,
            "hearing": {**hearing, "opened_utc_ns": self._opened_utc_ns},
            "recorder": {**recorder, "copy": None, "readback": {"checked": 1, "longest_s": 0.1}, "alarms": []},
            "alarms": [],
            "speaking": [],
            "seats": [{"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0}],
        }

    def _hear(self, topic: str, payload: bytes) -> None:
        if not topic.endswith(f"/{topics.RECEIPTS}"):
            return
        try:
            signed = read_envelope(payload, "receipts", limit=MAX_RECEIPTS_BYTES)
            if signed is None:
                raise LedgerError("nobody has signed it", code="unsigned")
            check_text("receipts", self._orders.address, *signed, self._verifiers)
            said = Receipts.model_validate_json(signed[1])
        except (LedgerError, ValueError):
            self.refused += 1
            return
        self.refused += len(said.refused) + len(said.batches)
        if said.again:  # another process of the center has the room now
            self._forget_what_was_said()
            self._say_again()
        for stored in said.stored:
            for batch in self._under_way:
                if batch.digests.get(stored.number) == stored.sha256:
                    del batch.digests[stored.number]
                    self.receipted += 1
                    self._samples.count("receipts")
                    if not batch.digests:
                        self._samples.since(RECEIPT, batch.begun_ns)
                    break
        self._under_way = [batch for batch in self._under_way if batch.digests]
