"""A plain machine that keeps copies: what it takes, what it refuses, and that it never overwrites."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from server import copyserver
from server.copy_metrics import CATALOG, CopyCounts, CopyMetrics
from server.copyserver import open_uploads, read_rooms, running
from server.ingest.uploads.upload_files import ORPHAN_DAYS
from sync.errors import ConfigError
from sync.http.monitoring.settings import MetricsSettings
from sync.ledger.messages.object_claim import sign_claim
from sync.tls.authority import open_authority
from tests.support.peers import scraper
from tests.support.peers.tls_court import DAY, served_by, shows, utc_now

ROOM = "jianshan/3"
HEARING = "20261122-093000-00c0ffee"
DATA = b"segment" * 1000


class Machine:
    """A running copy server and a room that speaks to it."""

    def __init__(self, kept: Path, http: httpx.AsyncClient) -> None:
        self.kept = kept
        self.http = http

    async def upload(
        self, data: bytes = DATA, room: str = ROOM, track: str = "bench", kind: str = "segment"
    ) -> httpx.Response:
        words = {"room": room, "hearing": HEARING, "kind": kind, "track": track, "index": "0"}
        pairs = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": pairs}
        begun = await self.http.post("/api/uploads/", headers=headers)
        if begun.status_code != 201:
            return begun
        path = "/api/uploads/" + begun.headers["Location"].rstrip("/").rsplit("/", 1)[-1]
        patch = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        sent = await self.http.patch(path, headers=patch, content=data)
        assert sent.status_code == 204
        return begun

    async def claim(self, begun: httpx.Response, **other: Any) -> httpx.Response:
        upload = begun.headers["Location"].rstrip("/").rsplit("/", 1)[-1]
        body: dict[str, Any] = {"upload": upload, "sha256": hashlib.sha256(DATA).hexdigest(), "bytes": len(DATA)}
        body |= {"room": ROOM, "hearing": HEARING, "kind": "segment", "track": "bench", "index": 0}
        return await self.http.post("/api/objects", json=body | other)


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{ROOM} one\njianshan/4 two\n")
    tokens.chmod(0o600)
    kept = tmp_path / "kept"
    async with running(kept, tokens, "127.0.0.1", 0) as port:
        headers = {"Authorization": "Bearer one"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as http:
            yield Machine(kept, http)


async def test_a_segment_lies_where_it_lies_in_the_room_and_is_taken_twice_as_one(machine: Machine) -> None:
    assert (await machine.claim(await machine.upload())).status_code == 201
    file = machine.kept / ROOM / HEARING / "bench/00000.mp4"
    assert file.read_bytes() == DATA
    assert (await machine.claim(await machine.upload())).status_code == 200
    assert [p.name for p in file.parent.iterdir()] == ["00000.mp4"]
    assert [p for p in (machine.kept / ".uploads").iterdir() if p.is_file()] == []


async def test_it_takes_pieces_of_a_rooms_log_and_nothing_of_a_self_test(machine: Machine) -> None:
    assert (await machine.claim(await machine.upload(kind="log"), kind="log")).status_code == 201
    assert (machine.kept / ROOM / HEARING / "log/00000000.jsonl").read_bytes() == DATA
    assert (await machine.upload(kind="selftest")).status_code == 422


@pytest.mark.parametrize("kind", ["exhibit", "document"])
async def test_exhibits_and_documents_of_signed_words_lie_by_their_content(machine: Machine, kind: str) -> None:
    assert (await machine.claim(await machine.upload(kind=kind), kind=kind)).status_code == 201
    kept = machine.kept / ROOM / HEARING / f"{kind}s" / hashlib.sha256(DATA).hexdigest()
    assert kept.read_bytes() == DATA


async def test_what_was_damaged_here_is_kept_beside_the_new_copy(machine: Machine) -> None:
    await machine.claim(await machine.upload())
    file = machine.kept / ROOM / HEARING / "bench/00000.mp4"
    file.chmod(0o640)
    file.write_bytes(b"damaged")
    assert (await machine.claim(await machine.upload())).status_code == 201
    assert file.read_bytes() == DATA
    (other,) = file.parent.glob("*.other")
    assert other.read_bytes() == b"damaged"


async def test_other_bytes_than_were_claimed_are_not_receipted(machine: Machine) -> None:
    answer = await machine.claim(await machine.upload(DATA[:-1] + b"x"))
    assert (answer.status_code, answer.json()["code"]) == (409, "checksum")
    assert not (machine.kept / ROOM).exists()


@pytest.mark.parametrize("other", [{"track": ".."}, {"track": ""}, {"hearing": ".."}, {"kind": "selftest"}])
async def test_names_that_would_leave_the_hearing_are_refused(machine: Machine, other: dict[str, Any]) -> None:
    answer = await machine.claim(await machine.upload(), **other)
    assert 400 <= answer.status_code < 500
    assert not list(machine.kept.rglob("*.mp4"))


async def test_nobody_without_a_token_and_no_room_for_another(machine: Machine) -> None:
    assert (await machine.upload(room="jianshan/4")).status_code == 403
    begun = await machine.upload()
    assert (await machine.claim(begun, room="jianshan/4")).status_code == 403
    machine.http.headers["Authorization"] = "Bearer two"
    assert (await machine.claim(begun, room="jianshan/4")).status_code == 403
    machine.http.headers["Authorization"] = "Bearer three"
    assert (await machine.upload()).status_code == 401
    assert (await machine.http.get(f"/{ROOM}/{HEARING}/bench/00000.mp4")).status_code == 404


async def test_by_https_a_room_that_trusts_the_court_copies_and_nobody_is_served_plain(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{ROOM} one\n")
    tokens.chmod(0o600)
    court = open_authority(tmp_path / "court", "Court", utc_now())
    other = open_authority(tmp_path / "other", "Other", utc_now())
    tls = served_by(court, tmp_path, "127.0.0.1")
    headers = {"Authorization": "Bearer one"}
    async with running(tmp_path / "kept", tokens, "127.0.0.1", 0, tls) as port:
        address = f"https://127.0.0.1:{port}"
        believes = shows(None, tmp_path / "court" / "authority.pem")
        async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, verify=believes) as http:
            machine = Machine(tmp_path / "kept", http)
            assert (await machine.claim(await machine.upload())).status_code == 201
            named = httpx.URL(f"https://localhost:{port}/api/objects")  # a name that is not in the certificate
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.get(named)
        assert (tmp_path / "kept" / ROOM / HEARING / "bench/00000.mp4").read_bytes() == DATA
        doubts = shows(None, tmp_path / "other" / "authority.pem")
        async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, verify=doubts) as http:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.post("/api/uploads/")
        async with httpx.AsyncClient(base_url=address.replace("https", "http"), trust_env=False) as http:
            assert (await http.post("/api/uploads/")).status_code == 426
    assert other.certificate != court.certificate


async def test_an_address_of_a_network_needs_tls_or_a_day_until_which_it_may_be_plain(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{ROOM} one\n")
    tokens.chmod(0o600)
    with pytest.raises(ConfigError, match="--certificate"):
        async with running(tmp_path / "kept", tokens, "0.0.0.0", 0):
            pass
    court = open_authority(tmp_path / "court", "Court", utc_now())
    tls = served_by(court, tmp_path, "127.0.0.1")
    async with running(tmp_path / "kept", tokens, "127.0.0.1", 0, tls, (utc_now() + DAY).date()) as port:
        async with httpx.AsyncClient(trust_env=False) as http:  # both by one port, so that rooms are moved one by one
            assert (await http.post(f"http://127.0.0.1:{port}/api/uploads/")).status_code == 401
        async with httpx.AsyncClient(trust_env=False, verify=shows(None, tmp_path / "court/authority.pem")) as http:
            assert (await http.post(f"https://127.0.0.1:{port}/api/uploads/")).status_code == 401


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nobody",
        "jianshan/3",
        "jianshan one",
        "../3 one",
        "a/b/c one",
        "a/b one é",
        "a/b one AAAA",
        "a/b one " + "A" * 43 + "=",
        "a/b one k more",
    ],
)
def test_a_list_of_tokens_that_says_nothing_clear_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokens").write_text(text)
    (tmp_path / "tokens").chmod(0o600)
    with pytest.raises(ConfigError):
        read_rooms(tmp_path / "tokens")


DEVICE = Ed25519PrivateKey.generate()
CLAIM = {"room": ROOM, "hearing": HEARING, "kind": "segment", "track": "bench", "index": 0}
CLAIM |= {"sha256": hashlib.sha256(DATA).hexdigest(), "bytes": len(DATA)}


@pytest.fixture
async def known_device(tmp_path: Path) -> AsyncIterator[Machine]:
    """A copy server that knows the device of the room, and not that of the other."""
    tokens = tmp_path / "tokens"
    key = base64.b64encode(DEVICE.public_key().public_bytes_raw()).decode()
    tokens.write_text(f"{ROOM} one {key}\njianshan/4 two\n")
    tokens.chmod(0o600)
    async with running(tmp_path / "kept", tokens, "127.0.0.1", 0) as port:
        headers = {"Authorization": "Bearer one"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as http:
            yield Machine(tmp_path / "kept", http)


async def test_a_stolen_token_puts_nothing_under_the_name_of_a_copy(known_device: Machine) -> None:
    machine = known_device
    note = sign_claim(CLAIM, DEVICE)
    assert (await machine.claim(await machine.upload(), note=note)).status_code == 201
    file = machine.kept / ROOM / HEARING / "bench/00000.mp4"
    forged = b"forged!" * 1000
    claim = {"sha256": hashlib.sha256(forged).hexdigest()}
    stranger = Ed25519PrivateKey.generate()
    for by, code in (("", "unsigned"), (sign_claim(CLAIM | claim, stranger), "signature"), (note, "signature")):
        answer = await machine.claim(await machine.upload(forged), **claim, note=by)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert file.read_bytes() == DATA
    assert [p.name for p in file.parent.iterdir()] == ["00000.mp4"]


async def test_where_no_device_is_known_another_file_of_the_name_is_kept_beside_and_said(machine: Machine) -> None:
    await machine.claim(await machine.upload())
    forged = b"forged!" * 1000
    with capture_logs() as said:
        answer = await machine.claim(await machine.upload(forged), sha256=hashlib.sha256(forged).hexdigest())
    assert answer.status_code == 201
    assert ("copy_replaced", False) in [(line["event"], line.get("signed")) for line in said]
    (other,) = (machine.kept / ROOM / HEARING / "bench").glob("*.other")
    assert other.read_bytes() == DATA


async def test_what_is_refused_is_in_the_log_and_a_crowd_of_it_is_counted(machine: Machine) -> None:
    machine.http.headers["Authorization"] = "Bearer wrong"
    with capture_logs() as said:
        for number in range(40):
            assert (await machine.http.head(f"/api/uploads/{number:032x}")).status_code == 401
    lines = [line for line in said if line["event"] == "refused"]
    assert lines[0]["detail"].startswith("token HEAD /api/uploads/")
    assert len(lines) == 10, "the others are counted"
    assert "X-Content-Type-Options" in (await machine.http.get("/nothing")).headers
    assert (await machine.http.post("/api/session", json={"code": "0000"})).status_code == 404, "nobody signs in here"


async def test_a_room_has_its_quota_of_what_it_does_not_finish_and_what_it_gave_up_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copyserver, "QUOTA_BYTES", len(DATA) + 10)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{ROOM} one\n")
    tokens.chmod(0o600)
    headers = {"Authorization": "Bearer one"}
    for expected in (507, 201):
        async with (
            running(tmp_path / "kept", tokens, "127.0.0.1", 0) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as http,
        ):
            machine, folder = Machine(tmp_path / "kept", http), tmp_path / "kept" / ".uploads"
            if expected == 507:
                await machine.upload()
                with pytest.raises(AssertionError):  # the second does not fit beside the first
                    await machine.upload()
                (full,) = [path for path in folder.iterdir() if path.suffix == "" and path.stat().st_size]
                long_ago = full.stat().st_mtime - ORPHAN_DAYS * 86_400 - 60
                os.utime(full, (long_ago, long_ago))
            else:
                async with asyncio.timeout(30):  # looked at when it starts, and every hour
                    while full.exists():
                        await asyncio.sleep(0.02)
                assert (await machine.claim(await machine.upload())).status_code == 201


async def test_monitoring_reads_what_was_kept_and_refused_and_nothing_of_a_hearing(tmp_path: Path) -> None:
    for name, text in (("tokens", f"{ROOM} one\njianshan/4 two\n"), ("scraper", scraper.TOKEN)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    metrics = MetricsSettings(token_file=tmp_path / "scraper")
    headers = {"Authorization": "Bearer one"}
    tls = served_by(open_authority(tmp_path / "court", "Court", utc_now()), tmp_path, "127.0.0.1")
    trust = shows(None, tmp_path / "court" / "authority.pem")
    async with (
        running(tmp_path / "kept", tmp_path / "tokens", "127.0.0.1", 0, tls, metrics=metrics) as port,
        httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", headers=headers, verify=trust, trust_env=False) as http,
    ):
        machine = Machine(tmp_path / "kept", http)
        assert (await machine.claim(await machine.upload())).status_code == 201
        assert (await machine.claim(await machine.upload())).status_code == 200
        assert (await machine.claim(await machine.upload(DATA[:-1] + b"x"), index=1)).status_code == 409
        assert (await machine.claim(await machine.upload(), room="jianshan/4", index=1)).status_code == 403
        found = await scraper.scraped(http)
        assert found['wutong_copies_stored_total{kind="segment"}'] == 1
        assert found['wutong_copies_stored_total{kind="log"}'] == 0
        assert found["wutong_copies_stored_bytes_total"] == len(DATA)
        assert found["wutong_copies_again_total"] == 1
        assert found['wutong_copies_refused_total{code="checksum"}'] == 1
        assert found['wutong_copies_refused_total{code="forbidden"}'] == 1
        assert found["wutong_copies_rooms"] == 2
        assert found["wutong_copies_upload_bytes"] == len(DATA)
        assert found[f'wutong_copies_last_stored_age_seconds{{room="{ROOM}"}}'] >= 0
        assert found['wutong_copies_certificate_left_seconds{certificate="server"}'] > 86_400
        assert found["wutong_ready"] == 1
        text = (await http.get("/metrics", headers=scraper.GOOD)).text
        assert HEARING not in text
        samples = {line.partition("{")[0].partition(" ")[0] for line in text.splitlines() if line[:1] != "#"}
        assert {one.name for one in CATALOG if not one.samples & samples} == set()
        for other in ({}, headers):
            assert (await http.get("/metrics", headers={"Authorization": ""} | other)).status_code == 401
        assert (await http.get("/readyz", headers=scraper.GOOD)).json()["ready"] is True


async def test_a_folder_that_takes_nothing_is_not_ready_and_without_a_word_there_are_no_metrics(
    machine: Machine, tmp_path: Path
) -> None:
    assert (await machine.http.get("/metrics", headers=scraper.GOOD)).status_code == 404
    metrics = CopyMetrics(
        tmp_path / "nowhere",
        open_uploads(tmp_path / "some"),
        rooms=[ROOM],
        kinds=[],
        counts=CopyCounts(),
        reserve_bytes=0,
        certificates={},
    )
    assert "cannot be written" in await metrics._writes_store()
    full = dataclasses.replace(metrics, data=tmp_path, reserve_bytes=2**62)
    assert "less than the reserve" in await full._writes_store()
