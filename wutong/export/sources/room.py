"""A hearing out of the room's data folder, as the room's services keep it.

Needs no center, and of the services the signer alone, where no other account has the device's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sync.errors import ConfigError
from sync.ledger.signing_key import SigningKey
from sync.record.bodies.evidence import DrawnPicture
from sync.record.bodies.media import AccessBody
from sync.record.event import Event
from sync.record.notice import parts_in_force
from sync.record.sealed_parts import RoomParts, SealedPart
from sync.record.signing import Document
from sync.record.timeline import Exhibit, Segment
from sync.room.checkpoints import Checkpoints, StoredCheckpoint
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.kept_notices import read_notices
from sync.room.paths import RoomPaths, page_picture_name
from wutong.device_key import device_key


class RoomSource:
    """`data` is `storage.data` of the room's profile."""

    by = "room"
    level: str
    """As the center said last; empty where it has said nothing: the people of the trial keep their own record."""

    def __init__(self, data: Path, hearing: str) -> None:
        self.layout = RoomPaths(data)
        self.hearing = hearing
        if not self.layout.log.is_file():
            raise ConfigError(f"{data} is not the data folder of a room: it has no {self.layout.log.name}")
        self._log = RoomLog(self.layout.log)
        self._checkpoints = Checkpoints(self.layout.log)
        self._events = self._log.of_hearing(hearing)
        self._notice = read_notices(self.layout.notices, self.layout.hearings, hearing).get(hearing)
        self.level = "" if self._notice is None else self._notice.level
        opening = next((e for e in self._events if e.kind == "open"), None)
        if opening is None:
            known = self._log.last_opened()
            self.close()
            raise ConfigError(
                f"there is no hearing {hearing} in {data}" + (f"; the last one is {known}" if known else "")
            )
        self.room = f"{opening.body.get('court')}/{opening.body.get('room')}"

    def close(self) -> None:
        """Let go of the log."""
        self._checkpoints.close()
        self._log.close()

    def sealed_parts(self) -> Sequence[SealedPart]:
        """Those that the room has sealed itself and nobody has lifted, and what the center has told it."""
        parts = RoomParts()
        for event in self._events:
            if event.kind == "sealed_part":
                parts.apply(event)
        return parts_in_force(parts, self._notice)

    def events(self) -> Sequence[Event]:
        """All events of the hearing."""
        return self._events

    def _signed(self) -> list[StoredCheckpoint]:
        stored = self._checkpoints.of_hearing(self.hearing)
        if stored and not stored[-1].seal:
            # Of a hearing that goes on, only what the center has seen already can be judged by others.
            witnessed = self._checkpoints.last_witnessed(self.hearing)
            if witnessed is not None:
                stored = [s for s in stored if s.size <= witnessed.size]
        return stored

    def checkpoints(self) -> Sequence[str]:
        """Signed notes, with the center's cosignature where the room has it."""
        return [stored.best for stored in self._signed()]

    def device(self) -> bytes | None:
        """The certificate that the room got at enrollment."""
        path = self.layout.device_certificate
        return path.read_bytes() if path.is_file() else None

    def token(self) -> bytes | None:
        """The token of the last seal."""
        seals = [stored for stored in self._signed() if stored.seal]
        return seals[-1].token if seals else None

    def segment(self, segment: Segment) -> Path | None:
        """`file` is relative to the hearing's folder, and must not lead out of it."""
        return self._inside(segment.file)

    def exhibit(self, sha256: str) -> Path | None:
        """Exhibits are named by their content."""
        return self._inside(f"exhibits/{sha256}")

    def picture(self, exhibit: Exhibit, picture: DrawnPicture) -> Path | None:
        """In the folder of the exhibit's pages."""
        return self._inside(f"pages/{exhibit.sha256}/{page_picture_name(picture['page'], picture['scale'])}")

    def document(self, document: Document) -> Path | None:
        """`file` is relative to the hearing's folder."""
        return self._inside(document.file)

    def signer(self) -> tuple[str, SigningKey] | None:
        """The device."""
        key = device_key(self.layout)
        return None if key is None else (self.room, key)

    def center_public(self) -> bytes | None:
        """As it was at enrollment."""
        return self.layout.center_key.read_bytes() if self.layout.center_key.is_file() else None

    def note_access(self, detail: AccessBody) -> None:
        """A fact of the room, not of the hearing: a sealed ledger stays as it is."""
        clock = RoomClock.open(self.layout.clock)
        self._log.append("access", detail, hearing=None, room_ns=clock.now_ns(), utc_ns=clock.utc_now_ns())

    def _inside(self, name: str) -> Path | None:
        folder = self.layout.hearing(self.hearing).resolve()
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
