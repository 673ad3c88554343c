"""Where an export comes from: the room's own data folder (with no center and no network), or the center's store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sync.ledger.signing_key import SigningKey
from sync.record.bodies.evidence import DrawnPicture
from sync.record.bodies.media import AccessBody
from sync.record.event import Event
from sync.record.sealed_parts import SealedPart
from sync.record.signing import Document
from sync.record.timeline import Exhibit, Segment
from sync.runtime.files.readable_file import ReadableFile


class HearingSource(Protocol):
    """One hearing as one end keeps it. Methods block; `ConfigError` or `StorageError` say what is wrong."""

    by: str
    """`room` or `center`."""
    room: str
    """`court/room`."""
    hearing: str
    level: str
    """密级 as this end knows it: `open`, `restricted` or `withdrawn`. Empty in a room that was told
    nothing: there the people of the trial keep their own record."""

    def sealed_parts(self) -> Sequence[SealedPart]:
        """Its parts that not everybody may see, as this end knows them."""

    def events(self) -> Sequence[Event]:
        """All events of the hearing by their number."""

    def checkpoints(self) -> Sequence[str]:
        """Signed notes, the smallest tree first."""

    def device(self) -> bytes | None:
        """The device's certificate (PEM), None before enrollment."""

    def token(self) -> bytes | None:
        """The time-stamp token over the seal's checkpoint."""

    def segment(self, segment: Segment) -> ReadableFile | None:
        """The file of a segment; None when it is not here."""

    def exhibit(self, sha256: str) -> ReadableFile | None:
        """The file of an exhibit."""

    def picture(self, exhibit: Exhibit, picture: DrawnPicture) -> ReadableFile | None:
        """The picture of a page of an exhibit as the room drew it."""

    def document(self, document: Document) -> ReadableFile | None:
        """The file of a document of signed words."""

    def signer(self) -> tuple[str, SigningKey] | None:
        """(name, key) that signs the index; None when this end has no key."""

    def center_public(self) -> bytes | None:
        """The center's public key (PEM) as this end knows it."""

    def note_access(self, detail: AccessBody) -> None:
        """Write into the log of this end that the hearing was exported; on disk when it returns."""

    def close(self) -> None:
        """Let go of databases."""
