"""Whether this room's clock and its center's tell the same time: by the center's `Date`, over HTTPS.

A machine whose clock is years off finds every certificate too new or too old, and all it would say is that a
certificate cannot be verified. So here, and only to compare clocks, a certificate is believed whatever the time: it
must be of the court's authority all the same. Nothing is sent, and nothing else is read.
"""

from __future__ import annotations

import asyncio
import email.utils
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import structlog

from sync.errors import ConfigError
from sync.runtime.units import NS_PER_S
from sync.tls.contexts import client_context, trust
from sync.uplink.trust.certificate import ask_for_center

log = structlog.get_logger(__name__)

LOOK_S = 60.0
ANSWER_S = 10.0
WRONG_S = 300.0
"""A clock that is so far off hinders: what is about the moment is refused after ten minutes."""
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for."""


def words_of(ahead_s: float) -> str:
    """What is wrong with a clock that is so far ahead of the center's, and what to do."""
    size, unit, english = next(
        (abs(ahead_s) / seconds, unit, english)
        for seconds, unit, english in (
            (365.25 * 86_400, "年", "years"),
            (86_400, "天", "days"),
            (3600, "小时", "hours"),
            (60, "分钟", "minutes"),
        )
        if abs(ahead_s) >= 1.5 * seconds or unit == "分钟"
    )
    way, direction = ("快", "ahead of") if ahead_s > 0 else ("慢", "behind")
    return (
        f"时钟不对：本机时间比中心{way}约 {size:.0f} {unit}，请校准时间（chrony）；录制不受影响 "
        f"(this machine's clock is about {size:.0f} {english} {direction} the center's: set it, see chrony; "
        "recording goes on)"
    )


class CenterClock:
    """All methods belong to one event loop."""

    def __init__(self, url: str, authority: Path, *, utc_ns: Callable[[], int] = time.time_ns) -> None:
        """`url`: of the center; `authority`: where the certificate of the court's authority is, once there is one."""
        self._url = url
        self._authority = authority
        self._utc_ns = utc_ns
        self.ahead_s: float | None = None
        """How far this room's clock was ahead of the center's when they were last compared; None before."""

    @property
    def is_wrong(self) -> bool:
        """Whether the clocks were too far apart when they were last compared."""
        return self.ahead_s is not None and abs(self.ahead_s) > WRONG_S

    async def look(self) -> float | None:
        """Compare; how far this room's clock is ahead, None when the center cannot be asked or is not believed."""
        if not self._url.startswith("https://") or not self._authority.exists():
            return None
        try:
            async with (
                asyncio.timeout(ANSWER_S),
                httpx.AsyncClient(
                    timeout=ANSWER_S,
                    trust_env=False,
                    verify=_whenever(self._authority),
                    event_hooks={"request": [ask_for_center]},
                ) as http,
                http.stream("HEAD", f"{self._url}/api/authority") as answer,
            ):
                said = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
        except (httpx.HTTPError, ConfigError, TimeoutError, KeyError, ValueError, OverflowError) as error:
            log.debug("clock_not_compared", why=str(error)[:200])
            return None
        was_wrong, self.ahead_s = self.is_wrong, self._utc_ns() / NS_PER_S - said
        if self.is_wrong:
            log.error("clock_wrong", ahead_s=round(self.ahead_s), why=words_of(self.ahead_s))
        elif was_wrong:
            log.info("clock_right", ahead_s=round(self.ahead_s, 1))
        return self.ahead_s

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)


def _whenever(authority: Path) -> ssl.SSLContext:
    context = client_context()
    trust(context, authority)
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context
