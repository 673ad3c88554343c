"""A session's cookie is the one that this host set: what a neighboring site can plant is none of ours."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers

from sync.http.rights.access import Access
from sync.http.rights.cookies import MOST_BYTES, cookie
from sync.http.serve import new_app, serving

NAME = "__Host-wutong_center"


def said(*lines: bytes) -> str:
    """What is read of these cookie headers."""
    return cookie(Headers(raw=[(b"cookie", line) for line in lines]), NAME)


@pytest.mark.parametrize(
    "line",
    [
        b"\xa0__Host-wutong_center=planted",
        b"\x85__Host-wutong_center=planted",
        b"__Host-wutong_center\xa0=planted",
        "\u2000__Host-wutong_center=planted".encode(),
        "\u3000__Host-wutong_center=planted".encode(),
        b"\x0b__Host-wutong_center=planted",
        b"\x1c__Host-wutong_center=planted",
        b"__host-wutong_center=planted",
        b"__HOST-wutong_center=planted",
        b"=__Host-wutong_center=planted",
        b"__Host-wutong_center",
        b"__Host-wutong_center%00=planted",
        b"__Secure-wutong_center=planted",
    ],
)
def test_what_only_looks_like_our_name_is_another(line: bytes) -> None:
    assert said(line) == ""
    assert said(line + b"; __Host-wutong_center=true") == "true"
    assert said(b"__Host-wutong_center=true; " + line) == "true"


def test_one_that_comes_twice_is_believed_neither_time() -> None:
    assert said(b"__Host-wutong_center=true; __Host-wutong_center=planted") == ""
    assert said(b"__Host-wutong_center=planted", b"a=b; __Host-wutong_center=true") == ""
    assert said(b" \t__Host-wutong_center=a=b== ;x") == "a=b=="
    assert said(b"x=" + b"y" * MOST_BYTES + b"; __Host-wutong_center=true") == ""


async def test_a_planted_session_signs_nobody_in(tmp_path: Path) -> None:
    app = new_app("cookies")
    access = Access.open(tmp_path / "access.json", {"inspector": "督查员"})
    access.install(app, "center", https=True)
    code = access.plain_codes()["inspector"]
    headers = {"X-Wutong": "1"}
    async with (
        serving(app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http,
    ):
        mine = (await http.post("/api/session", json={"code": code})).headers["set-cookie"]
        token = mine.split(";")[0].partition("=")[2]
        http.cookies.clear()

        async def status(line: bytes) -> int:
            return (await http.get("/api/session", headers=[(b"cookie", line)])).status_code

        assert await status(f"{NAME}={token}".encode()) == 200
        assert await status(b"\xa0" + f"{NAME}={token}".encode()) == 401
        assert await status(f"{NAME}={token}; {NAME}=x".encode()) == 401
