"""Lines of the log about a room's requests to the center's uploads, each with the id of its upload.

What was refused is a warning. What went well is said at the level debug: a piece of each track goes every few seconds.
"""

from __future__ import annotations

import re

import httpx
import structlog

from sync.runtime.logs.log_ids import upload_id

log = structlog.get_logger(__name__)

_UPLOAD = re.compile(r"/api/uploads/([0-9a-zA-Z]{1,64})/?")


async def note_upload_answer(answer: httpx.Response) -> None:
    """A hook of a client: what the center answered to a request of an upload."""
    request = answer.request
    path = request.url.path
    found = _UPLOAD.fullmatch(path)
    if found is None and not path.startswith("/api/uploads"):
        return
    # The name of a new upload comes in the answer; only its last part is taken, as the client itself takes it.
    name = found[1] if found is not None else answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
    said = {"id": upload_id(name), "method": request.method, "status": answer.status_code}
    if answer.status_code >= 400:
        log.warning("upload_request_refused", **said)
    else:
        log.debug("upload_request_answered", **said)
