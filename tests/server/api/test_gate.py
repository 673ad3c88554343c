"""Who may do what: every route of the center is listed here with its roles; nothing is open by accident."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
import time
from pathlib import Path

import httpx
import pytest
import websockets
from fastapi import FastAPI
from sqlalchemy import Connection, text
from starlette.routing import BaseRoute

from sync.errors import AccessError, ConfigError, StorageError, WutongError
from sync.http.answers import error_response
from sync.http.rights.access import Access
from sync.http.rights.people import People, Session, Throttle
from sync.http.rights.rules import check_declared, rule_of
from sync.http.serve import new_app
from tests.support.peers.center_peers import Served
from tests.support.peers.center_routes import PUBLIC, ROOM, TABLE


def listed(route: BaseRoute) -> dict[tuple[str, str], str]:
    rule = rule_of(getattr(route, "endpoint", None))
    assert rule is not None, route
    who = PUBLIC if rule.public else ROOM if rule.machine else ",".join(sorted(rule.roles))
    return {(method, route.path): who for method in getattr(route, "methods", None) or ["WS"]}  # type: ignore[attr-defined]


async def test_every_route_is_in_the_table(served: Served) -> None:
    found: dict[tuple[str, str], str] = {}
    for route in served.center.app.router.routes:
        found |= listed(route)
    assert found == TABLE


async def test_nobody_gets_in_without_signing_in_or_a_token(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1", "Tus-Resumable": "1.0.0"}) as http:
        for (method, path), who in TABLE.items():
            if method != "WS" and who != PUBLIC:
                filled = path.format(
                    page="1",
                    uuid="0" * 32,
                    hearing="h1",
                    track="t",
                    exhibit="e",
                    court="c",
                    room="r",
                    test="t",
                    sha256="0" * 64,
                    grant="g",
                    person="0" * 16,
                    session="s",
                    factor="f",
                    act="a",
                    document="d",
                    part="center:1",
                    slug="c",
                    device="1",
                )
                answer = await http.request(method, filled)
                assert answer.status_code == 401, (method, path)
        assert (await http.get("/api/session")).status_code == 401
        assert (await http.get("/docs")).status_code == 404
        assert (await http.get("/openapi.json")).status_code == 404


async def test_an_undeclared_route_stops_the_start_and_answers_403(served: Served) -> None:
    app: FastAPI = served.center.app

    @app.get("/api/forgotten")
    async def forgotten() -> str:
        return "secret"

    with pytest.raises(ConfigError, match="/api/forgotten"):
        check_declared(app)
    async with served.inspector() as http:
        answer = await http.get("/api/forgotten")
    assert (answer.status_code, answer.json()["code"]) == (403, "undeclared")
    assert "secret" not in answer.text


async def test_changing_requests_need_the_header_and_the_same_origin(served: Served) -> None:
    docket = {"date": "2026-11-22", "hearings": []}
    async with served.inspector() as http:
        url = "/api/docket/court1/c03"
        assert (await http.put(url, json=docket)).status_code == 200
        assert (await http.put(url, json=docket, headers={"X-Wutong": ""})).json()["code"] == "header"
        assert (await http.put(url, json=docket, headers={"Origin": "http://evil.example"})).json()["code"] == "origin"
        assert (await http.put(url, json={"date": "tomorrow"})).status_code == 422
        assert (await http.put("/api/docket/court1/none", json=docket)).status_code == 404


async def read_all(ws: websockets.ClientConnection) -> None:
    while True:
        await ws.recv()


async def test_a_websocket_needs_its_own_origin_and_a_session(served: Served) -> None:
    address = served.url.replace("http", "ws") + "/api/live"
    async with served.inspector() as http:
        cookie = "; ".join(f"{k}={v}" for k, v in http.cookies.items())
        for origin, cookies in ((None, cookie), ("http://evil.example", cookie), (served.url, "")):
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(address, origin=origin, additional_headers={"Cookie": cookies})  # type: ignore[arg-type]
        async with websockets.connect(address, origin=served.url, additional_headers={"Cookie": cookie}) as ws:  # type: ignore[arg-type]
            assert json.loads(await ws.recv())["type"] == "rooms"
            await http.delete("/api/session")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await read_all(ws)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        assert (await http.get("/api/rooms")).status_code == 401


async def test_codes_are_private_hashed_and_different(served: Served) -> None:
    for name in ("access.json", "codes.json"):
        assert stat.S_IMODE((served.data / name).stat().st_mode) == 0o600
    kept = (served.data / "access.json").read_text()
    assert served.code() not in kept
    assert "$argon2id$" in kept
    other = Access.open(served.data / "other" / "access.json", {"inspector": "x", "clerk": "y"}).plain_codes()
    assert len({served.code(), *other.values()}) == 3


async def test_a_session_outlives_a_restart_and_its_cookie_is_strict(served: Served) -> None:
    async with served.inspector() as http:
        answer = await http.post("/api/session", json={"code": served.code().lower().replace("-", " ")})
        cookie = answer.headers["Set-Cookie"]
        assert all(part in cookie for part in ("wutong_center=", "HttpOnly", "SameSite=strict", "Path=/"))
        token = http.cookies["wutong_center"]
    app = new_app("again")
    again = Access.open(served.data / "access.json", {"inspector": "督查员"})
    again.install(app, "center", https=True)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(base_url="https://center", transport=transport, headers={"X-Wutong": "1"}) as http:
        secure = {"Cookie": f"__Host-wutong_center={token}"}
        assert (await http.get("/api/session", headers=secure)).json() == {"role": "inspector", "name": "督查员"}
        answer = await http.post("/api/session", json={"code": served.code()})
        assert answer.headers["Set-Cookie"].startswith("__Host-wutong_center=")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_guessing_is_slowed_down(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}) as http:
        codes = [(await http.post("/api/session", json={"code": f"WRONG{n}"})).json()["code"] for n in range(8)]
        assert codes[0] == "code"
        assert codes[-1] == "throttled"
        right = await http.post("/api/session", json={"code": served.code()})
        assert right.status_code == 429


def test_the_wait_grows_with_every_failure_and_ends() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(8):
        throttle.failed("a")
    throttle.check("b")
    with pytest.raises(AccessError, match="8"):
        throttle.check("a")
    now[0] = 8.1
    throttle.check("a")


def test_only_failures_count_and_a_right_code_forgets_them() -> None:
    throttle = Throttle(lambda: 0.0)
    for _ in range(100):
        throttle.check("a")
    for _ in range(8):
        throttle.failed("a")
    with pytest.raises(AccessError):
        throttle.check("a")
    throttle.succeeded("a")
    throttle.check("a")


def test_who_has_many_addresses_takes_no_memory_and_locks_nobody_out() -> None:
    """A code has 49 random bits: no number of addresses guesses it, so nobody waits for the guesses of others."""
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(20):
        throttle.failed("first")
    for number in range(30_000):
        throttle.failed(f"2001:db8:{number:x}::1")
    for number in range(20):
        throttle.failed(f"2001:db8:1:2::{number:x}")
    throttle.check("clerk")
    throttle.check("first")  # the oldest are forgotten
    with pytest.raises(AccessError):
        throttle.check("2001:db8:1:2:ffff::1")  # an address that one guesser has, too


@pytest.mark.parametrize("step_s", [-86400.0, 86400.0])
def test_a_step_of_the_clock_neither_frees_a_guesser_nor_locks_the_clerk_out(
    monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    throttle = Throttle()
    for _ in range(20):
        throttle.failed("a")
    true_s = time.time
    monkeypatch.setattr(time, "time", lambda: true_s() + step_s)
    with pytest.raises(AccessError, match=r"(299|300) 秒"):
        throttle.check("a")
    throttle.check("b")


async def test_pages_carry_the_headers_and_assets_stay_inside(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url) as http:
        page = await http.get("/inspect/hearings/h1")
        assert page.headers["Content-Type"].startswith("text/html")
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "microphone=()" in page.headers["Permissions-Policy"]
        assert "Strict-Transport-Security" not in page.headers
        assert (await http.get("/assets/..%2f..%2fpyproject.toml")).status_code == 404
        assert (await http.get("/assets/%2e%2e/%2e%2e/pyproject.toml")).status_code == 404
        assert (await http.get("/")).headers["Location"] == "/inspect"


async def test_sign_ins_refusals_and_views_are_audited(served: Served) -> None:
    from sqlalchemy import select

    from server.store import tables as t

    async with served.inspector() as http:
        await http.get("/api/search", params={"q": "借款"})
    async with httpx.AsyncClient(base_url=served.url) as http:
        await http.get("/api/rooms")
    rows: list[tuple[str, str, bool]] = []
    while len(rows) < 3:
        query = select(t.audit.c.what, t.audit.c.detail, t.audit.c.granted).order_by(t.audit.c.row)
        rows = [tuple(r) for r in await served.center.database.read(lambda c, q=query: list(c.execute(q)))]
    said = json.loads(rows.pop(1)[1])
    assert (said["route"], said["hits"]) == ("GET /api/search", 0)
    assert rows == [("sign-in", "", True), ("refused", "signed-out GET /api/rooms", False)]
    assert "借款" not in str(said), "what was searched for is not for who reads the log"


def test_on_a_disk_that_takes_nothing_people_still_sign_in_and_out(tmp_path: Path) -> None:
    people = People.open(tmp_path / "access.json", {"clerk": "书记员"})
    (tmp_path / "access.json.new").mkdir()  # from now on no write of the file succeeds
    token, session = people.sign_in(people.plain_codes()["clerk"], "127.0.0.1")
    assert people.session(token) is session
    people.sign_out(token)
    assert people.session(token) is None


def test_a_device_that_signed_in_before_is_known_until_the_code_is_another(tmp_path: Path) -> None:
    again = People.open(tmp_path / "access.json", {"clerk": "书记员"})
    token, _ = again.sign_in(again.plain_codes()["clerk"], "127.0.0.1")
    assert again.session(token) is not None
    cookie = again.device("clerk")
    assert again.known_device(cookie) == People.open(tmp_path / "access.json", {"clerk": "书记员"}).known_device(cookie)
    for wrong in ("", "clerk", cookie[:-1], cookie.replace("clerk", "judge"), "clerk.x.", "é.a.b", cookie + "0" * 300):
        assert again.known_device(wrong) == ""
    other = People.open(tmp_path / "other" / "access.json", {"clerk": "书记员"})
    assert other.known_device(cookie) == ""


async def test_a_known_browser_signs_in_while_its_address_is_full_of_guesses(served: Served) -> None:
    async with served.inspector() as known, httpx.AsyncClient(base_url=served.url) as guesser:
        guesser.headers["X-Wutong"] = "1"
        while (await guesser.post("/api/session", json={"code": "WRONG"})).json()["code"] != "throttled":
            pass
        right = {"code": served.code()}
        assert (await guesser.post("/api/session", json=right)).status_code == 429
        await known.delete("/api/session")
        assert (await known.post("/api/session", json=right)).status_code == 200
        await known.delete("/api/session")
        codes = [(await known.post("/api/session", json={"code": "WRONG"})).json()["code"] for _ in range(8)]
        assert codes[-1] == "throttled"  # a stolen cookie guesses no faster


async def test_many_guesses_at_once_leave_one_address_four_places(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = threading.Event()
    sign_in = People.sign_in

    def slowly(people: People, code: str, address: str) -> tuple[str, Session]:
        assert looked_at.wait(20)
        return sign_in(people, code, address)

    monkeypatch.setattr(People, "sign_in", slowly)
    async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}, timeout=20) as http:
        guesses = [asyncio.create_task(http.post("/api/session", json={"code": f"WRONG{n}"})) for n in range(40)]
        turned_away: set[asyncio.Task[httpx.Response]] = set()
        while len(turned_away) < 36:
            turned_away |= (await asyncio.wait({*guesses} - turned_away, return_when=asyncio.FIRST_COMPLETED))[0]
        looked_at.set()
        answers = await asyncio.gather(*guesses)
    assert {answered.result().json()["code"] for answered in turned_away} == {"throttled"}
    assert [answer.json()["code"] for answer in answers].count("code") == 4


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "center@evil.example", "[::1", "a b.c"])
async def test_who_comes_by_a_name_that_is_not_ours_gets_nothing(served: Served, host: str) -> None:
    async with httpx.AsyncClient(base_url=served.url) as http:
        answer = await http.get("/inspect", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "host")
    assert "web.public_origin" in answer.json()["message"]


@pytest.mark.parametrize("host", ["10.9.8.7:8800", "[fd00::1]:8800", "center", "center.local", "localhost:1"])
async def test_nobody_is_locked_out_who_asks_by_an_address_or_a_local_name(served: Served, host: str) -> None:
    async with httpx.AsyncClient(base_url=served.url) as http:
        assert (await http.get("/inspect", headers={"Host": host})).status_code in (200, 503)


async def test_controls_in_an_address_are_refused_and_the_driver_says_nothing(served: Served) -> None:
    async with served.inspector() as http:
        for path in ("/assets/a%00b", "/assets/%00", "/api/hearings/h%001", "/inspect/a%1bb", "/assets/a%7f"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
        for query in ("q=abc%00def", "q=%1b[2J", "q=a&room=%7F", "q=a&from=%00"):
            answer = await http.get(f"/api/search?{query}")
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), query
        assert (await http.get("/api/search?q=a%09b")).status_code == 200


def errors_below(kind: type[WutongError]) -> list[type[WutongError]]:
    """A class of errors and all that are made of it."""
    return [kind, *(found for below in kind.__subclasses__() for found in errors_below(below))]


def test_no_error_of_any_class_answers_with_what_a_driver_said() -> None:
    told = 0
    for kind in errors_below(WutongError):
        cause = ValueError("SELECT secret\nFROM codes WHERE ...")
        try:
            error = kind.__new__(kind)
            WutongError.__init__(error, f"the store cannot be read ({cause})", code="storage")
        except TypeError:
            continue
        error.__cause__ = cause
        answer = error_response(error)
        if answer.status_code >= 500:
            told += 1
            assert b"SELECT" not in bytes(answer.body)
            assert set(json.loads(bytes(answer.body))) == {"code", "message"}
    assert told >= 3


async def test_a_database_that_fails_is_logged_and_not_told(served: Served) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(text("SELECT secret FROM nowhere"))

    for act in (served.center.database.read, served.center.database.write):
        with pytest.raises(StorageError) as refused:
            await act(broken)
        assert "nowhere" not in refused.value.message
