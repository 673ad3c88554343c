"""The court's authority and what it certifies: who is believed, for how long, and what is never issued."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from sync.errors import CenterError, ConfigError, LedgerError
from sync.tls.authority import Authority, open_authority
from sync.tls.certificates import check_tls_certificate, is_due, pem_of, read_authority
from sync.tls.fingerprint import center_fingerprint, check_fingerprint, joined_code, split_code
from sync.tls.hosts import host_of, is_loopback
from sync.tls.keys import make_tls_key
from sync.tls.names import alternative_names, hosts_in, is_room, subject
from sync.tls.requests import read_request, tls_request

NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return open_authority(tmp_path / "keys", "Test court", NOW)


def issued(authority: Authority, name: str = "c/1", **more: dt.timedelta) -> tuple[bytes, ec.EllipticCurvePublicKey]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return pem_of(authority.issue(key, name, ["room.court.example", "10.1.2.3"], NOW, **more)), key


def test_an_authority_is_made_once_private_and_may_certify_no_further_one(authority: Authority, tmp_path: Path) -> None:
    again = open_authority(tmp_path / "keys", "Another name", NOW + DAY)
    assert again.certificate == authority.certificate
    assert (tmp_path / "keys" / "authority.key").stat().st_mode & 0o777 == 0o600
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert authority.certificate.not_valid_after_utc - NOW > 19 * 365 * DAY


def test_a_key_that_others_may_read_or_of_another_authority_stops_the_start(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    open_authority(keys, "Test court", NOW)
    (keys / "authority.key").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 0600"):
        open_authority(keys, "Test court", NOW)
    (keys / "authority.key").unlink()
    with pytest.raises(ConfigError, match="same backup"):
        open_authority(keys, "Test court", NOW)


def test_a_certificate_is_believed_for_its_name_its_key_its_time_and_its_authority(
    authority: Authority, tmp_path: Path
) -> None:
    pem, key = issued(authority)
    found = check_tls_certificate(pem, "c/1", authority.pem, key, NOW)
    assert hosts_in(found) == {"room.court.example", "10.1.2.3"}
    assert found.not_valid_after_utc - found.not_valid_before_utc <= 398 * DAY
    other = open_authority(tmp_path / "other", "Test court", NOW)
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    for name, believed, wanted, at in (
        ("c/2", authority, key, NOW),
        ("c/1", other, key, NOW),
        ("c/1", authority, stranger, NOW),
        ("c/1", authority, key, NOW + 400 * DAY),
        ("c/1", authority, key, NOW - DAY),
    ):
        with pytest.raises(LedgerError):
            check_tls_certificate(pem, name, believed.pem, wanted, at)


def test_no_room_s_certificate_is_an_authority(authority: Authority) -> None:
    pem, _ = issued(authority)
    with pytest.raises(LedgerError, match="no certificate of an authority"):
        read_authority(pem)
    with pytest.raises(LedgerError, match="several"):
        read_authority(authority.pem + pem)  # a fingerprint that fits the first says nothing of the second


@pytest.mark.parametrize("lived", [0.0, 0.6, 0.7, 1.0])
def test_a_certificate_is_due_when_a_third_of_its_life_is_left(authority: Authority, lived: float) -> None:
    certificate = x509.load_pem_x509_certificate(issued(authority, lasts=90 * DAY)[0])
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert is_due(certificate, certificate.not_valid_before_utc + life * lived) == (lived > 2 / 3)


def test_a_request_is_believed_for_its_key_and_hosts_and_nothing_else(tmp_path: Path) -> None:
    key = make_tls_key(tmp_path / "tls.key")
    asked, hosts = read_request(tls_request(key, "c/1", ["10.0.0.9", "Room.Court.Example", "no host!"]), "c/1")
    assert asked == key.public_key()
    assert hosts == ["10.0.0.9", "room.court.example"]
    for wrong in ("c/2", "center", "+/#"):
        with pytest.raises(LedgerError):
            read_request(tls_request(key, wrong, []), "c/1")


def _request(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey, name: x509.Name) -> bytes:
    hash_of = None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hash_of)
    return made.public_bytes(serialization.Encoding.PEM)


def test_requests_with_other_keys_two_names_or_a_false_signature_are_refused() -> None:
    p256 = ec.generate_private_key(ec.SECP256R1())
    two = x509.Name([*subject("c/1"), x509.NameAttribute(NameOID.COMMON_NAME, "center")])
    good = _request(p256, subject("c/1"))
    read_request(good, "c/1")
    lines = good.splitlines()
    spoilt = b"\n".join([*lines[:-2], lines[-2][:-6] + b"AAAA==", lines[-1]])
    for bad in (
        _request(Ed25519PrivateKey.generate(), subject("c/1")),
        _request(ec.generate_private_key(ec.SECP384R1()), subject("c/1")),
        _request(p256, two),
        spoilt,
        b"nothing",
    ):
        with pytest.raises(LedgerError):
            read_request(bad, "c/1")


def test_each_list_of_revoked_certificates_is_newer_than_the_one_before_within_a_second(authority: Authority) -> None:
    before = None
    for serials in ([], [5], [5, 9], [9]):
        now = x509.load_pem_x509_crl(authority.revocations(serials, NOW, before))
        assert {one.serial_number for one in now} == set(serials)
        assert now.is_signature_valid(authority.key.public_key())
        assert now.last_update_utc <= NOW
        if before is not None:
            assert now.last_update_utc > before.last_update_utc
        before = now


def test_a_code_carries_128_bits_or_more_of_who_made_it(authority: Authority, tmp_path: Path) -> None:
    center = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    told = center_fingerprint(authority.pem, center)
    assert len(told.replace("-", "")) * 5 >= 128
    code, wanted = split_code(joined_code("ABCDE-FGHIJ", told))
    assert code == "ABCDE-FGHIJ"
    check_fingerprint(authority.pem, center, wanted.lower().replace("-", ""))
    other = open_authority(tmp_path / "other", "Test court", NOW)
    for pem, key, said in (
        (other.pem, center, wanted),
        (authority.pem, bytes(32), wanted),
        (authority.pem, center, wanted[:-1]),
        (authority.pem, center, ""),
        (authority.pem + other.pem, center, wanted),
    ):
        with pytest.raises(CenterError):
            check_fingerprint(pem, key, said)


@pytest.mark.parametrize("name", ["a/b", "jianshan/3", "a-1/b-2"])
def test_names_of_rooms(name: str) -> None:
    assert is_room(name)


@pytest.mark.parametrize("name", ["center", "a/+", "#", "+/+", "a/b/c", "A/b", "a /b", "", "/", "a/", "%u", "a/b\n"])
def test_names_that_are_no_room_s(name: str) -> None:
    assert not is_room(name)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("LOCALHOST.", True),
    ]
    + [(h, False) for h in ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example", "", "fe80::1%lo")],
)
def test_what_never_leaves_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_hosts_of_certificates_are_written_in_one_way() -> None:
    assert host_of("Center.Court.Example.") == "center.court.example"
    assert host_of("[2001:DB8::1]") == "2001:db8::1"
    assert host_of("法院.example") == "法院.example".encode("idna").decode()
    for bad in ("", "a b", "http://x", "*.example", "-a.example", "a..b", "x" * 300):
        with pytest.raises(ValueError, match="no host"):
            host_of(bad)
    assert len(alternative_names([f"10.0.{n}.1" for n in range(200)])) == 64
