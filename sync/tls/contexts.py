"""The two ways in which TLS is spoken here: as a server, and as who connects. Version 1.2 or newer, sane ciphers.

A server's context is made once and lives: `load_cert_chain` on it is how a new certificate is taken without a restart.
Who connects has others that follow their files (`sync.tls.followed_context`). Sessions are not taken up again: a
certificate is looked at in every handshake, so that a revoked one opens nothing by what it was given before.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Collection
from pathlib import Path

from sync.errors import ConfigError

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of version 1.2; version 1.3 has no other kind."""


def server_context(certificate: Path, key: Path, authority: Path | None = None) -> ssl.SSLContext:
    """A server's; with an `authority` a client may show a certificate of it, and is refused with any other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    harden(context)
    context.set_alpn_protocols(["http/1.1"])
    context.num_tickets = 0
    load_own(context, certificate, key)
    if authority is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        trust(context, authority)
    return context


def client_context() -> ssl.SSLContext:
    """Of who connects: it trusts nobody yet (`trust`), shows nothing yet (`load_own`), and checks the host's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    harden(context)
    return context


def show_to(context: ssl.SSLContext, hosts: Collection[str], other: ssl.SSLContext) -> None:
    """Have a server go on by `other` with those who ask for one of `hosts`, by name."""

    def asked(sock: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name is not None and name.lower() in hosts:
            sock.context = other

    context.sni_callback = asked


def load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Show this certificate from the next handshake on; `ConfigError` when it cannot be used."""
    try:
        # systemd hands credentials over with an access list, which stat shows as the group's rights.
        handed = os.environ.get("CREDENTIALS_DIRECTORY")
        others = 0o007 if handed and key.is_relative_to(handed) else 0o077
        if key.stat().st_mode & others:
            raise ConfigError(f"the key {key} may be read by others; chmod 0600 it")
        # Never asks for a password at a terminal that nobody watches.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise ConfigError(f"the certificate {certificate} with the key {key} cannot be used: {error}") from error


def trust(context: ssl.SSLContext, authority: Path) -> None:
    """Believe the certificates of an authority, too, from the next handshake on; `ConfigError` when it cannot be read.

    Whom a context believes it believes for ever.
    """
    try:
        context.load_verify_locations(cafile=authority)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the authority's certificate {authority} cannot be used: {error}") from error


def harden(context: ssl.SSLContext) -> None:
    """Version 1.2 or newer, sane ciphers, no session taken up again."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
