"""Whatever an answer is, it says what a browser may do with it, and is kept by nobody."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from sync.http.rights.access import Access
from sync.http.rights.rules import allow, public
from sync.http.serve import new_app, serving

ASKED = [
    ("GET", "/good", {}, 200),
    ("HEAD", "/good", {}, 405),
    ("OPTIONS", "/good", {}, 405),
    ("TRACE", "/good", {}, 405),
    ("GET", "/nothing", {}, 404),
    ("GET", "/good%00", {}, 404),
    ("GET", "/shut", {}, 401),
    ("POST", "/said", {"X-Wutong": "0"}, 403),
    ("POST", "/said", {"Origin": "http://evil.example"}, 403),
    ("POST", "/said", {"Content-Type": "application/json"}, 422),
    ("POST", "/said", {"Content-Length": "70000"}, 413),
    ("GET", "/good", {"Host": "evil.example"}, 421),
    ("GET", "/broken", {}, 500),
]


@pytest.mark.parametrize("secure", [True, False])
async def test_answers_of_every_kind_carry_the_headers(tmp_path: Path, secure: bool) -> None:
    app = new_app("headers")
    Access.open(tmp_path / "access.json", {}).install(app, "headers", https=secure)

    @app.get("/good")
    @public()
    async def good() -> str:
        return "good"

    @app.get("/shut")
    @allow("clerk")
    async def shut() -> str:
        return "shut"

    @app.post("/said")
    @public()
    async def said(body: dict[str, str]) -> dict[str, str]:
        return body

    @app.get("/broken")
    @public()
    async def broken() -> str:
        raise RuntimeError("a secret of the defect")

    address = "http://127.0.0.1:{}"
    async with (
        serving(app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=address.format(port), headers={"X-Wutong": "1"}) as http,
    ):
        for method, path, headers, status in ASKED:
            content = b"\0" * 70_000 if "Content-Length" in headers else b"{"
            answer = await http.request(method, path, headers=headers, content=content if method == "POST" else None)
            assert answer.status_code == status, (method, path, answer.text)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cache-control"] == "no-store"
            assert ("strict-transport-security" in answer.headers) == secure
            assert "etag" not in answer.headers
            assert "server" not in answer.headers
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
