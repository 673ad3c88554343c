"""Where the center's database is: a URL as the configuration has it, and what it means for the wire to it.

Promises: nothing that is said of a URL repeats a password in it. What goes to another machine goes by TLS whose
certificate is verified, unless the URL itself asks for less, which the center then refuses or says in red.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sync.errors import ConfigError
from sync.runtime.files.secrets import read_secret
from sync.tls.hosts import is_loopback
from sync.tls.plain import PlainWire

POSTGRES = "postgresql+psycopg"
_VERIFIED = ("verify-full", "verify-ca")


def read_url(url: str) -> URL:
    """A database URL; `ConfigError` when it is none that the center can use."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        backend, parsed = "", None
    if parsed is None or backend not in ("sqlite", "postgresql"):
        raise ConfigError(
            "storage.database 不是可用的数据库地址 (no URL of a database that the center can use): "
            "write postgresql://USER@HOST/NAME, or leave it empty for SQLite"
        )
    return _trusted(parsed.set(drivername=POSTGRES)) if backend == "postgresql" else parsed


def with_password(url: str, file: Path | None) -> str:
    """The URL with the password of a file, if one is named; `ConfigError` when that cannot be read."""
    if file is None:
        return url
    parsed = read_url(url)
    if parsed.password is not None:
        raise ConfigError("storage.database has a password, and database_password_file another; keep one, the file")
    password = read_secret(file, "the password of the database's user")
    return parsed.set(password=password).render_as_string(hide_password=False)


def shown_url(url: str) -> str:
    """As a person writes it into a configuration, without its password."""
    parsed = read_url(url)
    bare = URL.create("postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query)
    return bare.render_as_string()


def plain_database(url: str) -> list[PlainWire]:
    """Nothing, or the wire, where the record would go to another machine without TLS that is verified."""
    parsed = read_url(url)
    if parsed.get_backend_name() != "postgresql" or parsed.query.get("sslmode") in _VERIFIED:
        return []
    far = [host for host in _hosts(parsed) if not _is_here(host)]
    remedy = "write ?sslmode=verify-full&sslrootcert=FILE at its end"
    return [PlainWire("storage.database", ",".join(far), remedy)] if far else []


def _trusted(url: URL) -> URL:
    if "sslmode" in url.query or all(map(_is_here, _hosts(url))):
        return url
    more = {"sslmode": "verify-full"}
    if "sslrootcert" not in url.query:
        more["sslrootcert"] = "system"
    return url.update_query_dict(more)


def _hosts(url: URL) -> list[str]:
    """All that libpq would try; a path is a socket of this machine."""
    said = [url.host or "", *(url.query.get(name, "") for name in ("host", "hostaddr"))]
    many = [one for part in said for one in ([part] if isinstance(part, str) else part)]
    hosts = [host for one in many for host in one.split(",")]
    return [host.rpartition(":")[0] if host.count(":") == 1 else host for host in hosts]


def _is_here(host: str) -> bool:
    return not host or host.startswith(("/", "@")) or is_loopback(host)
