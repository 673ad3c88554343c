"""Whether a service can do its work now, and in words what it lacks: for whoever starts, restarts or balances it.

A *part* is either needed, and without it the service is not ready, or it is wanted: without it the service does its
work, and says what it does without. Words are ours and name no host, path, account or case.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NotRequired

import structlog
from typing_extensions import TypedDict

from sync.errors import WutongError
from sync.http.monitoring.definitions import gauge
from sync.http.monitoring.patience import OneQuestion
from sync.http.monitoring.readings import Readings

log = structlog.get_logger(__name__)

PART_S = 0.8
"""Less than a scrape gives its parts: it asks for all of these as one."""
FRESH_S = 2.0
"""So long an answer holds: what is asked writes to a disk."""
READY = gauge("wutong_ready", "Whether the service has all that it needs to do its work (1) or not (0).")
READY_PART = gauge("wutong_ready_part", "Whether this part is as it should be (1) or not (0).", "part")

Check = Callable[[], Awaitable[str]]
"""Looks at a part: empty when it is well, else what is wrong, in words for an administrator."""


class LackingPart(TypedDict):
    """Something that is not as it should be."""

    part: str
    why: str


class ReadinessAnswer(TypedDict):
    """Body of `GET /readyz`; `lacks` is what keeps the service from its work, `wants` what it goes on without; `role`
    which of several processes of one service it is."""

    ready: bool
    lacks: list[LackingPart]
    wants: list[LackingPart]
    role: NotRequired[str]


@dataclass(frozen=True)
class ReadyPart:
    """What is looked at; `needed`: the service is not ready without it."""

    check: Check
    needed: bool = True


class Readiness:
    """All methods belong to one event loop."""

    def __init__(
        self,
        parts: Mapping[str, ReadyPart],
        *,
        role: str = "",
        part_s: float = PART_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = dict(parts)
        self._role = role
        self._questions = {name: OneQuestion(part.check, part_s) for name, part in parts.items()}
        self._part_s = part_s
        self._monotonic_s = monotonic_s
        self._known: tuple[float, dict[str, str]] | None = None
        self._looking = asyncio.Lock()

    async def answer(self) -> ReadinessAnswer:
        """How it is now."""
        whys = await self._look()
        lacks: list[LackingPart] = []
        wants: list[LackingPart] = []
        for name, part in self._parts.items():
            if whys[name]:
                (lacks if part.needed else wants).append({"part": name, "why": whys[name]})
        answer: ReadinessAnswer = {"ready": not lacks, "lacks": lacks, "wants": wants}
        if self._role:
            answer["role"] = self._role
        return answer

    async def read(self, readings: Readings) -> None:
        """The same as metrics (`READY`, `READY_PART`)."""
        whys = await self._look()
        readings.set(READY, not any(whys[name] and part.needed for name, part in self._parts.items()))
        for name, why in whys.items():
            readings.set(READY_PART, not why, name)

    def close(self) -> None:
        """Nobody asks any more."""
        for question in self._questions.values():
            question.close()

    async def _look(self) -> dict[str, str]:
        async with self._looking:
            if self._known is None or self._monotonic_s() - self._known[0] >= FRESH_S:
                whys = await asyncio.gather(*(self._why(name) for name in self._parts))
                self._known = (self._monotonic_s(), dict(zip(self._parts, whys, strict=True)))
            return self._known[1]

    async def _why(self, name: str) -> str:
        try:
            return await self._questions[name].answer()
        except TimeoutError:
            return f"没有在 {self._part_s:g} 秒内应答 (no answer within {self._part_s:g} s)"
        except WutongError as error:
            log.warning("not_ready", part=name, why=error.message)
            return error.message if error.__cause__ is None else "出错，见日志 (an error; the log says which)"
        except Exception as error:  # noqa: BLE001  # whatever it is, this part is not well
            log.warning("not_ready", part=name, why=repr(error)[:300])
            return "出错，见日志 (an error; the log says which)"
