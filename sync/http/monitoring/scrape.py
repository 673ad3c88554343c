"""One scrape: all parts of a service are asked beside each other, and what does not answer in time is named.

Promises: an answer within two seconds, whatever hangs; a part that is missing is said by
`wutong_scrape_part_up` and its series are left out, never made up. Two who scrape at once get one collection, which is
nobody's: a scraper that hangs up takes it from nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

import structlog

from sync.http.monitoring.definitions import MetricDefinition, gauge
from sync.http.monitoring.patience import OneQuestion
from sync.http.monitoring.readings import Readings

log = structlog.get_logger(__name__)

PART_S = 1.5
FRESH_S = 1.0
"""Who asks more often gets the same again: nobody can make a service collect all day."""
PART_UP = gauge(
    "wutong_scrape_part_up", "Whether this part of the service answered this scrape (1) or not (0).", "part"
)
COLLECTED = gauge("wutong_scrape_collection_seconds", "How long the service collected for this scrape.")

Reader = Callable[[Readings], Awaitable[None]]
"""Reads a part of the service into the readings; it may raise."""


class Scrape:
    """All methods belong to one event loop."""

    def __init__(
        self,
        catalog: Collection[MetricDefinition],
        parts: Mapping[str, Reader],
        *,
        part_s: float = PART_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`parts`: by name, which is a label."""
        self._catalog = [*catalog, PART_UP, COLLECTED]
        self._parts = {name: OneQuestion(partial(self._read, read), part_s) for name, read in parts.items()}
        self._monotonic_s = monotonic_s
        self._collecting: asyncio.Task[bytes] | None = None
        self._text: tuple[float, bytes] | None = None
        self._said: dict[str, str] = {}

    async def text(self) -> bytes:
        """What the service says of itself now."""
        if self._text is not None and self._monotonic_s() - self._text[0] < FRESH_S:
            return self._text[1]
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.create_task(self._collect())
        return await asyncio.shield(self._collecting)

    def close(self) -> None:
        """Nobody scrapes any more."""
        for question in self._parts.values():
            question.close()
        if self._collecting is not None:
            self._collecting.cancel()

    async def _collect(self) -> bytes:
        began_s = self._monotonic_s()
        readings = Readings(self._catalog)
        await asyncio.gather(*(self._take(name, readings) for name in self._parts))
        readings.set(COLLECTED, self._monotonic_s() - began_s)
        text = await asyncio.to_thread(readings.to_text)  # of thousands of rooms it takes long
        self._text = (self._monotonic_s(), text)
        return text

    async def _read(self, read: Reader) -> Readings:
        """Into readings of its own, so that half of a part that failed is not taken for all of it."""
        readings = Readings(self._catalog)
        await read(readings)
        return readings

    async def _take(self, name: str, readings: Readings) -> None:
        try:
            readings.take(await self._parts[name].answer())
        except Exception as error:  # noqa: BLE001  # what one part raises costs its own series, and is said
            self._say(name, type(error).__name__, error)
            readings.set(PART_UP, 0, name)
            return
        self._said.pop(name, None)
        readings.set(PART_UP, 1, name)

    def _say(self, name: str, why: str, error: Exception) -> None:
        """Once for as long as it stays the same: a scrape comes every few seconds."""
        if self._said.get(name) != why:
            self._said[name] = why
            log.warning("scrape_lacks_part", part=name, why=str(error)[:300] or why)
