"""For clients of plain HTTP: no authority is read, which each client would do for itself, and none is trusted."""

from __future__ import annotations

import ssl

UNTRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
