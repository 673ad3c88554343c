"""Under whose session what is done now is done: known to all that a request calls, without being handed through.

Set by the gate for each request, and seen by what the request calls and by the tasks that it begins. Work that goes on
by itself acts under nobody.
"""

from __future__ import annotations

from contextvars import ContextVar

from sync.http.rights.people import Session

_ACTING: ContextVar[Session | None] = ContextVar("wutong_acting", default=None)


def acts(session: Session | None) -> None:
    """From here on this session acts, in this request."""
    _ACTING.set(session)


def acting() -> Session | None:
    """Whose request this is; None for strangers, machines and work that nobody asked for."""
    return _ACTING.get()
