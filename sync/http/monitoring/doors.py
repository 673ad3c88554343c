"""The two doors of monitoring: a listener of this machine alone, and for who shows a token the server's own port.

Both have the same three addresses, and only GET. `/metrics` is OpenMetrics text. `/healthz` is answered by the event
loop, so an answer says that it turns. `/readyz` is 200 or, with what is lacking, 503. A listener that cannot have its
port costs the monitoring, never the service: it is said in the log and tried again.
"""

from __future__ import annotations

import asyncio
import hmac
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse

from sync.errors import AccessError, ConfigError, WutongError
from sync.http import answers
from sync.http.audit.outcomes import Outcome
from sync.http.monitoring.readiness import Readiness
from sync.http.monitoring.readings import CONTENT_TYPE
from sync.http.monitoring.scrape import Scrape
from sync.http.monitoring.settings import MetricsSettings
from sync.http.rights.gate import AccessGate
from sync.http.rights.people import Session
from sync.http.rights.rules import Rule, declare
from sync.http.serve import new_app, serving
from sync.http.wire.connection import DoorLimits
from sync.runtime.files.secrets import read_secret
from sync.runtime.logs.metrics import LoopDelay
from sync.tls.hosts import is_loopback

log = structlog.get_logger(__name__)

HERE = "127.0.0.1"
MIN_TOKEN = 20
AGAIN_S = 60.0
LIMITS = DoorLimits(head_s=5.0, stall_s=10.0, of_address=32, in_all=64)
"""Some scrapers of one machine."""


class MonitoringToken:
    """The bearer token of who may ask from another machine."""

    def __init__(self, file: Path) -> None:
        """Read it; `ConfigError` when it is missing, open to others or too short."""
        self._token = read_secret(file, "the token of the metrics")
        if len(self._token) < MIN_TOKEN:
            raise ConfigError(f"the token in {file} is too short; use 32 random characters")

    async def check(self, request: Request) -> None:
        """`AccessError` "token" unless the request carries it."""
        said = request.headers.get("authorization", "")
        if not hmac.compare_digest(said.encode("utf-8", "replace"), f"Bearer {self._token}".encode()):
            raise AccessError("监控令牌无效 (no such token of the metrics)", code="token")


class LoopbackDoor:
    """The doorman of the listener: nobody but this machine reaches it, and no page of another site by a name."""

    secure = False

    async def admit(self, rule: Rule | None, request: Request | WebSocket) -> Session | None:
        """`AccessError` or `WutongError` to refuse."""
        if rule is None:
            raise AccessError("this address is not open to anybody", code="undeclared")
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        if not is_loopback(host):
            raise WutongError("this listener is for programs of this machine", code="host")
        return None

    async def tell(self, request: Request | WebSocket, status: int) -> Outcome | None:
        """Nothing of the record is seen here, so nothing is noted."""
        return None

    async def catch_up(self, request: Request) -> None:
        """Nothing that is seen here is judged by rights."""

    def closed(self, outcome: Outcome) -> None:
        """There are no WebSockets."""


def add_monitoring(app: FastAPI, scrape: Scrape, readiness: Readiness, rule: Rule) -> None:
    """Put the routes on `app`, for whom `rule` lets in."""

    @app.get("/metrics")
    @declare(rule)
    async def metrics() -> Response:
        return Response(await scrape.text(), media_type=CONTENT_TYPE)

    @app.get("/healthz")
    @declare(rule)
    async def healthz() -> dict[str, bool]:
        return {"alive": True}

    @app.get("/readyz")
    @declare(rule)
    async def readyz() -> Response:
        found = await readiness.answer()
        return JSONResponse(found, 200 if found["ready"] else 503)


class Monitoring:
    """What a service can say of itself, and its two doors. All methods belong to one event loop."""

    def __init__(self, settings: MetricsSettings, scrape: Scrape, readiness: Readiness, loop_delay: LoopDelay) -> None:
        """`loop_delay` is measured for as long as this runs; `scrape` reads it."""
        self._loop_delay = loop_delay
        self._settings = settings
        self._scrape = scrape
        self._readiness = readiness

    def install(self, app: FastAPI) -> None:
        """Open the server's own port to who shows the token, where the settings name one; `ConfigError`."""
        if self._settings.token_file is not None:
            token = MonitoringToken(self._settings.token_file)
            add_monitoring(app, self._scrape, self._readiness, Rule(machine=token.check))

    async def run(self) -> None:
        """Measure, and listen where the settings want it, until canceled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._loop_delay.run())
                if self._settings.port:
                    group.create_task(self._listen(self._settings.port))
        finally:
            self.close()

    async def _listen(self, port: int) -> None:
        while True:
            try:
                async with serving(self.app(), HERE, port, limits=LIMITS) as bound:
                    log.info("metrics_serving", host=HERE, port=bound)
                    await asyncio.Event().wait()
            except ConfigError as error:
                log.error("metrics_not_served", why=error.message, next="the service goes on; tried again")
            except Exception:  # nobody foresaw it; a service does not end because it is not measured
                log.exception("metrics_failed", next="the service goes on; tried again")
            await asyncio.sleep(AGAIN_S)

    def close(self) -> None:
        """Nobody asks any more."""
        self._scrape.close()
        self._readiness.close()

    def app(self) -> FastAPI:
        """The listener's own server, with nothing else on it."""
        app = new_app("metrics")
        answers.install(app)
        app.add_middleware(AccessGate, access=LoopbackDoor(), routes_of=app)
        add_monitoring(app, self._scrape, self._readiness, Rule(public=True))
        return app
