"""What a room's device may sign: the one strict reader of all its forms. What it cannot read is not signed.

| form | what it is | bytes |
| --- | --- | --- |
| checkpoint | the head of a hearing's ledger (`sync.ledger.checkpoint`) | text `wutong/<court>/<room>/<hearing>` … |
| export | of the room: the hash of an export's index (`wutong.export.forms`) | text `wutong export` … |
| events | a batch of events on its way to the center (`sync.ledger.messages.event_batch`) | text `wutong/events` … |
| claim | what an uploaded file is (`sync.ledger.messages.object_claim`) | text `wutong/object` … |
| audit head | that the room saw a head of the center's audit log (`sync.ledger.audit_head`) | `cosignature/v1` … |
| request | the certificate request of this key and this room; there is one such | DER |
| paper | the signed attributes of a PDF's signature (RFC 5652, PAdES) | DER |

Promises: each byte string is one form at most, and of this room or refused; so a signature over one form never passes
for another, and never for another room's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import request_info
from sync.room.signer import MAX_DATA, REFUSED

FormKind = Literal["checkpoint", "export", "events", "claim", "audit-head", "request", "paper"]

_HEARING = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,95}"
_ROOM = r"(?P<room>[a-z0-9-]{1,40}/[a-z0-9-]{1,40})"
_COUNT = r"(?:0|[1-9][0-9]{0,18})"
_TEXTS: tuple[tuple[FormKind, re.Pattern[str]], ...] = (
    ("export", re.compile(rf"wutong export\n{_ROOM}/{_HEARING}\nindex\.json sha256 [0-9a-f]{{64}}\n")),
    ("events", re.compile(rf"wutong/events\n{_ROOM}\n{_COUNT} {_COUNT} {_COUNT}\n[A-Za-z0-9+/]{{43}}=\n")),
    ("claim", re.compile(rf"wutong/object\n{_ROOM}\n{_COUNT}\n[A-Za-z0-9+/]{{43}}=\n")),
)
_AUDIT_HEAD = re.compile(
    rf"cosignature/v1\ntime {_COUNT}\nwutong-audit/[0-9a-f]{{16}}\n{_COUNT}\n[A-Za-z0-9+/]{{43}}=\n"
    rf"row {_COUNT}\nutc {_COUNT}\n"
)
"""It is of the center, so it names no room; whose countersignature it is, the key says."""
_SHA512_BYTES = 64
_ONCE = frozenset({"content_type", "message_digest"})
_MAY = _ONCE | {"signing_certificate_v2", "cms_algorithm_protection", "signing_time"}


@dataclass(frozen=True, slots=True)
class SignedForm:
    """What some bytes are. `checkpoint` is there for that kind alone."""

    kind: FormKind
    checkpoint: Checkpoint | None = None


def form_of(data: bytes, room: str, key: Ed25519PublicKey) -> SignedForm:
    """Which form `data` is; `LedgerError` (`signer-refused`) when it is none, or one of another room or key."""
    if len(data) > MAX_DATA:
        raise _refused(f"{len(data)} bytes are more than any form has")
    if data == request_info(key, room):
        return SignedForm("request")
    if data[:1] == b"\x31":
        _check_attributes(data)
        return SignedForm("paper")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise _refused("it is none of the room's forms") from None
    for kind, pattern in _TEXTS:
        if (found := pattern.fullmatch(text)) is not None:
            if found["room"] != room:
                raise _refused(f"it is of {found['room']}, and this is {room}")
            return SignedForm(kind)
    if _AUDIT_HEAD.fullmatch(text):
        return SignedForm("audit-head")
    try:
        checkpoint = Checkpoint.from_text(text)
    except (LedgerError, ValueError):
        raise _refused("it is none of the room's forms") from None
    if checkpoint.room != room:
        raise _refused(f"it is of {checkpoint.room}, and this is {room}")
    return SignedForm("checkpoint", checkpoint)


def _check_attributes(data: bytes) -> None:
    """A SET of exactly the attributes that a paper's signature has, in its one encoding, over a SHA-512."""
    try:
        attributes = cms.CMSAttributes.load(data, strict=True)
        kinds = [str(one["type"].native) for one in attributes]
        values = {str(one["type"].native): one["values"] for one in attributes}
        once = all(len(value) == 1 for value in values.values())
        content, digest = values["content_type"][0].native, values["message_digest"][0].native
        same = attributes.dump(force=True) == data
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        # These are what asn1crypto says of bytes that are not what was asked for.
        raise _refused("it is none of the room's forms") from None
    if not (same and once and len(set(kinds)) == len(kinds) and _ONCE <= set(kinds) <= _MAY):
        raise _refused("these are not the attributes of a paper's signature")
    if content != "data" or len(digest) != _SHA512_BYTES:
        raise _refused("these are not the attributes of a paper's signature")


def _refused(why: str) -> LedgerError:
    return LedgerError(f"签名进程拒绝签署：内容不是本庭的存证格式 (not signed: {why})", code=REFUSED)
