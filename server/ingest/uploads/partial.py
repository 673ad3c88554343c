"""An upload that is no object yet: whose it is, what it is to become, and the file that still grows."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from server.ingest.uploads.running_digest import RunningDigest
from sync.record.bodies.limits import Name

FileKey = tuple[str, str, str, str, int, str]
"""What two uploads of one file have in common: room, hearing, kind, track, index, name."""


class Metadata(BaseModel):
    """What a room says of an upload when it begins it."""

    model_config = ConfigDict(extra="ignore")

    room: str = Field(max_length=64)
    hearing: Name
    kind: str = Field(pattern="^(segment|exhibit|page|document|selftest|log)$")
    track: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9._-]*$")
    index: int = Field(0, ge=0, le=10_000_000)
    name: str = Field("", max_length=300)

    @property
    def file(self) -> FileKey:
        """A segment is the same whatever its room calls it; other files are told apart by their names."""
        name = "" if self.kind == "segment" else self.name
        return self.room, self.hearing, self.kind, self.track, self.index, name


@dataclass(slots=True, eq=False)
class Partial:
    """One upload. `metadata` never changes; the numbers are for whoever counts (`UploadIndex`) or writes."""

    uid: str
    path: Path
    metadata: Metadata
    bytes: int = 0
    """The size of the file when it was looked at last."""
    synced: int = 0
    """So many of them are known to be on disk."""
    gone: bool = False
    """It was dropped: nothing is written to it any more."""
    digest: RunningDigest = field(default_factory=RunningDigest)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One writer, or claim, at a time."""
    disk: threading.Lock = field(default_factory=threading.Lock)
    """Nobody appends to a file while it is dropped."""
