"""Who was believed and is so no more: an authority that was replaced vouches for nobody, and nothing was restarted."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sync.http.serve import new_app, serving
from sync.tls.authority import Authority, open_authority
from sync.tls.contexts import client_context, server_context
from sync.tls.followed_context import BelievedAuthority
from sync.tls.identity import TlsFiles, TlsIdentity
from tests.support.peers.tls_court import certified, served_by, utc_now

ROOM = "jianshan/c03"


class Court:
    """A court with an authority of its own, and a server that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority: Authority = open_authority(folder / "court", folder.name, utc_now())

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        context = server_context(*served_by(self.authority, self.folder, "127.0.0.1"))
        async with serving(new_app("small"), "127.0.0.1", 0, tls=context) as port:
            yield f"https://127.0.0.1:{port}/"

    def enroll(self, files: TlsFiles) -> None:
        """Put what a room has of this court into its files, as an enrollment does."""
        given = certified(self.authority, self.folder, ROOM)
        for source, goal in ((given.key, files.key), (given.certificate, files.certificate)):
            shutil.copyfile(source, goal)
            goal.chmod(0o600)
        files.authority.write_bytes(self.authority.pem)


async def believes(context: ssl.SSLContext, url: str) -> bool:
    """Whether a handshake comes about, by the way of asyncio's libraries and by that of plain sockets."""

    def plain() -> bool:
        parts = httpx.URL(url)
        with socket.create_connection((parts.host, parts.port or 443), 20) as line:
            try:
                context.wrap_socket(line, server_hostname=parts.host).close()
            except ssl.SSLCertVerificationError:
                return False
            return True

    by_socket = await asyncio.to_thread(plain)
    async with httpx.AsyncClient(verify=context, trust_env=False) as http:
        if by_socket:
            assert (await http.get(url)).status_code == 404
        else:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.get(url)
    return by_socket


@pytest.fixture
def courts(tmp_path: Path) -> tuple[Court, Court]:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    return Court(tmp_path / "old"), Court(tmp_path / "new")


async def test_a_room_that_is_enrolled_anew_believes_the_court_of_before_no_more(
    courts: tuple[Court, Court], tmp_path: Path
) -> None:
    old, new = courts
    files = TlsFiles(tmp_path / "authority.pem", tmp_path / "room.pem", tmp_path / "room.key")
    identity = TlsIdentity(files)
    async with old.serving() as at_old, new.serving() as at_new:
        assert not await believes(identity.context, at_old), "before it is enrolled it believes nobody"
        old.enroll(files)
        assert identity.is_outdated
        assert identity.follow()
        assert not identity.is_outdated
        assert (await believes(identity.context, at_old), await believes(identity.context, at_new)) == (True, False)
        new.enroll(files)
        assert identity.follow()
        assert (await believes(identity.context, at_old), await believes(identity.context, at_new)) == (False, True)
        files.authority.write_text("half a certificate")
        assert identity.is_outdated
        assert not identity.follow()
        assert await believes(identity.context, at_new), "what cannot be used changes nothing"


async def test_so_does_who_believes_others_besides(courts: tuple[Court, Court], tmp_path: Path) -> None:
    old, new = courts
    file = tmp_path / "authority.pem"
    believed = BelievedAuthority(file, client_context)
    async with old.serving() as at_old, new.serving() as at_new:
        for court, expected in ((None, (False, False)), (old, (True, False)), (new, (False, True))):
            if court is not None:
                file.write_bytes(court.authority.pem)
            believed.follow()
            assert (await believes(believed.context, at_old), await believes(believed.context, at_new)) == expected
        file.unlink()
        believed.follow()
        assert not await believes(believed.context, at_new)
