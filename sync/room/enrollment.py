"""Enrollment, the room's side: the device's keys, its certificates, and the center that gave them.

A code that the center printed carries the center's fingerprint. `enroll_at` asks who answers at the address, compares,
and only then sends the code, over a connection that the compared authority vouches for: who stands between learns
nothing and can pretend nothing. What comes back is kept only when it fits: certificates of this room, for its keys, by
the key and the authority that were compared. A center's key that differs from the one of an earlier enrollment is
refused: somebody has to look, and to remove the old one by hand. `ask_room` asks a center, compared in the same way,
for which room it made a code; the code is good for its enrollment afterwards.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, Field, ValidationError

from sync.errors import CenterError, ConfigError, LedgerError
from sync.ledger.keys import certificate_request, check_certificate, public_pem, read_public
from sync.ledger.signing_key import SigningKey
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import replace_file
from sync.tls.certificates import check_tls_certificate, read_authority
from sync.tls.contexts import client_context
from sync.tls.fingerprint import check_fingerprint, split_code
from sync.tls.keys import make_tls_key
from sync.tls.names import CENTER_HOST
from sync.tls.requests import tls_request

_Pem = Annotated[str, Field(max_length=10_000)]
_MOST_BYTES = 64 * 1024
"""Of an answer of somebody who may be anybody."""


class EnrollmentGrant(BaseModel):
    """The center's answer to `POST /api/enroll`; without TLS from a center that gives no such certificates."""

    certificate: _Pem
    center: _Pem
    tls: _Pem = ""
    authority: _Pem = ""
    first_number: Annotated[int, Field(ge=1, le=2**53)] = 1
    """With which number the log begins, where this machine has none: another was this room before."""


class _Told(BaseModel):
    """The center's answer to `GET /api/authority`."""

    authority: _Pem
    center: _Pem


class RoomOffer(BaseModel):
    """The center's answer to `POST /api/enroll/room`: which room a code is for, and how it reaches the broker."""

    court: Annotated[str, Field(max_length=31)]
    room: Annotated[str, Field(max_length=31)]
    court_name: Annotated[str, Field(max_length=100)]
    room_name: Annotated[str, Field(max_length=100)]
    brokers: Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=16)] = []
    """`host:port` of each; without a host it is the center's own."""
    mqtt_tls: bool = True


@dataclass(frozen=True, slots=True)
class KnownCenter:
    """A center whose fingerprint was compared."""

    authority: bytes
    """Certificate, PEM."""
    key: Ed25519PublicKey


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of a raw public key, in groups that people can compare."""
    text = hashlib.sha256(key.public_bytes_raw()).hexdigest()
    return " ".join(text[i : i + 8] for i in range(0, 32, 8))


def center_key(layout: RoomPaths) -> Ed25519PublicKey | None:
    """The public key of the center that this room was enrolled at; None when it was not, or the file is spoilt."""
    try:
        return read_public(layout.center_key.read_bytes())
    except (OSError, LedgerError):
        return None


def is_enrolled(layout: RoomPaths, room: str, now: dt.datetime, device: Ed25519PublicKey | None) -> bool:
    """Whether this room has a certificate that is valid now, for the key `device`; None is a key that nobody can say
    just now, because the signer is away."""
    center = center_key(layout)
    try:
        if center is None:
            return False
        certified = check_certificate(layout.device_certificate.read_bytes(), room, center, now)
    except (OSError, LedgerError):
        return False
    return device is None or certified == device


def carried_parts(text: str) -> tuple[str, str]:
    """(address of the center, code) of what was carried to the room; the address is empty where only a code was."""
    text = text.strip()
    if not text.lower().startswith(("https://", "http://")):
        return "", text
    address, _, code = text.partition("#")
    return address.rstrip("/"), code.strip()


def ask_room(url: str, text: str) -> RoomOffer | None:
    """Which room the center `url` made a code for; None where it does not say it (a center of before).

    `text` as for `enroll_at`, with its fingerprint; the code is not used up. `CenterError`, `ConfigError`.
    """
    code, wanted = split_code(text)
    if not wanted:
        raise ConfigError(
            "这个登记码没有中心的指纹，请在中心重新生成 (this code carries no fingerprint: make a new one)", code="code"
        )
    known = _compared(url, wanted)
    context = client_context()
    context.load_verify_locations(cadata=known.authority.decode())
    try:
        with _client(url, context) as http:
            answer = http.post("/api/enroll/room", json={"code": code}, headers={"X-Wutong": "1"})
    except httpx.HTTPError as error:
        raise CenterError(f"无法连接中心，请检查地址和网络 (the center cannot be reached: {error})") from error
    if answer.status_code in (404, 405):
        return None
    if answer.status_code in (401, 403):
        raise CenterError(
            "登记码无效、已使用或已过期，请在中心重新生成 (the code is unknown, used or too old: make a new one)",
            code="code",
        )
    if answer.status_code != 200 or len(answer.content) > _MOST_BYTES:
        raise CenterError(f"中心应答 {answer.status_code}，请稍后再试 (the center answered {answer.status_code})")
    try:
        return RoomOffer.model_validate_json(answer.content)
    except ValidationError as error:
        raise CenterError("中心的应答无法识别 (the center's answer makes no sense)") from error


def enroll_at(
    url: str,
    layout: RoomPaths,
    room: str,
    text: str,
    now: dt.datetime,
    key: SigningKey,
    *,
    hosts: Sequence[str],
    plain: bool = False,
) -> Ed25519PublicKey:
    """Enroll the device that has `key` at the center `url` with what was carried here; the center's key.

    `text`: code and fingerprint. `hosts`: by which the room's own panel is reached. `plain`: take a code without a
    fingerprint, as older centers made them. `CenterError`, `ConfigError` or `LedgerError` says why it is not enrolled.
    """
    return read_public(_granted(url, layout, room, text, now, key, hosts=hosts, plain=plain).center.encode())


def _granted(
    url: str,
    layout: RoomPaths,
    room: str,
    text: str,
    now: dt.datetime,
    key: SigningKey,
    *,
    hosts: Sequence[str],
    plain: bool,
) -> EnrollmentGrant:
    code, wanted = split_code(text)
    if wanted:
        known = _compared(url, wanted)
        context = client_context()
        context.load_verify_locations(cadata=known.authority.decode())
        with _client(url, context) as http:
            return enrolled(http, layout, room, code, now, key, hosts=hosts, known=known)
    if not plain:
        raise ConfigError(
            "这个登记码没有中心的指纹，请在中心用新版本重新生成 (this code carries no fingerprint of the center: make "
            "a new one with the center's present version; codes look like CODE.FINGERPRINT)"
        )
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        return enrolled(http, layout, room, code, now, key, hosts=hosts)


def enroll(
    http: httpx.Client,
    layout: RoomPaths,
    room: str,
    code: str,
    now: dt.datetime,
    key: SigningKey,
    *,
    hosts: Sequence[str] = (),
    known: KnownCenter | None = None,
) -> Ed25519PublicKey:
    """Send a code to who is at the other end of `http`; the center's key. Errors as those of `enroll_at`."""
    return read_public(enrolled(http, layout, room, code, now, key, hosts=hosts, known=known).center.encode())


def enrolled(
    http: httpx.Client,
    layout: RoomPaths,
    room: str,
    code: str,
    now: dt.datetime,
    key: SigningKey,
    *,
    hosts: Sequence[str] = (),
    known: KnownCenter | None = None,
) -> EnrollmentGrant:
    """The same; all that the center has answered."""
    tls_key = make_tls_key(layout.tls_key)
    body = {
        "code": split_code(code)[0],
        "request": certificate_request(key, room).decode(),
        "tls_request": tls_request(tls_key, room, list(hosts)).decode(),
    }
    try:
        answer = http.post("/api/enroll", json=body, headers={"X-Wutong": "1"})
    except httpx.HTTPError as error:
        raise CenterError(f"the center cannot be reached ({error}); look at [center] url in the profile") from error
    if answer.status_code == 403:
        raise CenterError("the center does not know this code, or it was used, or it is too old; make a new one there")
    if answer.status_code == 409:
        raise CenterError(_words_of(answer), code="still-holds")
    try:
        grant = EnrollmentGrant.model_validate_json(answer.content) if answer.status_code == 200 else None
    except ValidationError:
        grant = None
    if grant is None:
        raise CenterError(f"the center answered {answer.status_code} to the enrollment: {answer.text[:200]}")
    center = read_public(grant.center.encode())
    if known is not None and (
        center != known.key or read_authority(grant.authority.encode()) != read_authority(known.authority)
    ):
        raise LedgerError("the center answered with other keys than those of the code; nothing was kept", code="key")
    if check_certificate(grant.certificate.encode(), room, center, now) != key.public_key():
        raise LedgerError("the center certified another key than this device's; nothing was kept", code="certificate")
    if grant.tls:
        check_tls_certificate(grant.tls.encode(), room, grant.authority.encode(), tls_key.public_key(), now)
    earlier = center_key(layout)
    if earlier is not None and earlier != center:
        raise LedgerError(
            f"the center has another key ({fingerprint(center)}) than when this room was enrolled "
            f"({fingerprint(earlier)}); if that is right, remove {layout.center_key} and enroll again",
            code="certificate",
        )
    _keep(layout.center_key, public_pem(center))
    _keep(layout.device_certificate, grant.certificate.encode())
    if grant.tls:
        # The authority last: who follows these files takes all of them when it is there.
        _keep(layout.tls_certificate, grant.tls.encode())
        _keep(layout.authority, grant.authority.encode())
    if grant.first_number > 1:
        room_log = RoomLog(layout.log)
        try:
            room_log.begin_at(grant.first_number)
        finally:
            room_log.close()
    return grant


def _words_of(answer: httpx.Response) -> str:
    """Why a code that is right is not taken just now, as the center says it."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    words = said.get("message") if isinstance(said, dict) else None
    return words[:500] if isinstance(words, str) else "旧设备尚未传完 (the machine before still holds something)"


def _compared(url: str, wanted: str) -> KnownCenter:
    """Who answers at `url`, when it is who made the code. Nothing is sent but the question."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE  # What it says is compared with the fingerprint, and with nothing else.
    try:
        with _client(url, anybody) as http, http.stream("GET", "/api/authority") as answer:
            data = bytearray()
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > _MOST_BYTES:
                    break
            if answer.status_code != 200:
                raise CenterError(
                    f"the center answered {answer.status_code} when it was asked who it is; look at [center] url in "
                    "the profile, and whether the center has the present version"
                )
    except httpx.HTTPError as error:
        raise CenterError(f"the center cannot be reached ({error}); look at [center] url in the profile") from error
    try:
        told = _Told.model_validate_json(bytes(data))
        key = read_public(told.center.encode())
    except (ValidationError, LedgerError) as error:
        raise CenterError("what answers at [center] url is no center; nothing was sent to it") from error
    check_fingerprint(told.authority.encode(), key.public_bytes_raw(), wanted)
    return KnownCenter(told.authority.encode(), key)


def _client(url: str, context: ssl.SSLContext) -> httpx.Client:
    def ask_for_center(request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "sni_hostname": CENTER_HOST}

    hooks = {"request": [ask_for_center]} if url.startswith("https") else None
    return httpx.Client(base_url=url, timeout=30, trust_env=False, verify=context, event_hooks=hooks)


def _keep(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
