"""Bodies of requests are read by the one strict reader of JSON, whatever a route declares of them.

Refused as `invalid`: a key that is said twice, numbers that no database holds, nesting without end. Text that people
pasted is mended, not refused: a form must not fail for a character that nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from sync.text.strict_json import UnreadableError, read_strict


class _StrictRequest(Request):
    """A request whose body is read strictly."""

    async def json(self) -> Any:
        """The body; `HTTPException` 422 when it is refused. How large it may be, the gate has counted."""
        body = await self.body()
        try:
            return read_strict(body, limit=len(body), mend=True)
        except UnreadableError as error:
            text = f"请求内容无法读取，请刷新页面后重试 (the body cannot be read: {error})"
            raise HTTPException(422, text) from error


class StrictRoute(APIRoute):
    """A route of our servers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls for a request."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict
