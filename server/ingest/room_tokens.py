"""Which room asks: by the certificate of its connection or, where that is still taken, by a bearer token."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from fastapi import Request

from sync.errors import AccessError
from sync.http.wire.connection import PEER
from sync.tls.certificates import PeerIdentity


class RoomJudge(Protocol):
    """Who knows which certificates are good."""

    def room(self, peer: PeerIdentity) -> str:
        """`court/room`; `AccessError` "not-enrolled"."""

    def is_shut(self, room: str) -> bool:
        """Whether nothing is taken from a room."""


class Tokens:
    """Which room asks: by the certificate of its connection or, where that is still taken, by a bearer token."""

    def __init__(
        self,
        hashes: Mapping[str, str],
        certificates: RoomJudge | None = None,
        *,
        taken: Callable[[Request], bool] = lambda request: True,
    ) -> None:
        """`hashes`: SHA-256 (hex) of a token -> `court/room`. `certificates`: who judges those; None: they say
        nothing. `taken`: whether a token is enough for this request."""
        self._hashes = dict(hashes)
        self._certificates = certificates
        self._taken = taken

    def room(self, request: Request) -> str:
        """The room that asks; `AccessError` "not-enrolled" or "token" when it shows nothing that is good."""
        room = self.certified(request)
        if room is None:
            room = self._by_token(request)
            if self._certificates is not None and self._certificates.is_shut(room):
                raise AccessError("this room's device was revoked; enroll it again", code="not-enrolled")
        return room

    def certified(self, request: Request) -> str | None:
        """The room whose certificate came with the connection, None where none did; `AccessError` "not-enrolled"."""
        peer = request.scope.get("state", {}).get(PEER)
        if peer is None or self._certificates is None:
            return None
        return self._certificates.room(peer)

    def _by_token(self, request: Request) -> str:
        if not self._taken(request):
            raise AccessError(
                "本中心只接受法庭证书，请登记本庭或检查 [center] url (this center takes rooms by their certificate: "
                "enroll this room, and name the center's own https address in the profile, not a proxy's)",
                code="token",
            )
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        digest = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
        # A look-up by the hash of a secret tells by its time nothing of the secret.
        room = self._hashes.get(digest)
        if room is not None and scheme.lower() == "bearer":
            return room
        raise AccessError("this request needs the certificate or the token of a room of this center", code="token")


def certified_room(tokens: Tokens) -> Callable[[Request], Awaitable[None]]:
    """The check of a route for rooms by their certificate alone; the room is in the scope as `wutong_room`."""

    async def certified(request: Request) -> None:
        room = tokens.certified(request)
        if room is None:
            raise AccessError("this request needs the certificate of a room of this center", code="not-enrolled")
        request.scope["wutong_room"] = room

    return certified


def room_by(tokens: Tokens) -> Callable[[Request], Awaitable[None]]:
    """The check of a route for rooms: by certificate or token, the room is in the request's scope as `wutong_room`."""

    async def known_room(request: Request) -> None:
        request.scope["wutong_room"] = tokens.room(request)

    return known_room
