"""A real time-stamp authority for tests: a CA made on the spot, `openssl ts -reply` behind HTTP on a free port."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.peers.posted_to import posted_to, send

REPLY = "application/timestamp-reply"
"""The answer's media type (RFC 3161, 3.4)."""
_CONFIG = """
[tsa]
default_tsa = tsa_here
[tsa_here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
[usage]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {usage}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
"""


class Authority:
    """A time-stamp authority in a folder. `usage`: its signer's extended key usage as OpenSSL writes it."""

    def __init__(self, folder: Path, *, usage: str = "critical,timeStamping") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.asked = 0
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder, usage=usage))
        subject = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "/dev/null"]
        self._openssl(
            *["req", "-x509", *subject, "-subj", "/CN=Test time root", "-days", "30"],
            *["-keyout", "root.key", "-out", "root.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
        )
        self._openssl("req", *subject, "-subj", "/CN=Test time", "-keyout", "signer.key", "-out", "signer.csr")
        self._openssl(
            *["x509", "-req", "-in", "signer.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "30"],
            *["-extfile", "tsa.cnf", "-extensions", "usage", "-out", "signer.pem"],
        )

    @property
    def root_pem(self) -> bytes:
        """What a verifier must be given."""
        return (self.folder / "root.pem").read_bytes()

    def reply(self, request: bytes) -> bytes:
        """The TimeStampResp for a TimeStampReq."""
        self.asked += 1
        name = f"request-{self.asked}.tsq"
        (self.folder / name).write_bytes(request)
        self._openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", name, "-out", f"{name}.tsr")
        return (self.folder / f"{name}.tsr").read_bytes()

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer over HTTP while the block runs; yields the address."""
        with posted_to(lambda handler, request: send(handler, 200, self.reply(request), content_type=REPLY)) as url:
            yield url

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)
