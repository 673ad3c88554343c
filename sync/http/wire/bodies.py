"""How much of a request's body is read: counted as it comes, whatever its headers say.

A body that says a larger size than its route declares is refused before a byte of it is read. One that says none, or a
wrong one, is cut off where it passes the limit: the route is told that its client has gone.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from sync.errors import WutongError


def too_large(limit_bytes: int) -> WutongError:
    """What who sends too much is told."""
    most = f"{limit_bytes // 1024**2} MiB" if limit_bytes >= 1024**2 else f"{limit_bytes // 1024} KiB"
    text = f"请求内容太大，最多 {most}，请缩小后重试 (the request is too large: at most {most}; send less)"
    return WutongError(text, code="too-large")


def check_length(headers: Headers, limit_bytes: int) -> None:
    """`WutongError` "too-large" or "invalid" by what the headers say of the body."""
    said = headers.getlist("content-length")
    if not said:
        return
    # Two ways to say where a body ends are two bodies to two servers.
    if len(said) > 1 or "transfer-encoding" in headers or not (said[0].isascii() and said[0].isdecimal()):
        raise WutongError("请求的长度有误 (the length of the request makes no sense)", code="length")
    if len(said[0]) > 19 or int(said[0]) > limit_bytes:
        raise too_large(limit_bytes)


class CountedBody:
    """`receive` of one request that ends where the body passes its limit."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._left = limit_bytes
        self.exceeded = False
        """Whether more came than the route takes."""

    async def __call__(self) -> Message:
        """The next message; `http.disconnect` from the limit on."""
        if self.exceeded:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.exceeded = True
                return {"type": "http.disconnect"}
        return message
