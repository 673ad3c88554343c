"""Keys under which signatures prove nothing: of small order, of mixed order, in a second encoding, on no curve."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID

from sync.errors import LedgerError
from sync.ledger import keys
from sync.ledger.curve import IDENTITY, L, P, add, decode, encode, is_of_prime_order, times
from sync.ledger.note import Note, Verifier, sign, signed_by

HONEST = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 6)]
_NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)


def _torsion() -> list[bytes]:
    """The eight points whose order divides eight, from any point: L times it has no part of the prime order."""
    point = next(
        p for y in range(2, 99) if (p := decode(y.to_bytes(32, "little"))) and times(4, times(L, p)) != IDENTITY
    )
    eighth = times(L, point)
    found = [encode(times(n, eighth)) for n in range(8)]
    return found if len(set(found)) == 8 else []


TORSION = _torsion()


def test_the_eight_points_are_eight_and_none_of_them_is_a_key() -> None:
    assert len(TORSION) == 8
    for data in TORSION:
        assert not is_of_prime_order(data)
        with pytest.raises(LedgerError):
            keys.checked_key(Ed25519PublicKey.from_public_bytes(data))


@pytest.mark.parametrize("key", HONEST)
def test_an_honest_key_is_one_and_with_any_of_the_eight_added_it_is_none(key: Ed25519PrivateKey) -> None:
    data = key.public_key().public_bytes_raw()
    assert is_of_prime_order(data)
    assert encode(decode(data) or IDENTITY) == data
    for torsion in TORSION:
        mixed = encode(add(decode(data) or IDENTITY, decode(torsion) or IDENTITY))
        assert is_of_prime_order(mixed) == (torsion == encode(IDENTITY)), torsion.hex()


@pytest.mark.parametrize("data", [
    (P + 3).to_bytes(32, "little"),  # 3 in a second encoding
    (P + 1).to_bytes(32, "little"),
    (1 | 1 << 255).to_bytes(32, "little"),  # the identity with a sign
    (2).to_bytes(32, "little"),  # on no curve
    b"\xff" * 32,
])  # fmt: skip
def test_what_is_no_encoding_of_a_point_is_no_key(data: bytes) -> None:
    assert not is_of_prime_order(data)
    with pytest.raises(LedgerError):
        keys.checked_key(Ed25519PublicKey.from_public_bytes(data))


def _certificate(public: Ed25519PublicKey, center: Ed25519PrivateKey) -> bytes:
    """As a center would have issued it that does not look at keys."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "court1/c03")])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, keys.CENTER)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public).serial_number(7)
    builder = builder.not_valid_before(_NOW - dt.timedelta(days=1)).not_valid_after(_NOW + dt.timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return (
        builder.add_extension(keys._usage(), critical=True).sign(center, None).public_bytes(serialization.Encoding.PEM)
    )


def test_no_door_takes_a_key_of_mixed_order() -> None:
    """By a file, by a certificate that was issued before, in a note."""
    center, key = HONEST[:2]
    honest = key.public_key().public_bytes_raw()
    mixed = Ed25519PublicKey.from_public_bytes(encode(add(decode(honest) or IDENTITY, decode(TORSION[1]) or IDENTITY)))
    with pytest.raises(LedgerError):
        keys.read_public(keys.public_pem(mixed))
    assert keys.check_certificate(_certificate(key.public_key(), center), "court1/c03", center.public_key(), _NOW)
    with pytest.raises(LedgerError):
        keys.check_certificate(_certificate(mixed, center), "court1/c03", center.public_key(), _NOW)
    note = sign("text\n", "court1/c03", key)
    verifier = Verifier("court1/c03", mixed)
    with pytest.raises(LedgerError):
        signed_by(Note(note.text, (("court1/c03", verifier.key_id + note.lines[0][1][4:]),)), verifier)
    with pytest.raises(InvalidSignature):
        mixed.verify(key.sign(b"text"), b"text")
