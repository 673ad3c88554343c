"""How often somebody may be wrong, for each key by which that is counted: a login, a browser, an address.

Each wrong answer beyond the free ones doubles the wait of its key, up to `most_s`; what lies longer back than
`forget_s` does not count any more. Bounded in memory: of more than `MOST_KEYS` keys those that were wrong longest ago
are forgotten. Threads may share it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from sync.errors import AccessError

MOST_KEYS = 20_000
FREE = 5
MOST_S = 300.0
FORGET_S = 3600.0


class GuessLimit:
    """Counts wrong answers by key."""

    def __init__(
        self,
        *,
        free: int = FREE,
        most_s: float = MOST_S,
        forget_s: float = FORGET_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free, self._most_s, self._forget_s = free, most_s, forget_s
        self._now_s = now_s
        self._wrong: OrderedDict[str, tuple[int, float, float]] = OrderedDict()
        """Of each key: how often, when last, and until when it waits."""
        self._lock = threading.Lock()

    def check(self, key: str) -> None:
        """`AccessError` "throttled" while this key has to wait."""
        with self._lock:
            wait = self._wrong.get(key, (0, 0.0, 0.0))[2] - self._now_s()
        if wait > 0:
            raise AccessError(f"尝试过多，请在 {wait:.0f} 秒后再试 (too many attempts; wait)", code="throttled")

    def failed(self, key: str) -> None:
        """Count a wrong answer."""
        now = self._now_s()
        with self._lock:
            count, last, _ = self._wrong.pop(key, (0, now, 0.0))
            count = 1 if now - last > self._forget_s else count + 1
            over = count - self._free
            wait = 0.0 if over < 0 else min(2.0 ** min(over, 20), self._most_s)
            self._wrong[key] = (count, now, now + wait)
            while len(self._wrong) > MOST_KEYS:
                self._wrong.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget what was wrong."""
        with self._lock:
            self._wrong.pop(key, None)
