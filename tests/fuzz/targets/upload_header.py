"""What a room says of an upload: the header `Upload-Metadata`, and the sidecar that is made of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from fastapi import Request

from server.ingest.uploads.upload_files import _ascii
from server.ingest.uploads.upload_gate import metadata_of
from sync.errors import WutongError


def target(data: bytes) -> None:
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": [(b"upload-metadata", data)]})
    try:
        metadata = metadata_of(request)
    except WutongError:
        return
    assert "/" not in metadata.hearing
    assert "/" not in metadata.track
    _ascii(metadata.name).encode("latin-1")


def seeds() -> Iterator[bytes]:
    words = {"room": "court1/c03", "hearing": "h1", "kind": "segment", "track": "bench", "index": "0", "name": "录像"}
    yield ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items()).encode()
    yield b"room !!!"
    yield b",,room,hearing "


FOUND = (b"room Y291cnQxL\xff\xffaGVhcmluZw==",)
"""What is no ASCII is no base64, and said so as another error than the rest."""
