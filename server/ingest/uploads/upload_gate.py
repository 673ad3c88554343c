"""The door of uploads by tus: who may begin, append to and ask for one, judged before any of its bytes is read."""

from __future__ import annotations

import base64
import re
from typing import cast

from fastapi import APIRouter, Request
from tuspyserver import create_tus_router

from server.ingest.room_tokens import Tokens
from server.ingest.uploads.partial import Metadata
from server.ingest.uploads.tus_folder import UploadFolder
from sync.errors import AccessError, WutongError
from sync.http.rights.rules import BODY_BYTES, Rule, declare

_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
KEEP_DAYS = 3650
"""tus uploads may expire; ours end when the room has its receipt, or when nothing was added to them for long."""


class UploadGate:
    """Runs before the tus routes and before any body is read."""

    def __init__(self, tokens: Tokens, uploads: UploadFolder, *, kinds: frozenset[str], max_bytes: int) -> None:
        """`kinds`: what `POST /api/objects` here can claim; an upload of another kind would rest for years."""
        self._tokens = tokens
        self._uploads = uploads
        self._kinds = kinds
        self._max_bytes = max_bytes

    async def __call__(self, request: Request) -> None:
        room = self._tokens.room(request)
        request.scope["wutong_room"] = room  # for the line of the log (`server.ingest.uploads.upload_lines`)
        for header in ("upload-concat", "x-http-method-override"):
            if header in request.headers:
                raise WutongError(f"{header} is not offered here", code="invalid")
        for header in ("upload-length", "content-length"):
            value = request.headers.get(header, "0")
            # Longer ones are no number to Python either, and their error would be nobody's.
            if not _WHOLE.fullmatch(value) or int(value) > self._max_bytes:
                raise WutongError(f"an upload may have at most {self._max_bytes} bytes", code="too-large")
        if request.method in ("POST", "PATCH"):
            # What the body says of itself is judged before it is read; what it is, while it is written.
            declared = int(request.headers.get("content-length", "0"))
            await self._uploads.look_at_disk()
            self._uploads.check_room(room, declared, new=request.method == "POST")
        uid = request.url.path.rstrip("/").rsplit("/", 1)[-1]
        if request.method == "POST":
            if request.headers.get("content-length", "0") != "0":
                raise WutongError("create the upload first, then send its bytes", code="invalid")
            metadata = metadata_of(request)
            if metadata.room != room:
                raise AccessError("a room may upload only for itself", code="forbidden")
            if metadata.kind not in self._kinds:
                raise WutongError(f"an upload of the kind {metadata.kind!r} is not taken here", code="invalid")
        elif request.method != "OPTIONS":
            partial = self._uploads.partial(uid)
            if partial is not None and partial.metadata.room != room:
                raise AccessError("this upload belongs to another room", code="forbidden")


def upload_routes(gate: UploadGate, folder: UploadFolder, max_bytes: int) -> APIRouter:
    """`/api/uploads`: tuspyserver's routes, each declared; only the one that appends takes a body worth the name."""
    router = create_tus_router(prefix="/api/uploads", max_size=max_bytes, days_to_keep=KEEP_DAYS, storage=folder)
    for route in router.routes:
        appends = "PATCH" in getattr(route, "methods", ())
        declare(Rule(machine=gate, body_bytes=max_bytes if appends else BODY_BYTES))(route.endpoint)
    return cast(APIRouter, router)  # the library has no types


def metadata_of(request: Request) -> Metadata:
    """The `Upload-Metadata` of a creation; `WutongError` "invalid" when it is not what the protocol says."""
    values: dict[str, str] = {}
    try:
        for pair in request.headers.get("upload-metadata", "").split(","):
            key, _, value = pair.strip().partition(" ")
            values[key] = base64.b64decode(value, validate=True).decode("utf-8")
        return Metadata.model_validate(values)
    except ValueError as error:  # no base64, no UTF-8, not of its form
        raise WutongError("Upload-Metadata does not say room, hearing and kind", code="invalid") from error
