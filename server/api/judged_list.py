"""A list that is made when it leaves: what was read for it is judged row by row then, and not when it was read.

One hearing that may not be seen any more is refused as a whole (`sync.http.rights.access.Access.judge_again`). A list
is of many, and of each of them the level may change while it is asked for, noted or sent; so it says what may be seen
at the last moment, and is refused to nobody for that.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from fastapi import Response
from starlette.types import Receive, Scope, Send


class JudgedList(Response):
    """JSON of what `make` returns once the gate has let the answer begin."""

    media_type = "application/json"

    def __init__(self, make: Callable[[], object]) -> None:
        super().__init__()
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        # How long it is will be known when it is made.
        headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        body = json.dumps(self._make(), ensure_ascii=False, allow_nan=False).encode()
        await send({"type": "http.response.body", "body": body})
