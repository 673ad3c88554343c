"""What goes over a network without TLS: refused, or for a named time let be and said in red.

`plain_until` is a day in the settings of a room or a center. Until that day the old ways stay open as they were (http,
passwords, tokens); from then on they are refused by themselves, at the next start and by those that look each hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sync.errors import ConfigError
from sync.tls.hosts import is_loopback

ALARM = "plain"
"""The code of the alarm that says it on the screens."""


@dataclass(frozen=True, slots=True)
class PlainWire:
    """A setting by which something would leave this machine unprotected."""

    setting: str
    value: str
    remedy: str
    """What to write there instead, in English."""


def plain_url(setting: str, url: str) -> list[PlainWire]:
    """Nothing, or the wire, where `url` is http to another machine."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "http" or is_loopback(parts.hostname or ""):
        return []
    return [PlainWire(setting, url, "write https://, and the port of the center's own TLS")]


class PlainPolicy:
    """Whether the old ways are open; asked again and again, for the day may come while a service runs."""

    def __init__(
        self,
        until: dt.date | None,
        today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date(),
        *,
        setting: str = "tls.plain_until",
    ) -> None:
        """`until`: the first day on which they are closed; None: they are. `setting` is where that is said."""
        self._setting = setting
        self.until = until
        self._today = today

    @property
    def is_open(self) -> bool:
        """Whether the old ways may be used today."""
        return self.until is not None and self._today() < self.until

    def warnings(self, wires: Iterable[PlainWire]) -> list[str]:
        """What is to be said in red of each wire; `ConfigError` for the first one when the old ways are closed."""
        found: Sequence[PlainWire] = list(wires)
        if found and not self.is_open:
            one = found[0]
            since = "" if self.until is None else f"（{self._setting} {self.until} 已过）"
            raise ConfigError(
                f"{one.setting} = {one.value} 会在网络上明文传输，已拒绝启动{since} (this would go over the network "
                f"without TLS): {one.remedy}; or, for a named time, set {self._setting} to a day "
                "(docs/operations.md, Trust on every wire)"
            )
        return [self.words(f"{one.setting} = {one.value}") for one in found]

    def words(self, what: str) -> str:
        """The sentence for logs and screens while the old ways are open."""
        return f"未加密：{what}，{self.until} 起将被拒绝 (not encrypted; refused from {self.until} on)"
