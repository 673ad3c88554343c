"""`wutong authority`: where PCs get the authority from, its fingerprint, and certificates for other machines."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import segno
from cryptography.hazmat.primitives import hashes
from rich.console import Console

from server.config import Config, load_config
from server.tls.center import open_court
from sync.errors import ConfigError
from sync.runtime.files.durable_files import replace_file
from sync.tls.authority import near_end
from sync.tls.certificates import pem_of
from sync.tls.hosts import host_of
from sync.tls.keys import make_tls_key
from sync.tls.names import local_hosts


def address_of(config: Config) -> str:
    """Where a browser fetches the authority."""
    named = [*config.tls.names, *(host for host in local_hosts() if host not in ("localhost", "127.0.0.1", "::1"))]
    host = named[0] if named else "127.0.0.1"
    return f"https://{f'[{host}]' if ':' in host else host}:{config.web.port}/authority.pem"


def show(path: Path, console: Console) -> None:
    """Print address and fingerprint, as words and as a QR code that holds both."""
    config = load_config(path)
    certificate = open_court(config).authority.certificate
    text = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    address = address_of(config)
    drawn = io.StringIO()
    segno.make(f"{address}#{text.replace(':', '')}", error="m", micro=False).terminal(out=drawn, compact=True, border=2)
    console.file.write(drawn.getvalue())
    console.print(f"证书 (certificate): {address}", highlight=False, soft_wrap=True)
    console.print(f"SHA-256: {text}", highlight=False, soft_wrap=True)
    console.print(f"有效期至 (valid until): {certificate.not_valid_after_utc:%Y-%m-%d}", highlight=False)
    if (words := near_end(certificate.not_valid_after_utc, dt.datetime.now(dt.UTC))) is not None:
        console.print(words, style="bold red", highlight=False)
    console.print("安装前请核对指纹 (compare the fingerprint before you install it); docs/authority.md says how")


def issue(path: Path, host: str, out: Path, console: Console) -> None:
    """A certificate and key for another server of the court, a machine that keeps copies for instance."""
    try:
        name = host_of(host)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    authority = open_court(load_config(path)).authority
    key_path, certificate_path = out / f"{name}.key", out / f"{name}.pem"
    key = make_tls_key(key_path)
    made = authority.issue(key.public_key(), name[:64], [name], dt.datetime.now(dt.UTC))
    try:
        replace_file(certificate_path, pem_of(made))
    except OSError as error:
        raise ConfigError(f"{certificate_path} cannot be written: {error.strerror}") from error
    console.print(f"{certificate_path}  {key_path}  ({made.not_valid_after_utc:%Y-%m-%d})", highlight=False)
