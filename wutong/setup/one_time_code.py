"""The code with which one browser may set this machine up: shown at its console alone, and good for one sign-in.

It has 49 random bits and is kept nowhere but in memory; guessing is slowed down by address (`Access.let_in`). Whoever
needs another one begins setup again at the machine.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from sync.errors import AccessError
from sync.http.rights.people import new_code

ROLE = "installer"
NAME = "安装人员"
GRANT = "setup"
VALID_S = 4 * 3600


class OneTimeCode:
    """`used` is called with the address of whoever signed in with it."""

    def __init__(self, used: Callable[[str], None], *, now_s: Callable[[], float] = time.time) -> None:
        self.text = new_code()
        self._used = used
        self._now_s = now_s
        self._over = False

    def redeem(self, said: str, address: str) -> tuple[str, str, str, float]:
        """(role, name, grant, until) of the session; `AccessError` "code" for another code, "used" for the second."""
        if not hmac.compare_digest(_letters(said), _letters(self.text)):
            raise AccessError("安装码不正确，请看本机屏幕 (the code is not right: look at the machine)", code="code")
        if self._over:
            raise AccessError(
                "安装码已经用过；请在本机重新运行 wutong room setup (the code was used: begin again at the machine)",
                code="used",
            )
        self._over = True
        self._used(address)
        return ROLE, NAME, GRANT, self._now_s() + VALID_S


def _letters(code: str) -> bytes:
    return "".join(c for c in code.upper() if c.isalnum()).encode("utf-8", "replace")
