"""Who may read metrics: this machine alone, or who shows the token; and what a scraper may do to a service."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sync.errors import ConfigError
from sync.http.monitoring import doors
from sync.http.monitoring.definitions import gauge
from sync.http.monitoring.doors import Monitoring
from sync.http.monitoring.readiness import Readiness, ReadyPart
from sync.http.monitoring.readings import CONTENT_TYPE, Readings
from sync.http.monitoring.scrape import Scrape
from sync.http.monitoring.settings import MetricsSettings
from sync.http.rights.access import Access
from sync.http.serve import new_app, serving
from sync.runtime.logs.metrics import LoopDelay
from sync.runtime.process.service import cancel_and_wait
from tests.support.ports import free_port

A = gauge("wutong_test_a", "A.")
TOKEN = "0123456789abcdef0123456789abcdef"
PATHS = ("/metrics", "/healthz", "/readyz")


async def reads(readings: Readings) -> None:
    readings.set(A, 1)


def monitoring(settings: MetricsSettings, lacks: list[str] | None = None) -> Monitoring:
    async def check() -> str:
        return (lacks or [""])[0]

    return Monitoring(settings, Scrape((A,), {"one": reads}), Readiness({"disk": ReadyPart(check)}), LoopDelay())


@contextlib.asynccontextmanager
async def listening(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """The listener of this machine, running."""
    task = asyncio.create_task(monitoring(MetricsSettings(port=port)).run())
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            await answers(http)
            yield http
    finally:
        await cancel_and_wait(task)


async def answers(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await http.get("/healthz")
                return
            except httpx.TransportError:
                await asyncio.sleep(0.02)  # nobody tells when a port is bound


def token_file(folder: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    file = folder / "metrics.token"
    file.write_text(text)
    file.chmod(mode)
    return file


async def test_the_listener_answers_this_machine_alone_and_only_questions() -> None:
    port = free_port()
    async with listening(port) as http:
        answer = await http.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == CONTENT_TYPE
        assert "wutong_test_a 1.0\n" in answer.text
        assert (await http.get("/healthz")).json() == {"alive": True}
        assert (await http.get("/readyz")).json() == {"ready": True, "lacks": [], "wants": []}
        for path in PATHS:
            assert (await http.post(path)).status_code == 405
            assert (await http.get(path, headers={"Host": "evil.example"})).status_code == 421
        assert (await http.get("/api/session")).status_code == 404
        assert (await http.get("/openapi.json")).status_code == 404
        others = [one[4][0] for one in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)]
        for address in {str(one) for one in others if not str(one).startswith("127.")}:
            with socket.socket() as line:
                assert line.connect_ex((address, port)) != 0


async def test_a_scraper_that_hangs_up_in_the_middle_takes_nothing_from_the_next() -> None:
    port = free_port()
    async with listening(port) as http:
        for cut in (b"GET", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(cut)
        one, two = await asyncio.gather(http.get("/metrics"), http.get("/metrics"))
        assert (one.status_code, two.status_code) == (200, 200)


async def test_a_port_that_is_taken_costs_the_monitoring_and_not_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "AGAIN_S", 0.05)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        one = monitoring(MetricsSettings(port=port))
        task = asyncio.create_task(one.run())
        await asyncio.sleep(0.2)
        assert not task.done()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        await answers(http)  # it takes the port when it can have it
    await cancel_and_wait(task)


async def test_without_a_word_nothing_listens_and_no_route_is_there(tmp_path: Path) -> None:
    app = new_app("test")
    Access.open(tmp_path / "access.json", {}).install(app, "test")
    before = len(app.router.routes)
    one = monitoring(MetricsSettings())
    one.install(app)
    assert len(app.router.routes) == before
    one.close()


async def test_the_server_s_own_port_opens_to_the_token_and_to_nobody_else(tmp_path: Path) -> None:
    app, lacks = new_app("test"), ["the disk is full"]
    noted: list[tuple[str, str, str, str]] = []
    access = Access.open(tmp_path / "access.json", {})
    access.install(app, "test", audit=lambda *line: noted.append(line))
    one = monitoring(MetricsSettings(token_file=token_file(tmp_path)), lacks)
    one.install(app)
    async with (
        serving(app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        for said in (None, "", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9"):
            headers = {} if said is None else {"Authorization": said.encode()}
            for path in PATHS:
                answer = await http.get(path, headers=headers)  # type: ignore[arg-type]  # bytes are a value, too
                assert (answer.status_code, answer.json()["code"]) == (401, "token")
        good = {"Authorization": f"Bearer {TOKEN}"}
        assert (await http.get("/metrics", headers=good)).status_code == 200
        assert (await http.get("/healthz", headers=good)).status_code == 200
        lacking = await http.get("/readyz", headers=good)
        assert lacking.status_code == 503
        assert lacking.json()["lacks"] == [{"part": "disk", "why": "the disk is full"}]
    assert {line[0] for line in noted} == {"refused"}
    assert all(TOKEN not in "".join(line) for line in noted)


@pytest.mark.parametrize(("text", "mode"), [("short", 0o600), (TOKEN, 0o644), ("", 0o600)])
async def test_a_token_that_is_short_or_open_to_others_stops_the_start(tmp_path: Path, text: str, mode: int) -> None:
    one = monitoring(MetricsSettings(token_file=token_file(tmp_path, text, mode)))
    with pytest.raises(ConfigError):
        one.install(new_app("test"))
    one.close()


def test_a_relative_path_is_one_of_the_settings_folder(tmp_path: Path) -> None:
    assert MetricsSettings(token_file=Path("t")).below(tmp_path).token_file == tmp_path / "t"
    assert MetricsSettings().below(tmp_path).token_file is None
