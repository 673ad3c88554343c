"""What clients cost that connect to nothing but this machine: the system's authorities are read once, not by each.

Only in the process of the tests. What the product believes, and of whom, is asked of contexts that it makes itself
(`sync.tls`), which are made here as everywhere.
"""

from __future__ import annotations

import functools
import os
import ssl
from typing import Any

from httpx._transports import default

UNTRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of plain HTTP: no authority is read, and none is trusted."""


def make_quick() -> None:
    """From here on, in this process: HTTP clients that are told nothing of TLS share what they would all read."""
    made = getattr(default, "create_ssl_context")  # noqa: B009 - it is there by an import of the module's own

    @functools.cache
    def shared(trust_env: bool, said: tuple[str | None, ...]) -> Any:
        return made(verify=True, trust_env=trust_env)

    def context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        if verify is True and cert is None:
            return shared(trust_env, (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")))
        return made(verify=verify, cert=cert, trust_env=trust_env)

    setattr(default, "create_ssl_context", context)  # noqa: B010 - as above
