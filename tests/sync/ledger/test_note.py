"""Leaves, signed notes, checkpoints and certificates: one form each, and every other form refused."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import ConfigError, LedgerError
from sync.ledger import keys
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of, read_leaf
from sync.ledger.note import COSIGNATURE, Note, Verifier, cosign, read_note, sign, signed_by
from sync.record.event import Event

NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
EVENT = Event(7, "h-1", "mark", 5_000_000_000, 1_772_443_800_123_456_789, {"id": "m1", "kind": "注", "zoom": 1.0})
POINT = Checkpoint("court/room-01", "h-1", 3, bytes(range(32)), 9, 1_772_443_800_000_000_000)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=5), st.integers(-(2**63), 2**63 - 1))
def test_a_leaf_reads_back_as_it_was_written(body: dict[str, object], at_ns: int) -> None:
    event = Event(1, "h", "mark", at_ns, at_ns, {**body, "from_ns": at_ns})
    try:
        leaf = leaf_of(event)
    except LedgerError:
        return  # text that is not Unicode (a lone surrogate) has no canonical form
    assert leaf_of(read_leaf(leaf)) == leaf


def test_a_leaf_has_one_form() -> None:
    leaf = leaf_of(EVENT)
    assert b'"utc_ns":"1772443800123456789"' in leaf
    assert read_leaf(leaf).utc_ns == EVENT.utc_ns
    spaced = json.dumps(json.loads(leaf), ensure_ascii=False).encode()
    twice = leaf.replace(b'"kind":"mark"', b'"kind":"mark","kind":"mark"')
    for wrong in (
        spaced,
        twice,
        leaf.replace(b'"zoom":1', b'"zoom":1.0'),
        leaf.replace(b'"zoom":1', b'"zoom":NaN'),
        leaf.replace(b'"number":7', b'"number":true'),
        leaf.replace(b'"room_ns":"5000000000"', b'"room_ns":"05000000000"'),
        leaf.replace(b'"room_ns":"5000000000"', b'"room_ns":5000000000'),
        leaf.replace(b'"number":7,', b""),
        b"[" * 100_000,
        b"\xff",
        b"",
    ):
        assert wrong != leaf
        with pytest.raises(LedgerError):
            read_leaf(wrong)


def test_only_an_event_of_a_hearing_is_a_leaf() -> None:
    with pytest.raises(LedgerError):
        leaf_of(Event(1, None, "mark", 0, 0, {}))
    with pytest.raises(LedgerError):
        leaf_of(Event(1, "h", "mark", 0, 0, {"size": 2**60}))


def test_a_note_is_signed_and_countersigned() -> None:
    device, center = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = sign(POINT.to_text(), "court/room-01", device)
    note = Note(note.text, (*note.lines, cosign(note, keys.CENTER, center, 1_772_443_801)))
    again = read_note(note.to_text())
    assert again == note
    assert Checkpoint.from_text(again.text) == POINT
    assert signed_by(again, Verifier("court/room-01", device.public_key())) == 0
    assert signed_by(again, Verifier(keys.CENTER, center.public_key(), COSIGNATURE)) == 1_772_443_801
    assert signed_by(again, Verifier(keys.CENTER, device.public_key(), COSIGNATURE)) is None
    stranger = Verifier("court/room-01", Ed25519PrivateKey.generate().public_key())
    assert signed_by(again, stranger) is None


def test_the_published_example_of_a_cosigned_checkpoint_has_this_form() -> None:
    # Key id and time of the example in c2sp.org/tlog-cosignature: type 4, big-endian seconds.
    data = base64.b64decode(
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    assert len(data) == 4 + 8 + 64
    assert int.from_bytes(data[4:12], "big") == 1_679_315_147


def test_a_changed_note_is_false() -> None:
    device = Ed25519PrivateKey.generate()
    verifier = Verifier("court/room-01", device.public_key())
    note = sign(POINT.to_text(), "court/room-01", device)
    with pytest.raises(LedgerError):
        signed_by(Note(note.text.replace("last 9", "last 8"), note.lines), verifier)
    short = Note(note.text, (("court/room-01", verifier.key_id + b"short"),))
    with pytest.raises(LedgerError):
        signed_by(short, verifier)


@pytest.mark.parametrize(
    "text", ["", "a\n", "a\n\n", "a\n\nb\n", "a\n\n— x !!\n", "a\x00\n\n— x AAAA\n", "a\n\n— x AAA\n"]
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        read_note(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n3\n", "\n03\n"),
        ("wutong/", "other/"),
        ("last 9", "last -9"),
        ("room-01", "room-01/x"),
        ("AAEC", "AAE"),
        ("utc", "UTC"),
    ],
)
def test_a_checkpoint_has_one_form(old: str, new: str) -> None:
    text = POINT.to_text()
    assert old in text
    with pytest.raises(LedgerError):
        Checkpoint.from_text(text.replace(old, new))


@pytest.mark.parametrize("old", ["\n3\n", "last 9\n", f"utc {POINT.utc_ns}\n"])
def test_a_checkpoint_has_no_number_that_no_database_holds(old: str) -> None:
    number = old.split()[-1]
    with pytest.raises(LedgerError):
        Checkpoint.from_text(POINT.to_text().replace(old, old.replace(number, str(1 << 63))))


def test_a_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "device.pem"
    made = keys.make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.make_key(path).public_key() == made.public_key()
    assert [p.name for p in path.parent.iterdir()] == ["device.pem"]
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="0600"):
        keys.load_key(path)


def certified(room: str = "court/room-01") -> tuple[bytes, Ed25519PrivateKey, Ed25519PublicKey]:
    device, center = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    return keys.issue(keys.certificate_request(device, room), room, center, NOW), device, center.public_key()


def test_a_certificate_says_whose_key_it_is_at_the_time_in_question() -> None:
    certificate, device, center = certified()
    later = NOW + dt.timedelta(days=30)
    assert keys.check_certificate(certificate, "court/room-01", center, later) == device.public_key()
    for room, key, at in (
        ("court/room-02", center, later),
        ("court/room-01", device.public_key(), later),
        ("court/room-01", center, NOW + dt.timedelta(days=366 * keys.VALID_YEARS)),
        ("court/room-01", center, NOW - dt.timedelta(days=1)),
    ):
        with pytest.raises(LedgerError):
            keys.check_certificate(certificate, room, key, at)


def test_a_request_for_another_room_is_refused() -> None:
    device, center = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    request = keys.certificate_request(device, "court/room-01")
    with pytest.raises(LedgerError):
        keys.issue(request, "court/room-02", center, NOW)
    with pytest.raises(LedgerError):
        keys.issue(b"nonsense", "court/room-01", center, NOW)


def test_a_public_key_is_read_back_and_nothing_else_is() -> None:
    device, center = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    assert keys.read_public(keys.public_pem(center.public_key())) == center.public_key()
    certificate = keys.issue(keys.certificate_request(device, "court/room-01"), "court/room-01", center, NOW)
    for data in (certificate, b"nonsense"):
        with pytest.raises(LedgerError):
            keys.read_public(data)


def _small_order() -> list[bytes]:
    """Each of the eight points in every encoding that a lenient reader takes."""
    prime = 2**255 - 19
    eighth = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
    ys = [0, 1, prime - 1, eighth, prime - eighth, prime, prime + 1]
    return [(y | sign << 255).to_bytes(32, "little") for y in ys for sign in (0, 1)]


@pytest.mark.parametrize("raw", _small_order(), ids=bytes.hex)
def test_a_key_for_which_anybody_can_sign_proves_nothing(raw: bytes) -> None:
    key = Ed25519PublicKey.from_public_bytes(raw)
    with pytest.raises(LedgerError, match="small order"):
        keys.read_public(keys.public_pem(key))
    device = Verifier("court/room-01", key)
    forged = Note(POINT.to_text(), ((device.name, device.key_id + raw + bytes(32)),))
    with pytest.raises(LedgerError):
        signed_by(forged, device)


def test_a_request_with_such_a_key_gets_no_certificate() -> None:
    """Made of an honest request: the key replaced, the signature one of nobody. The key is looked at by itself."""
    honest = Ed25519PrivateKey.generate()
    request = keys.certificate_request(honest, "court/room-01")
    der = x509.load_pem_x509_csr(request).public_bytes(serialization.Encoding.DER)
    weak = (1).to_bytes(32, "little")
    forged = der.replace(honest.public_key().public_bytes_raw(), weak)[:-64] + weak + bytes(32)
    pem = x509.load_der_x509_csr(forged).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(LedgerError, match="small order"):
        keys.request_key(pem)
    with pytest.raises(LedgerError):
        keys.issue(pem, "court/room-01", honest, NOW)


@given(st.binary(min_size=32, max_size=32))
def test_an_honest_key_proves_what_it_signs(seed: bytes) -> None:
    assert keys.proves(Ed25519PrivateKey.from_private_bytes(seed).public_key())
