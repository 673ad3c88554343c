"""Attacks on the time-stamp token, with real tokens of OpenSSL."""

from __future__ import annotations

import subprocess
from pathlib import Path

import rfc3161_client as tsp

from sync.ledger.checkpoint import Checkpoint
from sync.ledger.note import read_note
from sync.ledger.token import request_of
from tests.attacks.forge_folder import Forgery
from tests.support.peers.tsa import Authority
from wutong.export import forms


def sealed_text(f: Forgery) -> str:
    return Checkpoint.from_text(read_note(f.checkpoints[-1]).text).to_text()


def wrong_nonce(f: Forgery, authority: Authority) -> None:
    request = tsp.TimestampRequestBuilder().data(sealed_text(f).encode()).hash_algorithm(tsp.HashAlgorithm.SHA256)
    f.write(forms.TOKEN, authority.reply(request.build().as_bytes()))


def wrong_text(f: Forgery, authority: Authority) -> None:
    f.write(forms.TOKEN, authority.reply(request_of("another text\n")))


def wrong_status(f: Forgery, authority: Authority) -> None:
    data = bytearray(f.read(forms.TOKEN))
    at = data.index(b"\x30\x03\x02\x01\x00")
    data[at + 4] = 2
    f.write(forms.TOKEN, bytes(data))


def several_signers(f: Forgery, authority: Authority) -> None:
    folder = authority.folder
    _token(f, folder)
    _openssl(
        folder,
        "smime -resign -inform DER -outform DER -in one.der -signer signer.pem -inkey signer.key "
        "-md sha256 -out two.der",
    )
    _reply(f, folder, "two.der")


def injected_certificate(f: Forgery, authority: Authority) -> None:
    folder = authority.folder
    (folder / "query.tsq").write_bytes(request_of(sealed_text(f)))
    subject = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config /dev/null -subj /CN=Injected -days 30"
    _openssl(folder, f"req -x509 {subject} -keyout injected.key -out injected.pem")
    _openssl(folder, "ts -reply -config tsa.cnf -queryfile query.tsq -chain injected.pem -out injected.tsr")
    f.write(forms.TOKEN, (folder / "injected.tsr").read_bytes())


def twice(f: Forgery, authority: Authority) -> None:
    f.write(forms.TOKEN, f.read(forms.TOKEN) * 2)


def very_many(f: Forgery, authority: Authority) -> None:
    f.write(forms.TOKEN, f.read(forms.TOKEN) * 400)


def beside(f: Forgery, authority: Authority) -> None:
    for number in range(50):
        f.write(f"ledger/seal-{number}.tsr", f.read(forms.TOKEN))


def _token(f: Forgery, folder: Path) -> None:
    (folder / "one.tsr").write_bytes(f.read(forms.TOKEN))
    _openssl(folder, "ts -reply -in one.tsr -token_out -out one.der")


def _reply(f: Forgery, folder: Path, token: str) -> None:
    _openssl(folder, f"ts -reply -in {token} -token_in -out made.tsr")
    f.write(forms.TOKEN, (folder / "made.tsr").read_bytes())


def _openssl(folder: Path, words: str) -> None:
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True, timeout=60)
