"""Time-stamp tokens of a real authority (OpenSSL), and the ways in which a token lies."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import subprocess
from pathlib import Path

import pytest
import rfc3161_client as tsp

from sync.errors import LedgerError
from sync.ledger.token import check_reply, nonce_of, read_roots, request_of, verify
from tests.support.peers.tsa import Authority

TEXT = "wutong/c/r/h\n1\n" + "A" * 43 + "=\nlast 1\nutc 1\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.reply(request_of(TEXT))


def test_a_token_says_when_its_text_existed(authority: Authority, token: bytes) -> None:
    at = verify(token, TEXT, read_roots(authority.root_pem), policy="1.2.3.4.1")
    check_reply(token, TEXT)
    assert abs(at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


def test_a_request_is_what_openssl_reads(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "q.tsq").write_bytes(request_of(TEXT))
    said = subprocess.run(
        ["openssl", "ts", "-query", "-in", "q.tsq", "-text"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert "sha256" in said
    assert f"{nonce_of(TEXT):016X}" in said
    assert "Certificate required: yes" in said


@pytest.mark.parametrize("wrong", ["text", "root", "policy", "none"])
def test_a_token_for_another_text_policy_or_root_is_refused(
    authority: Authority, token: bytes, tmp_path: Path, wrong: str
) -> None:
    roots = read_roots(authority.root_pem)
    if wrong == "root":
        roots = read_roots(Authority(tmp_path / "other").root_pem)
    elif wrong == "none":
        roots = []
    text = TEXT.replace("last 1", "last 2") if wrong == "text" else TEXT
    with pytest.raises(LedgerError):
        verify(token, text, roots, policy="1.2.3.4.2" if wrong == "policy" else None)


def test_a_token_with_a_wrong_nonce_is_refused(authority: Authority) -> None:
    request = tsp.TimestampRequestBuilder().data(TEXT.encode()).hash_algorithm(tsp.HashAlgorithm.SHA256).build()
    token = authority.reply(request.as_bytes())
    with pytest.raises(LedgerError, match=r"[Nn]once"):
        verify(token, TEXT, read_roots(authority.root_pem))
    with pytest.raises(LedgerError):
        check_reply(token, TEXT)


def test_a_token_that_was_refused_is_refused(authority: Authority) -> None:
    # MD5 is not among the digests that this authority takes.
    md5 = bytes.fromhex("300c06082a864886f70d02050500") + b"\x04\x10" + hashlib.md5(b"x").digest()
    body = b"\x02\x01\x01\x30" + bytes([len(md5)]) + md5
    token = authority.reply(b"\x30" + bytes([len(body)]) + body)
    with pytest.raises(LedgerError):
        verify(token, TEXT, read_roots(authority.root_pem))


@pytest.mark.parametrize("usage", ["timeStamping", "critical,timeStamping,codeSigning", "critical,codeSigning"])
def test_a_signer_who_is_not_for_time_stamping_alone_is_refused(tmp_path: Path, usage: str) -> None:
    authority = Authority(tmp_path, usage=usage)
    try:
        token = authority.reply(request_of(TEXT))
    except subprocess.CalledProcessError:
        return  # OpenSSL itself refuses to sign with such a certificate
    with pytest.raises(LedgerError):
        verify(token, TEXT, read_roots(authority.root_pem))


def test_a_flipped_bit_anywhere_in_a_token_is_noticed_or_changes_nothing(authority: Authority, token: bytes) -> None:
    roots = read_roots(authority.root_pem)
    at = verify(token, TEXT, roots)
    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 0x04
        with contextlib.suppress(LedgerError):
            assert verify(bytes(changed), TEXT, roots) == at


def test_a_token_followed_by_more_is_refused(authority: Authority, token: bytes) -> None:
    for more in (token, b"\0"):
        with pytest.raises(LedgerError):
            verify(token + more, TEXT, read_roots(authority.root_pem))
    with pytest.raises(LedgerError):
        verify(b"x" * 100_000, TEXT, read_roots(authority.root_pem))
