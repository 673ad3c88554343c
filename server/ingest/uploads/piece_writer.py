"""Writes pieces of a room's files: all that one request brought, in one thread, synced before anybody is told.

Each file is judged by itself, and what is wrong with one holds up no other. A piece is placed by its offset: what the
file has already is passed over, what would leave a hole is refused, so that nothing is doubled whatever was sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from server.ingest.uploads.partial import Metadata, Partial
from server.ingest.uploads.upload_files import UploadFiles
from sync.errors import StorageError
from sync.uplink.files.pieces import Code, PieceAnswer, PieceStretch

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Placing:
    """A stretch of a piece on its way into its file."""

    stretch: PieceStretch
    metadata: Metadata
    partial: Partial | None
    is_busy: bool = False

    def answer(self, code: Code) -> PieceAnswer:
        """What is said of it, as far as the file is known now."""
        if self.partial is None or self.partial.gone:
            return PieceAnswer(upload="", offset=0, code=code)
        return PieceAnswer(upload=self.partial.uid, offset=self.partial.bytes, code=code)


class PieceWriter:
    """`write` belongs to one event loop; the rest blocks, in one thread for each call."""

    def __init__(self, files: UploadFiles, *, max_bytes: int) -> None:
        """`max_bytes`: of one file."""
        self._files = files
        self._max_bytes = max_bytes

    async def write(self, room: str, stretches: Sequence[PieceStretch]) -> dict[int, PieceAnswer]:
        """Number of a piece -> what there is of its file now, synced. One call of a room at a time."""
        async with contextlib.AsyncExitStack() as locks:
            held: dict[str, bool] = {}
            placings = []
            for stretch in stretches:
                said = stretch.header.model_dump(include={"hearing", "kind", "track", "index", "name"})
                metadata = Metadata(room=room, **said)
                placing = _Placing(stretch, metadata, self._files.of_file(metadata.file))
                placings.append(placing)
                if placing.partial is None:
                    continue
                if placing.partial.uid not in held:
                    # By tus or a claim, which may take long: the others of this request do not wait for it.
                    held[placing.partial.uid] = not placing.partial.lock.locked()
                    if held[placing.partial.uid]:
                        await locks.enter_async_context(placing.partial.lock)
                placing.is_busy = not held[placing.partial.uid]
            return await asyncio.to_thread(self._write, placings)

    def _write(self, placings: Sequence[_Placing]) -> dict[int, PieceAnswer]:
        codes: list[Code] = []
        for placing in placings:
            try:
                codes.append("busy" if placing.is_busy else self._place(placing))
            except FileNotFoundError:
                codes.append("gone")
            except StorageError as error:
                said = placing.metadata
                log.warning("piece_not_taken", room=said.room, hearing=said.hearing, kind=said.kind, track=said.track,
                            index=said.index, why=error.message)  # fmt: skip
                codes.append("full")
        answers = {}
        for placing, code in zip(placings, codes, strict=True):
            # A file that the disk did not sync was dropped, and begins anew.
            kept = code == "busy" or placing.partial is None or self._is_on_disk(placing.partial)
            answers[placing.stretch.number] = placing.answer(code if kept else "gone")
        return answers

    def _place(self, placing: _Placing) -> Code:
        """Put a stretch where it belongs. `StorageError`; `FileNotFoundError` of a file that is not there any more."""
        header, offset, count = placing.stretch.header, placing.stretch.offset, placing.stretch.bytes
        partial = placing.partial = self._files.of_file(placing.metadata.file)  # an earlier piece may have begun it
        held = 0 if partial is None else self._held(partial)
        if partial is not None and header.length is not None and held > header.length:
            # It can never be claimed as a file of this length: its room begins it anew.
            self._files.forget(partial.uid)
            partial, held = None, 0
        if partial is None:
            placing.partial = None
            if offset > 0 or (count == 0 and header.length != 0):
                return "gone"
            partial = placing.partial = self._files.begin(placing.metadata, header.length)
        end = offset + count
        if offset > held:
            return "offset"
        if end > held:
            if end > self._max_bytes or (header.length is not None and end > header.length):
                return "refused"
            if self._files.is_stored(partial):
                return "refused"
            self._files.write_on(partial, b"".join(placing.stretch.data)[held - offset :])
        return ""

    def _held(self, partial: Partial) -> int:
        try:
            return self._files.held(partial)
        except FileNotFoundError:
            self._files.forget(partial.uid)
            raise

    def _is_on_disk(self, partial: Partial) -> bool:
        try:
            if partial.synced < partial.bytes:
                self._files.sync(partial)
        except (StorageError, FileNotFoundError):
            return False
        return not partial.gone
