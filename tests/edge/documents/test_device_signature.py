"""The device's signature in the PDF: of the whole file, judged by the center's key alone; a changed byte breaks it."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.documents.form import form_of
from edge.documents.identity import Identity, identity_of
from edge.documents.pdf import pdf_of
from edge.documents.sign import sign_pdf, stamped_pdf
from edge.documents.worker import make
from sync.errors import LedgerError, WutongError
from sync.ledger.keys import certificate_request, issue, make_key, public_pem
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.support.peers.tsa import Authority
from tests.support.rooms.signer_peer import signing
from tests.support.words.signed_hearing import HEARING, Story
from wutong.verify.device_pdf import check_pdf

pytestmark = pytest.mark.process  # the documents' own: fontconfig names the fonts

ROOM = "jianshan/c03"
NOW = dt.datetime.now(dt.UTC)


def enrolled(folder: Path, center: Ed25519PrivateKey, now: dt.datetime = NOW) -> RoomPaths:
    layout = RoomPaths(folder)
    key = make_key(layout.device_key)
    layout.keys.mkdir(exist_ok=True)
    layout.device_certificate.write_bytes(issue(certificate_request(key, ROOM), ROOM, center, now))
    layout.center_key.write_bytes(public_pem(center.public_key()))
    return layout


@pytest.fixture(scope="module")
def center() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def identity(center: Ed25519PrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Identity:
    layout = enrolled(tmp_path_factory.mktemp("room"), center)
    made = identity_of(layout, ROOM, NOW, make_key(layout.device_key))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return pdf_of(form_of(Story().sign().hearing, court_name="尖山区人民法院", room_name="第三法庭"))


@pytest.fixture(scope="module")
def signed(identity: Identity) -> bytes:
    said = identity.in_words("尖山区人民法院", "第三法庭")
    form = form_of(Story().sign().hearing, court_name="尖山区人民法院", room_name="第三法庭", device=said)
    return sign_pdf(pdf_of(form), identity, place="尖山区人民法院")


def test_the_center_s_key_alone_says_whose_file_it_is(signed: bytes, center: Ed25519PrivateKey, tmp_path: Path) -> None:
    assert check_pdf(signed, center.public_key()) == ROOM
    file = tmp_path / "a.pdf"
    file.write_bytes(signed)
    # Another program's reading: where the signature is and what it covers. It may not know Ed25519.
    said = subprocess.run(["pdfsig", str(file)], capture_output=True, check=False).stdout.decode()
    assert "Total document signed" in said
    assert f"Signer Certificate Common Name: {ROOM}" in said
    assert "ETSI.CAdES.detached" in said


def test_a_changed_byte_anywhere_breaks_it(signed: bytes, center: Ed25519PrivateKey) -> None:
    for at in (2000, len(signed) // 2, len(signed) - 600, len(signed) - 40):
        changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        with pytest.raises(LedgerError):
            check_pdf(changed, center.public_key())
    for other in (signed + b"%more\n", signed[:-100], b"%PDF-1.7\n", b""):
        with pytest.raises(LedgerError):
            check_pdf(other, center.public_key())


def test_another_center_s_key_does_not_believe_it(signed: bytes) -> None:
    with pytest.raises(LedgerError, match="not believed"):
        check_pdf(signed, Ed25519PrivateKey.generate().public_key())


def test_a_room_that_is_not_enrolled_signs_nothing_and_the_paper_says_so(
    tmp_path: Path, center: Ed25519PrivateKey, unsigned: bytes
) -> None:
    key = Ed25519PrivateKey.generate()
    assert identity_of(RoomPaths(tmp_path / "bare"), ROOM, NOW, key) is None
    past = enrolled(tmp_path / "past", center, NOW - dt.timedelta(days=365 * 6))
    assert identity_of(past, ROOM, NOW, make_key(past.device_key)) is None
    assert identity_of(past, "jianshan/c04", NOW, make_key(past.device_key)) is None
    assert identity_of(enrolled(tmp_path / "now", center), ROOM, NOW, key) is None  # the certificate is another key's
    with pytest.raises(LedgerError, match="0 signatures"):
        check_pdf(unsigned, center.public_key())
    (tmp_path / "a.pdf").write_bytes(unsigned)
    assert "没有设备数字签名" in printed(tmp_path / "a.pdf")


def test_a_time_stamp_leads_to_its_authority_and_one_that_fails_is_an_error(
    tmp_path: Path, center: Ed25519PrivateKey, identity: Identity, unsigned: bytes
) -> None:
    authority = Authority(tmp_path / "tsa")
    with authority.serving() as url:
        data = stamped_pdf(unsigned, identity, place="尖山区人民法院", tsa_url=url)
    key = center.public_key()
    assert check_pdf(data, key, [x509.load_pem_x509_certificate(authority.root_pem)]) == ROOM
    with pytest.raises(LedgerError, match="time-stamp"):
        check_pdf(data, key, [x509.load_pem_x509_certificate(Authority(tmp_path / "other").root_pem)])
    with pytest.raises(LedgerError, match=r"center\.tsa_url"):  # nobody answers there any more
        stamped_pdf(unsigned, identity, place="尖山区人民法院", tsa_url=url)


def test_the_paper_says_whether_it_is_time_stamped_and_a_failing_authority_is_told(
    tmp_path: Path, center: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    layout, story = enrolled(tmp_path / "room", center), Story().sign()
    log = RoomLog(layout.log)
    for event in story.events:
        log.append(event.kind, event.body, hearing=HEARING, room_ns=event.room_ns, utc_ns=event.utc_ns)
    log.close()
    version = story.hearing.signing.version
    assert version is not None
    file = tmp_path / "a.pdf"
    files = {"pdf": str(file)}
    job = {"data": str(layout.data), "hearing": HEARING, "files": files, "final": True, "struck": False, "unseen": []}
    job |= {"words": version.sha256, "address": ROOM, "court_name": "尖山区人民法院", "room_name": "第三法庭"}
    authority = Authority(tmp_path / "tsa")
    with authority.serving() as url, signing(layout, ROOM):
        make(job | {"tsa_url": url})
    assert check_pdf(file.read_bytes(), center.public_key(), [x509.load_pem_x509_certificate(authority.root_pem)])
    assert "PAdESB-T，带时间戳" in printed(file)
    assert "warning" not in capsys.readouterr().out
    with signing(layout, ROOM):
        make(job | {"tsa_url": url})
    assert check_pdf(file.read_bytes(), center.public_key()) == ROOM
    assert "PAdESB-B" in printed(file)
    assert "没有时间戳" in printed(file)
    assert "warning" in capsys.readouterr().out
    with pytest.raises(WutongError, match="have changed"):
        make(job | {"tsa_url": "", "words": "0" * 64})
    srt = {"files": {"pdf": str(file), "srt": str(tmp_path / "a.srt")}, "tsa_url": ""}
    make(job | srt)  # without a signer the paper is not made, and takes no other along
    assert '"failed": "pdf", "why": "\\u7b7e' in (said := capsys.readouterr().out)
    assert '"made": "srt"' in said


def printed(file: Path) -> str:
    found = subprocess.run(["pdftotext", "-raw", str(file), "-"], capture_output=True, check=True)
    return "".join(found.stdout.decode().split())
