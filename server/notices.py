"""Tells rooms which of their hearings, and which parts of them, are not for everybody's sight, so that they obey too.

A room is told when an act is made, and again when it comes back, for it may have missed what was said meanwhile; then
also of the hearing that it tells of, so that a room that has lost what it was told learns that nothing is withheld.
Where the broker is several machines, a line between two of them may break that neither the room nor the center notices:
there a room is told again every `AGAIN_S` for as long as it is there.
What the archivist has lifted of the room's own parts is said by their ids.

Where the center has several processes, each tells what it has followed, none while it does not know the rights, and the
one that has acted once more when no other can say what was so before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from server.access.classification import Classifications
from server.access.sealing import Sealing
from server.access.shared_rights import SharedRights
from server.ingest.signed_publisher import SignedPublisher
from server.rooms import KnownRoom
from server.store.reader import RecordReader
from sync.record.notice import MOST_NOTICES, MOST_OF_ONE, HearingNotice, NoticedPart
from sync.record.sealed_parts import OF_ROOM

AGAIN_S = 30.0


class Notices:
    """All methods belong to one event loop."""

    def __init__(
        self,
        archive: RecordReader,
        classifications: Classifications,
        sealing: Sealing,
        publisher: SignedPublisher,
        rights: SharedRights | None = None,
        *,
        again_s: float | None = None,
        again: Callable[[KnownRoom], object] | None = None,
    ) -> None:
        """`again_s`: have everything said again so often, by `again`: by `came_back` unless that is said."""
        self._again_s = again_s
        self._again = again or self.came_back
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._archive = archive
        self._classifications = classifications
        self._sealing = sealing
        self._publisher = publisher
        self._rights = rights or SharedRights(None)
        self._saying: set[asyncio.Task[None]] = set()
        sealing.changed.add(self.changed)
        classifications.said.add(self.changed)
        self._rights.agreed.add(self.changed)

    def changed(self, hearing: str) -> None:
        """Something else may be seen of a hearing than before."""
        self._begin(self._say(hearing))

    def came_back(self, room: KnownRoom) -> None:
        """A room is there again."""
        self._begin(self._say_all(room.address, set() if room.told_id is None else {room.told_id}))
        if self._again_s is not None:
            if room.address in self._timers:
                self._timers[room.address].cancel()
            self._timers[room.address] = asyncio.get_running_loop().call_later(self._again_s, self._say_again, room)

    def _say_again(self, room: KnownRoom) -> None:
        del self._timers[room.address]
        if room.online:  # else it is told when it comes back
            self._again(room)

    def of(self, hearing: str) -> HearingNotice:
        """What is said of a hearing now."""
        parts = [
            NoticedPart(id=part.id, from_ns=part.from_ns, to_ns=part.to_ns, level=part.level)
            for part in self._sealing.of(hearing)
            if not part.id.startswith(OF_ROOM)
        ][:MOST_OF_ONE]
        lifted = [name.removeprefix(OF_ROOM) for name in self._sealing.lifted(hearing) if name.startswith(OF_ROOM)]
        level = self._classifications.set_level(hearing)
        return HearingNotice(
            hearing=hearing, level="open" if level is None else level.value, parts=parts, lifted=lifted[-MOST_OF_ONE:]
        )

    def _begin(self, saying: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(saying)
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _say(self, hearing: str) -> None:
        room = await self._archive.owner(hearing)
        await self._rights.until_known()
        if room is not None:
            self._tell(room, hearing)

    async def _say_all(self, room: str, told: set[str]) -> None:
        sealing = self._sealing
        known = {*sealing.hearings(), *sealing.hearings_lifted(), *self._classifications.hearings(), *told}
        # A room keeps so many; the ids of its hearings begin with their days.
        its = await self._archive.of_room(room, known)
        await self._rights.until_known()
        for hearing in its[-MOST_NOTICES:]:
            self._tell(room, hearing)

    def _tell(self, room: str, hearing: str) -> None:
        self._publisher.tell(room, "notices", self.of(hearing).model_dump_json(), qos=1)
