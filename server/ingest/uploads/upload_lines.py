"""Lines of the log about what rooms asked of their uploads, each with the id of its upload, whoever answers below.

The counterpart of `sync.uplink.files.request_lines`: the same id, and what was answered. A refusal is a warning, but
for the question how far an upload is, to which "unknown" is a plain answer. What went well is said at the level debug.
"""

from __future__ import annotations

import re

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.runtime.logs.log_ids import upload_id

log = structlog.get_logger(__name__)

_UPLOADS = "/api/uploads"
_UPLOAD = re.compile(r"/api/uploads/([0-9a-zA-Z]{1,64})/?")
_NAMED = 1000
_THEN_EVERY = 1000


class UploadLines:
    """A middleware around all of the center's web server; what is not of uploads goes through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_UPLOADS):
            await self._app(scope, receive, send)
            return

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, message)
            await send(message)

        await self._app(scope, receive, send_noted)

    def _note(self, scope: Scope, message: Message) -> None:
        found = _UPLOAD.fullmatch(scope["path"])
        method, status = str(scope["method"])[:10], int(message["status"])
        location = Headers(raw=message.get("headers", [])).get("location", "")
        name = found[1] if found is not None else location.rstrip("/").rpartition("/")[2]
        # Set by the check of the route, where the room is known by then.
        said = {"id": upload_id(name), "room": scope.get("wutong_room", ""), "method": method, "status": status}
        if status < 400 or (method == "HEAD" and status == 404):
            log.debug("upload_answered", **said)
            return
        # Who is not let in may ask as often as they like, and fills no disk with it.
        self._refused += 1
        if self._refused < _NAMED or self._refused % _THEN_EVERY == 0:
            log.warning("upload_refused", **said, refused=self._refused)
