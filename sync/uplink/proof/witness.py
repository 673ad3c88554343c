"""The room's way to its witness: checkpoints up, cosignatures down, until every seal is countersigned.

Promises: the newest checkpoint of each hearing, and every seal's, is published until the center answers: again after
`AGAIN_S`, and at every reconnect. A cosignature is kept only when it is over the very note that this room signed, and
by the key of the center that this room was enrolled at; before its enrollment a room asks nothing. A refusal counts
when that key has signed it and it names the note that was refused. It is kept, too, and asked about again later: an
enrollment may put it right; a fork never is, and the panel raises it. A center that had no room for a checkpoint says
so, and when to ask again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Literal

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, Field

from sync import topics
from sync.errors import CenterError, LedgerError, StorageError
from sync.ledger.keys import CENTER
from sync.ledger.note import COSIGNATURE, Verifier, note_digest, read_note, signed_by
from sync.mqtt import MqttConnection
from sync.room.checkpoints import Checkpoints
from sync.runtime.logs.log_ids import checkpoint_id
from sync.text.strict_json import read_strict
from sync.uplink.rounds import Rounds
from sync.uplink.trust.trusted_center import TrustedCenter

log = structlog.get_logger(__name__)

LOOK_S = 0.9
"""Of what waits; a little less than the time between two rounds without news."""
AGAIN_S = 10.0
SOONEST_AGAIN_S = 1.0
REFUSED_AGAIN_S = 60.0
MAX_ANSWER_BYTES = 16_384


class Answer(BaseModel):
    """One message of `witness`: a cosigned note as it is, a refusal, or that it was not judged."""

    hearing: Annotated[str, Field(max_length=96)]
    size: Annotated[int, Field(ge=1, lt=1 << 63)]
    note: Annotated[str, Field(max_length=MAX_ANSWER_BYTES)] = ""
    refused: Literal["", "fork", "signature", "device", "form"] = ""
    again_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0
    """Of a note that the center had no room to judge: when to ask again, at least `SOONEST_AGAIN_S`."""
    of: Annotated[str, Field(max_length=64)] = ""
    """SHA-256 of the text of the note that is refused, or was not judged."""


class WitnessLine:
    """All methods belong to one event loop."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        center: TrustedCenter,
        broker: MqttConnection,
        prefix: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`prefix` is `court/v1/<court>/<room>`; subscribes, so make it before the broker starts."""
        self._checkpoints = checkpoints
        self._center = center
        self._broker = broker
        self._topic = f"{prefix}/{topics.CHECKPOINTS}"
        self._monotonic = monotonic
        self._next: dict[tuple[str, int], float] = {}
        self._look_at_s = 0.0
        self._answers: asyncio.Queue[Answer] = asyncio.Queue(maxsize=1000)
        self._rounds = Rounds(self._round, "witness_failed")
        broker.subscribe(f"{prefix}/{topics.WITNESS}", 1, self._on_answer)
        broker.on_connected(self._on_connected)

    async def run(self) -> None:
        """Ask for ever."""
        await self._rounds.run()

    async def _round(self) -> None:
        try:
            while not self._answers.empty():
                await self._take(self._answers.get_nowait())
            if self._monotonic() >= self._look_at_s:  # an answer alone is no news of what waits
                await self._send()
        except StorageError as error:
            log.error("checkpoints_wait", why=error.message)

    def _on_connected(self) -> None:
        self._next.clear()
        self._look_at_s = 0.0
        self._rounds.kick()

    def _on_answer(self, payload: bytes) -> None:
        try:
            self._answers.put_nowait(self._read(payload))
        except (ValueError, CenterError, LedgerError) as error:
            log.warning("witness_unreadable", why=str(error)[:200])
        except asyncio.QueueFull:
            log.warning("witness_dropped", next="the center is asked again")
        self._rounds.kick()

    def _read(self, payload: bytes) -> Answer:
        """An answer that may be believed unless it is a cosignature: of that the note itself decides."""
        value = read_strict(payload, limit=3 * MAX_ANSWER_BYTES)
        says_more = isinstance(value, dict) and any(value.get(key) for key in ("witness", "refused", "again_s"))
        if isinstance(value, dict) and not says_more:
            return Answer.model_validate(value)
        told = self._center.read("witness", payload, limit=MAX_ANSWER_BYTES)
        answer = Answer.model_validate(told.value)
        if not answer.refused and not answer.again_s:
            raise CenterError("an answer of the witness is neither a cosigned note nor a refusal")
        if told.signed and not answer.of:
            raise CenterError("a refusal of the witness does not say of which note")
        return answer

    async def _send(self) -> None:
        if not self._broker.connected or self._center.key is None:
            return
        now = self._monotonic()
        self._look_at_s = now + LOOK_S
        waiting = await asyncio.to_thread(self._checkpoints.waiting)
        keys = {(stored.hearing, stored.size) for stored in waiting}
        self._next = {key: at for key, at in self._next.items() if key in keys}
        for stored in waiting:
            key = (stored.hearing, stored.size)
            if self._next.get(key, now) > now:
                continue
            if not self._broker.publish(self._topic, stored.note.encode(), qos=1):
                return
            log.debug("checkpoint_sent", id=_id_of(stored.note), hearing=stored.hearing, size=stored.size)
            self._next[key] = now + (REFUSED_AGAIN_S if stored.refused else AGAIN_S)

    async def _take(self, answer: Answer) -> None:
        came_s = self._monotonic()
        again_s = await asyncio.to_thread(self._keep, answer, self._center.key)
        if again_s is not None:
            self._next[(answer.hearing, answer.size)] = came_s + again_s

    def _keep(self, answer: Answer, center: Ed25519PublicKey | None) -> float | None:
        """Write down what an answer says of a checkpoint of this room; in how many seconds that is asked about again,
        where the answer says so. `center`: whose cosignature counts. Blocks."""
        about = {"hearing": answer.hearing, "size": answer.size}
        stored = self._checkpoints.get(answer.hearing, answer.size)
        if stored is None:
            log.warning("witness_of_nothing", **about)
            return None
        is_no_note = answer.refused or answer.again_s
        if is_no_note and answer.of and answer.of != note_digest(read_note(stored.note)):
            log.warning("refusal_of_another", **about)
            return None
        if answer.refused:
            log.error("checkpoint_refused", id=_id_of(stored.note), **about, why=answer.refused)
            self._checkpoints.refused(answer.hearing, answer.size, answer.refused)
            return REFUSED_AGAIN_S
        if answer.again_s:
            return max(answer.again_s, SOONEST_AGAIN_S)
        try:
            _check(stored.note, answer.note, center)
        except LedgerError as error:
            log.error("cosignature_refused", id=_id_of(stored.note), **about, why=error.message)
            return None
        log.debug("checkpoint_witnessed", id=_id_of(stored.note), **about)
        self._checkpoints.witnessed(answer.hearing, answer.size, answer.note)
        return None


def _check(own: str, cosigned: str, center: Ed25519PublicKey | None) -> None:
    if center is None:
        raise LedgerError("this room is not enrolled, so it knows no key of the center", code="certificate")
    note, mine = read_note(cosigned), read_note(own)
    if note.text != mine.text or mine.lines[0] not in note.lines:
        raise LedgerError("the center cosigned another note than this room's", code="signature")
    if signed_by(note, Verifier(CENTER, center, COSIGNATURE)) is None:
        raise LedgerError("the center's cosignature is missing", code="signature")


def _id_of(note: str) -> str:
    """As the logs of room and center name a checkpoint; empty for a note that the disk has damaged."""
    try:
        return checkpoint_id(note_digest(read_note(note)))
    except LedgerError:
        return ""
