"""Certificate requests for TLS: what a device asks to be certified, and what of it the authority believes.

Believed: that who asks holds the key, and nothing that the request says about names, rights or times. The hosts it asks
for are a wish: who certifies says which of them are granted (`server.tls.room_hosts`).
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.errors import LedgerError
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from sync.tls.names import alternative_names, hosts_in_names, subject


def tls_request(key: ec.EllipticCurvePrivateKey, room: str, hosts: list[str]) -> bytes:
    """PEM with which a room asks for a certificate that opens the center and serves its panel at `hosts`."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(room))
    builder = builder.add_extension(alternative_names(hosts), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read_request(data: bytes, room: str) -> tuple[ec.EllipticCurvePublicKey, list[str]]:
    """(key, hosts) of a request of `room`; `LedgerError` when it is none, another room's or of another kind.

    Hosts come as a certificate has them (`host_of`), however the request spells them: what is judged is what will stand
    in the certificate. What is no host is left out.
    """
    try:
        asked = x509.load_pem_x509_csr(data)
        key, whole = asked.public_key(), asked.is_signature_valid
        names = [one.value for one in asked.extensions if isinstance(one.value, x509.SubjectAlternativeName)]
    except FOREIGN_ERRORS as error:
        raise LedgerError("this is no certificate request for TLS", code="key") from error
    if not whole or asked.subject != subject(room):
        raise LedgerError(f"the TLS request is not one of {room} with a key of its own", code="key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise LedgerError("the TLS request is not for a key over P-256", code="key")
    return key, sorted({host for one in names for host in hosts_in_names(alternative_names(hosts_in_names(one)))})
