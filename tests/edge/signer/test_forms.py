"""What the signer signs, and what it does not: its own forms of its own room, byte for byte, and nothing else."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge.signer.forms import form_of
from edge.signer.guarded_key import GuardedKey
from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import certificate_request, request_info
from wutong.export.forms import note_text

ROOM = "jianshan/c03"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
DIGEST = base64.b64encode(bytes(32)).decode()


def head(size: int = 3, root: int = 1, hearing: str = "h", room: str = ROOM) -> Checkpoint:
    return Checkpoint(room, hearing, size, bytes([root] * 32), size, 1)


def attributes(**more: list[object]) -> bytes:
    said: dict[str, list[object]] = {"content_type": ["data"], "message_digest": [bytes(64)], **more}
    return bytes(cms.CMSAttributes([{"type": kind, "values": values} for kind, values in said.items()]).dump())


EVENTS = f"wutong/events\n{ROOM}\n1 64 64\n{DIGEST}\n"
AUDIT_HEAD = (
    f"cosignature/v1\ntime 1796000000\nwutong-audit/{'0' * 16}\n5\n{'A' * 43}=\nrow 9\nutc 1796000000000000000\n"
)
CLAIM = f"wutong/object\n{ROOM}\n1000\n{'A' * 43}=\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (head().to_text().encode(), "checkpoint"),
        (note_text(ROOM, "h", "0" * 64).encode(), "export"),
        (EVENTS.encode(), "events"),
        (CLAIM.encode(), "claim"),
        (AUDIT_HEAD.encode(), "audit-head"),
        (request_info(PUBLIC, ROOM), "request"),
        (attributes(), "paper"),
    ],
)
def test_each_form_of_the_room_is_read_as_one_form(data: bytes, kind: str) -> None:
    assert form_of(data, ROOM, PUBLIC).kind == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello\n",
        head(room="jianshan/c04").to_text().encode(),
        note_text("jianshan/c04", "h", "0" * 64).encode(),
        EVENTS.replace("c03", "c04").encode(),
        CLAIM.replace("c03", "c04").encode(),
        request_info(PUBLIC, "jianshan/c04"),
        request_info(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key(), ROOM),
        head().to_text().encode() + b"\n",
        head().to_text().replace("last", "first").encode(),
        EVENTS.replace("64 64", "64 0x40").encode(),
        EVENTS.encode() + b"x",
        (EVENTS + head().to_text()).encode(),
        EVENTS.replace("1 64", "99999999999999999999 64").encode(),
        CLAIM.replace("1000", "\u0661").encode(),
        (CLAIM + "more x\n").encode(),
        AUDIT_HEAD.replace("wutong-audit", "wutong").encode(),
        (AUDIT_HEAD + "more x\n").encode(),
        note_text(ROOM, "h", "0" * 64).replace("index.json", "other.json").encode(),
        f"cosignature/v1\ntime 1\n{head().to_text()}".encode(),
        attributes(content_type=["signed_data"]),
        attributes(message_digest=[bytes(32)]),
        attributes(message_digest=[bytes(64), bytes(64)]),
        attributes(counter_signature=[]),
        attributes()[:-1],
        attributes() + b"\0",
        b"\x31\x80" + attributes()[2:] + b"\0\0",
        bytes(core.SetOf([], spec=core.Integer).dump()),
        b"0" * (1 << 20),
    ],
)
def test_what_is_no_form_of_this_room_is_not_signed(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as refused:
        form_of(data, ROOM, PUBLIC)
    assert refused.value.code == "signer-refused"


def test_no_certificate_is_signed_as_a_request() -> None:
    """Whoever gets a certificate's body signed with the device's key has made the device an authority."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ROOM)])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(PUBLIC)
    made = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(KEY, None)
    with pytest.raises(LedgerError):
        form_of(made.tbs_certificate_bytes, ROOM, PUBLIC)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"wutong/{text}".encode()))
def test_bytes_of_any_kind_are_refused_and_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(LedgerError):
        form_of(data, ROOM, PUBLIC)


@given(st.binary(max_size=120))
def test_a_set_of_any_bytes_is_no_paper(data: bytes) -> None:
    with pytest.raises(LedgerError):
        form_of(b"\x31" + bytes([len(data)]) + data, ROOM, PUBLIC)


def test_a_request_made_by_hand_is_one_that_the_library_reads() -> None:
    asked = x509.load_pem_x509_csr(certificate_request(KEY, ROOM))
    assert asked.is_signature_valid
    assert asked.public_key() == PUBLIC
    assert asked.tbs_certrequest_bytes == request_info(PUBLIC, ROOM)
    encoded = serialization.load_der_public_key(
        PUBLIC.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert encoded == PUBLIC


def test_of_a_hearing_only_larger_heads_are_signed_also_after_a_restart(tmp_path: Path) -> None:
    signer = GuardedKey(KEY, ROOM, tmp_path)
    signer.sign(head(3).to_text().encode())
    signer.sign(head(3).to_text().encode())  # the same again: a service that crashed before it kept it
    signer.sign(head(5, 2).to_text().encode())
    signer.sign(head(1, 9, "other").to_text().encode())
    signer.close()
    signer = GuardedKey(KEY, ROOM, tmp_path)
    for bad in (head(3), head(5, 7), head(4, 2), head(0, 0)):
        with pytest.raises(LedgerError, match="不一致") as refused:
            signer.sign(bad.to_text().encode())
        assert refused.value.code == "signer-refused"
    PUBLIC.verify(signer.sign(head(6, 7).to_text().encode()), head(6, 7).to_text().encode())
    signer.close()


def test_a_head_is_remembered_before_its_signature_leaves(tmp_path: Path) -> None:
    class Failing:
        def public_key(self) -> object:
            return PUBLIC

        def sign(self, data: bytes, /) -> bytes:
            raise LedgerError("the token was taken out", code="signer")

    signer = GuardedKey(Failing(), ROOM, tmp_path)  # type: ignore[arg-type]  # its key is one
    with pytest.raises(LedgerError, match="taken out"):
        signer.sign(head(5).to_text().encode())
    signer.close()
    signer = GuardedKey(KEY, ROOM, tmp_path)
    with pytest.raises(LedgerError):
        signer.sign(head(5, 8).to_text().encode())
    signer.sign(head(5).to_text().encode())
    signer.close()
