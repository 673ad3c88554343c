"""The product's own parts of a room, with a watch beside them: they do what they do, and when is noted.

Every duration is between two moments of one process, by `CLOCK_MONOTONIC`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from sync.record.event import Event
from sync.room.checkpoints import Checkpoints, StoredCheckpoint
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.uplink.service import Uplink, UplinkConfig
from wutong.bench.center.samples import Samples

RECEIPT = "receipt_ms"
WITNESS = "witness_ms"
UPLOAD = "upload_ms"
CLAIM = "claim_ms"
OTHER_REQUEST = "request_ms"
_BEGUN = "bench_begun_ns"
_MOST = 20_000


class ObservedLog(RoomLog):
    """A room's log that notes how long after it was told an event the event is receipted."""

    def __init__(self, path: Path, samples: Samples) -> None:
        super().__init__(path)
        self._samples = samples
        self._told_ns: dict[int, int] = {}

    def append(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        hearing: str | None,
        room_ns: int,
        utc_ns: int,
        key: str | None = None,
        after: int | None = None,
    ) -> Event:
        """The same, noted."""
        begun_ns = time.monotonic_ns()
        event = super().append(kind, body, hearing=hearing, room_ns=room_ns, utc_ns=utc_ns, key=key, after=after)
        if len(self._told_ns) < _MOST:
            self._told_ns[event.number] = begun_ns
        self._samples.count("events")
        return event

    def forget(self, numbers: Iterable[int]) -> None:
        """The same, noted."""
        receipted = list(numbers)
        for number in receipted:
            begun_ns = self._told_ns.pop(number, None)
            if begun_ns is not None:
                self._samples.since(RECEIPT, begun_ns)
        super().forget(receipted)


class ObservedCheckpoints(Checkpoints):
    """Checkpoints that note how long after the uplink took one to send it the center's cosignature is kept."""

    def __init__(self, log: Path, samples: Samples) -> None:
        super().__init__(log)
        self._samples = samples
        self._taken_ns: dict[tuple[str, int], int] = {}

    def waiting(self, limit: int = 64) -> list[StoredCheckpoint]:
        """The same; what it returns for the first time is about to be sent."""
        found = super().waiting(limit)
        now_ns, before = time.monotonic_ns(), self._taken_ns
        self._taken_ns = {(one.hearing, one.size): before.get((one.hearing, one.size), now_ns) for one in found}
        return found

    def witnessed(self, hearing: str, size: int, note: str) -> None:
        """The same, noted."""
        begun_ns = self._taken_ns.pop((hearing, size), None)
        super().witnessed(hearing, size, note)
        if begun_ns is not None:
            self._samples.since(WITNESS, begun_ns)


class ObservedUplink(Uplink):
    """An uplink whose requests are noted: from before each is sent until its answer has begun."""

    def __init__(
        self, config: UplinkConfig, *, clock: RoomClock, room_log: RoomLog, checkpoints: Checkpoints, samples: Samples
    ) -> None:
        super().__init__(config, clock=clock, room_log=room_log, checkpoints=checkpoints)
        self._samples = samples
        if self._http is not None:
            hooks = self._http.event_hooks
            hooks["request"] = [*hooks["request"], self._begun]
            hooks["response"] = [*hooks["response"], self._answered]
            self._http.event_hooks = hooks

    async def _begun(self, request: httpx.Request) -> None:
        request.extensions = {**request.extensions, _BEGUN: time.monotonic_ns()}

    async def _answered(self, answer: httpx.Response) -> None:
        request = answer.request
        self._samples.since(kind_of_request(request.method, request.url.path), request.extensions[_BEGUN])
        self._samples.count("requests")
        if answer.status_code >= 400:
            self._samples.count(f"requests_{answer.status_code}")


def kind_of_request(method: str, path: str) -> str:
    """As what a request of a room is counted: whatever carries media is an upload, by whatever protocol."""
    if path == "/api/objects":
        return CLAIM
    return UPLOAD if method in ("PATCH", "PUT", "POST") and path != "/api/certificate" else OTHER_REQUEST
