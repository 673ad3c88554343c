"""What a file is, by its content: in the room before it is opened, at the center when it arrives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from edge.exhibits.formats import format_of
from server.ingest.contents import FAULTS, fault_of
from sync.errors import WutongError
from tests.support.files import evidence_files


def target(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        path = Path(file.name)
        assert format_of(path).name
        for kind in ("page", "exhibit", "document", "segment"):
            try:
                fault = fault_of(kind, path)
            except WutongError as error:
                fault = error.code
            assert fault in {"", *FAULTS} or (kind, fault) == ("page", "invalid")


def seeds() -> Iterator[bytes]:
    yield from evidence_files.beginnings()
