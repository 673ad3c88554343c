"""A provider of OpenID Connect for tests: `oidc-provider-mock` in a process of its own, stopped by its pid."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.ports import free_port

PATIENCE_S = 30


@contextlib.contextmanager
def oidc_provider() -> Iterator[str]:
    """The issuer of a provider that lets in whoever says so, while the block runs."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1):
                break
            assert process.poll() is None, "the provider has ended"
            assert time.monotonic() < until, "the provider does not listen"
            time.sleep(0.02)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


async def signed_in_there(url: str, subject: str) -> dict[str, str]:
    """What the provider's page sends back after somebody has signed in there."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(url, data={"sub": subject})
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
