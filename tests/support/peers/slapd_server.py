"""Debian's slapd for tests: a directory with a few people, by TLS of an authority of the tests, stopped by its pid."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.provider_settings import LdapSettings
from sync.tls.authority import open_authority
from tests.support.peers.tls_court import served_by, utc_now
from tests.support.ports import free_port

BASE = "ou=people,dc=court,dc=example"
CENTER, CENTER_PASSWORD = "cn=center,dc=court,dc=example", "the-center-s-own"
PEOPLE = {"wangfang": "correct horse battery", "li(an)*": "another staple here"}
"""Logins and passwords."""
PATIENCE_S = 20


@dataclass
class SlapdServer:
    """A running directory."""

    folder: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes]

    @property
    def authority(self) -> Path:
        """Whom a client trusts."""
        return self.folder / "authority.pem"

    def settings(self, **changed: object) -> LdapSettings:
        """As a center would name it, by ldaps."""
        said = {
            "url": f"ldaps://127.0.0.1:{self.tls_port}",
            "base": BASE,
            "bind_dn": CENTER,
            "password_file": self.folder / "password",
            "ca_file": self.authority,
            **changed,
        }
        return LdapSettings.model_validate(said)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def slapd(folder: Path) -> Iterator[SlapdServer]:
    """A directory of `PEOPLE` while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir()
    authority = open_authority(folder / "keys", "court of the tests", utc_now())
    (folder / "authority.pem").write_bytes(authority.pem)
    certificate, key = served_by(authority, folder / "tls", "127.0.0.1")
    (folder / "slapd.conf").write_text(
        f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/authority.pem
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
security simple_bind=128
database mdb
maxsize 10485760
suffix "dc=court,dc=example"
rootdn "{CENTER}"
rootpw {CENTER_PASSWORD}
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by * none
"""
    )
    (folder / "people.ldif").write_text(_ldif())
    subprocess.run(["/usr/sbin/slapadd", "-f", folder / "slapd.conf", "-l", folder / "people.ldif"], check=True)
    (folder / "password").write_text(CENTER_PASSWORD)
    (folder / "password").chmod(0o600)
    port, tls_port = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
    process = subprocess.Popen(
        ["/usr/sbin/slapd", "-f", folder / "slapd.conf", "-h", urls, "-d", "0"], stderr=subprocess.DEVNULL
    )
    server = SlapdServer(folder, port, tls_port, process)
    try:
        for one in (port, tls_port):
            _wait_for(one, process)
        yield server
    finally:
        server.stop()


def _ldif() -> str:
    entries = [
        "dn: dc=court,dc=example\nobjectClass: dcObject\nobjectClass: organization\no: court\ndc: court",
        f"dn: {BASE}\nobjectClass: organizationalUnit\nou: people",
    ]
    for number, (login, password) in enumerate(PEOPLE.items()):
        said = f"dn: cn=person{number},{BASE}\nobjectClass: inetOrgPerson\ncn: person{number}\nsn: x"
        entries.append(f"{said}\nuid: {login}\nuserPassword: {password}")
    return "\n\n".join(entries) + "\n"


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"slapd does not listen: {process.poll()}")
