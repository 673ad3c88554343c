"""The center behind Debian's nginx as it comes, which asks with a `Host` of its own: who may sign in, and who asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import websockets
from cryptography import x509

from server.config import Config, load_config
from server.running import running
from server.service import build
from sync.ledger.keys import certificate_request
from sync.tls.hosts import is_loopback
from sync.tls.keys import make_tls_key
from sync.tls.names import hosts_in, local_hosts
from sync.tls.requests import tls_request
from tests.support.peers.center_peers import Served, config_text
from tests.support.peers.device_signatures import device_key
from tests.support.ports import free_port

PUBLIC = "https://court.example"
ROOM = "court1/c03"
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{center};
      proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, center: int) -> Iterator[str]:
    """A real proxy before the center; its address."""
    port = free_port()
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, center=center))
    process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "log")])
    try:
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
                break
            time.sleep(0.02)  # refused at once while it does not listen
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(5)


@contextlib.asynccontextmanager
async def behind(tmp_path: Path, broker_port: int, web: str) -> AsyncIterator[tuple[Served, str]]:
    data, file = tmp_path / "center", tmp_path / "center.toml"
    file.write_text(config_text(data, broker_port).replace("[web]\n", f"[web]\n{web}\n"))
    config: Config = load_config(file)
    center = build(config)
    async with running(center, "127.0.0.1", 0, proxies=[str(one) for one in config.web.trusted_proxies]) as port:
        with nginx(tmp_path / "nginx", port) as url:
            yield Served(f"http://127.0.0.1:{port}", broker_port, data, center), url


async def sign_in(served: Served, url: str, origin: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers={"X-Wutong": "1", "Origin": origin, **headers}) as http:
        return await http.post("/api/session", json={"code": served.code()})


async def test_sign_in_behind_a_proxy_is_refused_with_the_setting_and_works_with_it(
    tmp_path: Path, broker_port: int
) -> None:
    async with behind(tmp_path, broker_port, "") as (served, url):
        answer = await sign_in(served, url, PUBLIC)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin")
        for word in (PUBLIC, "web.public_origin"):
            assert word in answer.json()["message"]


async def test_a_named_public_origin_signs_in_and_opens_its_socket_and_others_do_not(
    tmp_path: Path, broker_port: int
) -> None:
    web = f'public_origin = ["{PUBLIC}", "https://10.0.0.5:8443"]'
    async with behind(tmp_path, broker_port, web) as (served, url):
        answer = await sign_in(served, url, PUBLIC)
        assert answer.status_code == 200, answer.text
        assert (await sign_in(served, url, "https://10.0.0.5:8443")).status_code == 200
        assert (await sign_in(served, url, "https://evil.example")).json()["code"] == "origin"
        claims = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
        assert (await sign_in(served, url, "https://evil.example", **claims)).json()["code"] == "origin"
        cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        live = url.replace("http", "ws") + "/api/live"
        async with websockets.connect(live, origin=PUBLIC, additional_headers={"Cookie": cookie}) as socket_:  # type: ignore[arg-type]
            assert await socket_.recv()
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(live, origin="https://evil.example", additional_headers={"Cookie": cookie})  # type: ignore[arg-type]


@pytest.mark.parametrize("trusted", ["", 'trusted_proxies = ["127.0.0.1"]'])
async def test_who_asked_is_who_connects_unless_a_trusted_proxy_says_otherwise(
    tmp_path: Path, broker_port: int, trusted: str
) -> None:
    async with behind(tmp_path, broker_port, f'public_origin = ["{PUBLIC}"]\n{trusted}') as (served, url):
        assert (await sign_in(served, url, PUBLIC, **{"X-Forwarded-For": "203.0.113.9"})).status_code == 200
        async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}) as http:
            claim = {"X-Forwarded-For": "203.0.113.9"}
            await http.post("/api/session", json={"code": served.code()}, headers=claim)
        rows = await _both(served)
        assert {one["address"] for one in rows} == {"203.0.113.9" if trusted else "127.0.0.1"}


@pytest.mark.parametrize(
    ("web", "direct"),
    [
        ("", True),
        (f'public_origin = ["{PUBLIC}"]', False),
        ("https = true", False),
        ('trusted_proxies = ["127.0.0.1"]', False),
    ],
)
async def test_whom_a_proxy_of_this_machine_speaks_for_does_not_get_the_names_of_this_machine(
    tmp_path: Path, broker_port: int, web: str, direct: bool
) -> None:
    own = {host for host in local_hosts() if not is_loopback(host)}
    assert own
    async with behind(tmp_path, broker_port, web) as (served, url):
        wish = tls_request(make_tls_key(tmp_path / "tls.key"), ROOM, [*own, "panel.lan"])
        request = certificate_request(device_key(ROOM), ROOM)
        body = {"code": await served.center.enrollment.new_code(ROOM), "request": request.decode()}
        async with httpx.AsyncClient(base_url=served.url if direct else url, headers={"X-Wutong": "1"}) as http:
            answer = await http.post("/api/enroll", json={**body, "tls_request": wish.decode()})
        assert answer.status_code == 200, answer.text
    granted = hosts_in(x509.load_pem_x509_certificate(answer.json()["tls"].encode()))
    assert "panel.lan" in granted
    assert own & granted == (own if direct else set())


async def _both(served: Served) -> list[dict[str, object]]:
    async with asyncio.timeout(15):
        while len(rows := await served.audited("sign-in")) < 2:
            await asyncio.sleep(0.02)
        return rows
