"""What the center's log says of requests of uploads: the same id as the room's, and no more than a disk can bear."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from server.ingest.uploads.upload_lines import UploadLines
from sync.uplink.files.request_lines import note_upload_answer

UPLOAD = "0123456789abcdef0123456789abcdef"
ID = "upload-0123456789abcdef"


def answering(status: int, location: str = "") -> ASGIApp:
    """A server below: it knows the room by then, and answers everything alike."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["wutong_room"] = "jianshan/3"
        headers = {"Location": location} if location else {}
        await PlainTextResponse("", status, headers)(scope, receive, send)

    return app


async def asked(app: ASGIApp, method: str, path: str) -> list[dict[str, Any]]:
    """The lines of the log of both ends."""
    transport = httpx.ASGITransport(app)
    hooks = {"response": [note_upload_answer]}
    with capture_logs() as said:
        async with httpx.AsyncClient(transport=transport, base_url="http://center", event_hooks=hooks) as http:
            await http.request(method, path)
    return [dict(line) for line in said]


@pytest.mark.parametrize(
    ("method", "path", "status", "location", "levels"),
    [
        ("POST", "/api/uploads/", 201, f"http://center/api/uploads/{UPLOAD}", ("debug", "debug")),
        ("PATCH", f"/api/uploads/{UPLOAD}", 204, "", ("debug", "debug")),
        ("PATCH", f"/api/uploads/{UPLOAD}/", 409, "", ("warning", "warning")),
        ("PATCH", f"/api/uploads/{UPLOAD}", 507, "", ("warning", "warning")),
        ("HEAD", f"/api/uploads/{UPLOAD}", 404, "", ("debug", "warning")),
    ],
)
async def test_both_ends_name_a_request_alike(
    method: str, path: str, status: int, location: str, levels: tuple[str, str]
) -> None:
    center, room = await asked(UploadLines(answering(status, location)), method, path)
    assert center["id"] == room["id"] == ID
    assert center["status"] == room["status"] == status
    assert center["room"] == "jianshan/3"
    assert (center["log_level"], room["log_level"]) == levels


@pytest.mark.parametrize("path", ["/api/objects", "/api/session", "/", "/api/upload"])
async def test_what_is_not_of_uploads_has_no_line(path: str) -> None:
    assert await asked(UploadLines(answering(500)), "GET", path) == []


async def test_a_request_without_an_upload_has_no_id() -> None:
    center, room = await asked(UploadLines(answering(401)), "OPTIONS", "/api/uploads/")
    assert (center["id"], room["id"]) == ("", "")


async def test_who_is_refused_again_and_again_fills_no_log() -> None:
    lines, app = UploadLines(answering(401)), httpx.ASGITransport
    with capture_logs() as said:
        async with httpx.AsyncClient(transport=app(lines), base_url="http://center") as http:
            for _ in range(2500):
                await http.patch(f"/api/uploads/{UPLOAD}")
    assert len(said) < 1010
    assert said[-1]["refused"] == 2000
