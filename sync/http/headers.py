"""The headers that every answer carries: what a browser may do with a page of ours, and that nothing is kept."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self' blob:; font-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000"
"""Of this host alone: what else lives below the court's domain is not ours to decide."""


def add_headers(message: Message, *, secure: bool) -> None:
    """Complete the beginning of an answer (`http.response.start`); `secure`: the browser came by https."""
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if secure:
        headers.setdefault("Strict-Transport-Security", _HSTS)
    headers.setdefault("Cache-Control", "no-store")
