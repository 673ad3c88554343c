"""Tells rooms which of their hearings, and which parts of them, are not for everybody's sight, so that they obey too.

A room is told when an act is made, when the broker comes back, and when the room itself does. Nothing is retained: a
notice that was missed is said again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from server.access.classification import Classifications
from server.access.sealing import Sealing
from server.ingest.signed_publisher import SignedPublisher
from server.rooms import KnownRoom
from server.store.reader import RecordReader
from sync.record.notice import MOST_NOTICES, HearingNotice, NoticedPart


class Notices:
    """All methods belong to one event loop."""

    def __init__(
        self,
        archive: RecordReader,
        classifications: Classifications,
        sealing: Sealing,
        publisher: SignedPublisher,
    ) -> None:
        self._archive = archive
        self._classifications = classifications
        self._sealing = sealing
        self._publisher = publisher
        self._online: set[str] = set()
        self._saying: set[asyncio.Task[None]] = set()
        sealing.changed.add(self.changed)
        classifications.said.add(self.changed)

    def changed(self, hearing: str) -> None:
        """Something else may be seen of a hearing than before."""
        self._say([hearing])

    def link(self, connected: bool) -> None:
        """The broker came or went."""
        if connected:
            self._say(self._known())

    def room(self, room: KnownRoom) -> None:
        """A room that comes back may have missed what was said."""
        if room.online and room.address not in self._online:
            self._say(self._known(), only=room.address)
        (self._online.add if room.online else self._online.discard)(room.address)

    def of(self, hearing: str) -> HearingNotice:
        """What is said of a hearing now."""
        parts = [
            NoticedPart(id=part.id, from_ns=part.from_ns, to_ns=part.to_ns, level=part.level)
            for part in self._sealing.of(hearing)
        ]
        level = self._classifications.set_level(hearing)
        return HearingNotice(hearing=hearing, level="open" if level is None else level.value, parts=parts)

    def _known(self) -> list[str]:
        return sorted({*self._sealing.hearings(), *self._classifications.hearings()})[-MOST_NOTICES:]

    def _say(self, hearings: Iterable[str], *, only: str = "") -> None:
        task = asyncio.get_running_loop().create_task(self._say_all(list(hearings), only))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _say_all(self, hearings: list[str], only: str) -> None:
        for hearing in hearings:
            room = await self._archive.owner(hearing)
            if room is not None and only in ("", room):
                self._publisher.tell(room, "notices", self.of(hearing).model_dump_json(), qos=1)
