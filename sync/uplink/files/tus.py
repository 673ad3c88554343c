"""A small tus 1.0 client that appends to an upload while its file still grows, and asks the center for its receipt.

Ready-made clients upload files whose length is known; a segment's is not until it closes (docs/adr/0002). The client
holds no state: the offset is the center's, the rest is in `sync.uplink.files.upload_store`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import httpx

from sync.errors import CenterError

_TUS = {"Tus-Resumable": "1.0.0"}


class UploadGoneError(CenterError):
    """The center does not know this upload (any more): start a new one."""

    code = "upload-gone"


class ChecksumError(CenterError):
    """The bytes at the center are not those of the file: send it again from the start."""

    code = "checksum"


class OffsetError(CenterError):
    """The center holds another number of bytes than was thought: ask it."""

    code = "offset"


class TusClient:
    """Talks to `/api/uploads/` and `/api/objects` of one center. Raises `CenterError`s and `httpx.HTTPError`s."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """`http` has the center's base address and the room's bearer token."""
        self._http = http

    @property
    def http(self) -> httpx.AsyncClient:
        """The center's connections."""
        return self._http

    async def ping(self) -> None:
        """Ask whether the center is there and accepts this room."""
        expect(await self._http.options("/api/uploads/", headers=_TUS), 200, 204)

    async def create(self, metadata: Mapping[str, str]) -> str:
        """Begin an upload of unknown length; returns its id."""
        pairs = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in metadata.items())
        headers = {**_TUS, "Upload-Defer-Length": "1", "Upload-Metadata": pairs}
        answer = await self._http.post("/api/uploads/", headers=headers)
        expect(answer, 201)
        # Only the id is taken: a Location on another host must never see the room's token.
        upload = str(answer.headers.get("Location", "")).rstrip("/").rsplit("/", 1)[-1]
        if not upload.isalnum():
            raise CenterError("the center began an upload without saying where it is; it will be tried again")
        return upload

    async def offset(self, upload: str) -> int:
        """How many bytes of an upload the center holds."""
        answer = await self._http.head(f"/api/uploads/{upload}", headers=_TUS)
        expect(answer, 200, 204)
        return _offset(answer)

    async def append(self, upload: str, offset: int, data: bytes, *, length: int | None = None) -> int:
        """Append `data` at `offset`; `length` is the length of the whole, once it is known. Returns the new offset."""
        headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        if length is not None:
            headers["Upload-Length"] = str(length)
        answer = await self._http.patch(f"/api/uploads/{upload}", headers=headers, content=data)
        if answer.status_code == 409:
            raise OffsetError(f"the center holds another offset than {offset}; it will be asked")
        expect(answer, 204)
        return _offset(answer)

    async def confirm(self, fields: Mapping[str, Any]) -> int:
        """`POST /api/objects`: returns UTC in ns of the moment since when the center has the object for good."""
        return (await self.hand_over(fields))[0]

    async def hand_over(self, fields: Mapping[str, Any]) -> tuple[int, str]:
        """The same, with the note by which the center says so; empty from who signs none. Nothing of it is believed."""
        answer = await self._http.post("/api/objects", json=dict(fields), timeout=120)
        if answer.status_code == 409:
            raise ChecksumError("the center received other bytes than the room has; they are sent again")
        expect(answer, 200, 201)
        try:
            value = answer.json()
            if value["sha256"] != fields["sha256"]:
                raise CenterError("the center stored another object than the room sent; it is sent again")
            return int(value["stored_utc_ns"]), str(value.get("note", ""))
        except (ValueError, KeyError, TypeError) as error:
            raise CenterError("the center's receipt cannot be read; it will be asked again") from error


def _offset(answer: httpx.Response) -> int:
    try:
        return int(answer.headers["Upload-Offset"])
    except (KeyError, ValueError) as error:
        raise CenterError("the center does not say how much it has received; it will be asked again") from error


def expect(answer: httpx.Response, *codes: int) -> None:
    """`CenterError` for an answer of another status, in the words of what it means to a room."""
    if answer.status_code in codes:
        return
    if answer.status_code in (404, 410):
        raise UploadGoneError("the center does not know this upload; a new one is started")
    if answer.status_code == 403 and (why := _unsigned(answer)):
        raise CenterError(
            "the center takes nothing that this device did not sign as an enrolled one; enroll it (wutong enroll)",
            code=why,
        )
    if answer.status_code in (401, 403):
        raise CenterError(
            "the center does not accept this room's token; check center.token_file in the profile", code="token"
        )
    raise CenterError(f"the center answered {answer.status_code}; it will be tried again")


def _unsigned(answer: httpx.Response) -> str:
    """The code of an answer that is about the device's signature; empty for another."""
    try:
        code = answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(code) if code in ("not-enrolled", "unsigned", "signature") else ""
