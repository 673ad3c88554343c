"""HTTPS of the setup page: with a certificate that lives as long as the page, since the room has none yet."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from sync.runtime.files.durable_files import replace_file
from sync.tls.authority import open_authority
from sync.tls.certificates import pem_of
from sync.tls.contexts import server_context
from sync.tls.keys import make_tls_key
from sync.tls.names import local_hosts


def page_context(folder: Path, now: dt.datetime) -> tuple[ssl.SSLContext, str]:
    """(what serves, the SHA-256 of its certificate as browsers show it); the files are made in `folder`."""
    authority = open_authority(folder, "Wutong setup", now)
    key = make_tls_key(folder / "setup.key")
    made = authority.issue(key.public_key(), "setup", local_hosts(), now)
    certificate = folder / "setup.pem"
    replace_file(certificate, pem_of(made))
    return server_context(certificate, folder / "setup.key"), made.fingerprint(hashes.SHA256()).hex(":").upper()
