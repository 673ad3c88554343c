"""What the gate of a server asks of others: to note something, to know who may see what, to share its sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from sync.http.rights.people import Session


class AuditNote(Protocol):
    """Where something is noted; must not block."""

    def __call__(self, what: str, role: str, address: str, detail: str, person: str = "") -> None:
        """`what`: "sign-in", "sign-out" or "refused"; `person` where it is somebody whom the server knows by name."""


ReachCheck = Callable[[Session, Mapping[str, str], bool], Awaitable[Callable[[], None]]]
"""Of a person's session, the names in a route's path, and whether the request only reads: raises `WutongError` unless
what is named is there for this person. What it returns is asked again when the answer leaves."""


class RightsKnown(Protocol):
    """Whether this server knows who may see what now; where others may change it, too."""

    def check(self) -> None:
        """`WutongError` when it does not: nobody is shown anything then."""

    async def soon(self) -> None:
        """Return when it does, or when waiting for that is of no use."""

    async def catch_up(self) -> None:
        """Know what is stored of it now; `WutongError` when that cannot be known."""


class SessionSharing(Protocol):
    """Where sessions are kept that several processes of a server share. All may raise `StorageError`."""

    async def opened(self, key: str, session: Session) -> None:
        """One was opened here; `AccessError` "code" when the code has just become another."""

    async def ended(self, key: str) -> None:
        """One was ended here; from the return on it is worth nothing anywhere."""

    async def ended_of(self, grant: str) -> None:
        """Those of a guest were."""

    async def ended_keys(self, keys: Collection[str]) -> None:
        """These were, by the hashes of their tokens."""

    async def ended_of_person(self, person: str) -> None:
        """All of a person were."""


async def everything_reached(_session: Session, _named: Mapping[str, str], _reads: bool) -> Callable[[], None]:
    """A `ReachCheck` of a server whose people are not kept apart."""
    return lambda: None
