"""The cookie of a request by its exact name, as browsers keep it.

A browser lets nobody but this very host set a cookie whose name begins with `__Host-`. That promise is about bytes: a
server that takes blanks of Unicode off a name, or believes the last of two, takes from a neighboring site what the
browser would have refused it. Refused here: every name that is not byte for byte the one that was set, and a name that
comes twice, since nobody can say which of the two is ours.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response

MOST_BYTES = 16 * 1024


def cookie(headers: Headers, name: str) -> str:
    """The value of a cookie; empty when it did not come, or came more than once."""
    line = "; ".join(headers.getlist("cookie"))
    if len(line) > MOST_BYTES:
        return ""
    pairs = (pair.strip(" \t").partition("=") for pair in line.split(";"))
    values = [value for said, sign, value in pairs if sign and said == name]
    return values[0] if len(values) == 1 else ""


def set_cookie(response: Response, name: str, value: str, *, age_s: int, secure: bool) -> None:
    """Give a browser a cookie that no script reads and no other site sends."""
    response.set_cookie(name, value, max_age=age_s, httponly=True, samesite="strict", path="/", secure=secure)
