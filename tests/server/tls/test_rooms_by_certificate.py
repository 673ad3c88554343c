"""A center by HTTPS and a broker by certificates: who gets in, and that taking a certificate away ends everything."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from server.integrity.enrollment import RENEWALS_A_DAY
from server.tls.court import CourtAuthority
from server.tls.room_hosts import CertifiedHosts
from sync import topics
from sync.broker_address import BrokerAddress
from sync.errors import CenterError, ConfigError
from sync.ledger.keys import make_key
from sync.mqtt import MqttConnection
from sync.room.enrollment import enroll_at
from sync.room.paths import RoomPaths
from sync.tls.authority import open_authority
from sync.tls.identity import TlsIdentity
from sync.tls.keys import make_tls_key
from sync.tls.names import CENTER_HOST, hosts_in, subject
from sync.tls.requests import tls_request
from sync.uplink.files.tus import TusClient
from sync.uplink.trust.certificate import CertificateRenewal
from tests.support.peers.center_peers import metadata, opening, until
from tests.support.peers.tls_center import OTHER, ROOM, TlsCenter, files_of, served_by_tls
from tests.support.peers.tls_court import DAY, certified, shows, utc_now
from wutong.enroll import at_center, fingerprint_of, new_code
from wutong.terminal import terminal


@pytest_asyncio.fixture
async def center(tmp_path: Path) -> AsyncIterator[TlsCenter]:
    async with served_by_tls(tmp_path) as one:
        yield one


async def test_a_room_uploads_by_its_certificate_and_by_nothing_else(center: TlsCenter, tmp_path: Path) -> None:
    layout = await center.enrolled(tmp_path / "room")
    other = open_authority(tmp_path / "foreign", "Foreign", utc_now())
    forged = certified(center.broker.court.authority, tmp_path, ROOM)  # of the authority, but never handed out
    token = {"Authorization": "Bearer token-of-room-c03-0123456789abcdef"}
    async with center.http(files_of(layout)) as http:
        upload = await TusClient(http).create(metadata(0))
        with pytest.raises(CenterError):
            await TusClient(http).create(metadata(0, room=OTHER))
        assert await TusClient(http).append(upload, 0, b"12345") == 5
    for files, headers in ((None, {}), (None, token), (forged, {}), (forged, token)):
        async with center.http(files, headers) as http:
            answer = await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})
            assert answer.status_code == 401, (files, headers)
    foreign = certified(other, tmp_path / "foreign", ROOM)
    with pytest.raises(httpx.HTTPError):
        async with center.http(foreign) as http:
            await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})


async def test_no_header_says_whose_certificate_it_is(center: TlsCenter) -> None:
    claims = {"X-SSL-Client-CN": ROOM, "X-Client-Cert": "x", "wutong_peer": ROOM, "Forwarded": f"for={ROOM}"}
    async with center.http(None, claims) as http:
        assert (await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})).status_code == 401
        assert (await http.post("/api/certificate", json={"request": "x"})).status_code == 401


async def test_who_speaks_plain_http_is_told_so_and_nothing_is_done(center: TlsCenter) -> None:
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.get(f"{center.url.replace('https', 'http')}/api/authority")
    assert answer.status_code == 426
    assert "https://" in answer.text
    async with center.http() as http:
        answer = await http.post("/api/session", json={"code": "AAAA-BBBB"})
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        code = json.loads((center.config.storage.data / "codes.json").read_text())["inspector"]
        cookie = (await http.post("/api/session", json={"code": code})).headers["Set-Cookie"]
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie


async def test_old_versions_of_tls_and_half_a_handshake_are_ended(center: TlsCenter) -> None:
    context = shows(None, center.broker.authority)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient(verify=context) as http:
            await http.get(center.url)


async def test_revoking_a_device_ends_all_that_it_has_open_within_seconds(center: TlsCenter, tmp_path: Path) -> None:
    """By the command, in another process's place, as an administrator does it, while the room is connected."""
    layout, other = await center.enrolled(tmp_path / "room"), await center.enrolled(tmp_path / "other", OTHER)
    links: dict[str, list[bool]] = {ROOM: [], OTHER: []}
    lines: dict[str, MqttConnection] = {}
    for name, paths in ((ROOM, layout), (OTHER, other)):
        identity = TlsIdentity(files_of(paths))
        line = MqttConnection(BrokerAddress("127.0.0.1", center.broker.port, name, tls=identity.context))
        line.on_link(links[name].append)
        line.start()
        lines[name] = line
        await until(functools.partial(getattr, line, "connected"))
        line.publish(f"{topics.of_room(name)}/status", b'{"online":true}', qos=1)
    await until(lambda: all(center.center.rooms.states[name].online for name in lines))
    async with center.http(files_of(layout)) as http:
        ping = {"Tus-Resumable": "1.0.0"}
        assert (await http.options("/api/uploads/", headers=ping)).status_code == 204
        started = time.monotonic()
        await asyncio.to_thread(at_center, center.file, None, ROOM, listed=False, console=terminal(quiet=True))
        await until(lambda: links[ROOM] == [True, False] or links[ROOM][-1:] == [False], 10)
        assert (await http.options("/api/uploads/", headers=ping)).status_code == 401
    # It tries to come back for ever; until the broker has read the list it may, and is ended again.
    await until(lambda: "revoked" in lines[ROOM].why.lower() or not lines[ROOM].connected, 20)
    await until(lambda: center.center.tls.revocations.is_idle, 20)
    assert not lines[ROOM].connected
    print(f"revoked and ended after {time.monotonic() - started:.1f} s")
    assert links[OTHER] == [True]  # nobody else noticed
    for line in lines.values():
        await line.stop()


async def test_what_a_revoked_room_still_says_is_dropped(center: TlsCenter, tmp_path: Path) -> None:
    await center.enrolled(tmp_path / "room")
    await asyncio.to_thread(at_center, center.file, None, ROOM, listed=False, console=terminal(quiet=True))
    await until(lambda: center.center.tls.is_shut(ROOM))
    event = json.dumps(opening(1)).encode()
    center.center.broker.message.notify(ROOM, "events", event)
    center.center.broker.message.notify(ROOM, "status", b'{"online":true}')
    assert not center.center.rooms.states[ROOM].online
    await center.enrolled(tmp_path / "new device")
    await until(lambda: not center.center.tls.is_shut(ROOM))
    center.center.broker.message.notify(ROOM, "status", b'{"online":true}')
    assert center.center.rooms.states[ROOM].online


async def test_enrolling_again_takes_the_certificate_of_the_device_before(center: TlsCenter, tmp_path: Path) -> None:
    first = await center.enrolled(tmp_path / "first")
    second = await center.enrolled(tmp_path / "second")
    ping = {"Tus-Resumable": "1.0.0"}
    async with center.http(files_of(second)) as http:
        assert (await http.options("/api/uploads/", headers=ping)).status_code == 204
    await until(lambda: len(center.center.tls.certificates.revoked) == 1)
    async with center.http(files_of(first)) as http:
        assert (await http.options("/api/uploads/", headers=ping)).status_code == 401


async def test_a_room_renews_its_certificate_by_showing_it(center: TlsCenter, tmp_path: Path) -> None:
    layout = await center.enrolled(tmp_path / "room")
    identity = TlsIdentity(files_of(layout))
    before = layout.tls_certificate.read_bytes()
    now = [utc_now()]
    async with center.http(files_of(layout)) as http:
        renewal = CertificateRenewal(layout, ROOM, ["room.example"], identity, http, now=lambda: now[0])
        assert not await renewal.renew_if_due()
        now[0] += 300 * DAY
        assert await renewal.renew_if_due()
    assert layout.tls_certificate.read_bytes() != before
    assert identity.follow()
    await until(lambda: len(center.center.tls.certificates.good) == 2)
    async with center.http(files_of(layout)) as http:
        assert (await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})).status_code == 204
        asked = await http.post("/api/certificate", json={"request": "no request"})
        assert asked.status_code == 400


async def test_a_room_asks_for_a_certificate_of_its_own_name_only(center: TlsCenter, tmp_path: Path) -> None:
    layout = await center.enrolled(tmp_path / "room")
    key = make_tls_key(tmp_path / "fresh.key")
    async with center.http(files_of(layout)) as http:
        for name in (OTHER, "center", "broker", "+/+", "#"):
            body = {"request": tls_request(key, name, []).decode()}
            assert (await http.post("/api/certificate", json=body)).status_code == 400, name


async def test_a_code_is_not_sent_to_who_is_not_the_center_that_made_it(center: TlsCenter, tmp_path: Path) -> None:
    """A man in the middle with a center of their own, and one who hands on the true center's answer."""
    code = await new_code(center.config, ROOM)
    async with served_by_tls(tmp_path / "middle") as middle:
        layout = RoomPaths(tmp_path / "room")
        with pytest.raises(CenterError, match="was not sent"):
            await asyncio.to_thread(
                enroll_at, middle.url, layout, ROOM, code, utc_now(), make_key(layout.device_key), hosts=[]
            )
        assert not await middle.center.archive.audited("refused")
        # It hands on what the true center says of itself, which fits; its own connection then does not.
        told = {"authority": center.broker.court.authority.pem.decode(), "center": _center_pem(center)}

        async def relayed() -> dict[str, str]:
            return told

        for route in middle.center.app.router.routes:
            if getattr(route, "path", "") == "/api/authority":
                route.dependant.call = relayed  # type: ignore[attr-defined]
        with pytest.raises(CenterError, match="CERTIFICATE_VERIFY_FAILED"):
            await asyncio.to_thread(
                enroll_at, middle.url, layout, ROOM, code, utc_now(), make_key(layout.device_key), hosts=[]
            )
        assert not await middle.center.archive.audited("refused")
    assert not layout.center_key.exists()
    await asyncio.to_thread(
        enroll_at, center.url, layout, ROOM, code, utc_now(), make_key(layout.device_key), hosts=[]
    )  # it was not used up


def _center_pem(center: TlsCenter) -> str:
    return (center.config.storage.data / "keys" / "center.pem").read_text()


async def test_a_code_without_a_fingerprint_is_refused_unless_the_old_way_is_open(
    center: TlsCenter, tmp_path: Path
) -> None:
    bare = (await new_code(center.config, ROOM)).split(".")[0]
    layout = RoomPaths(tmp_path / "r")
    with pytest.raises(ConfigError, match="no fingerprint"):
        await asyncio.to_thread(
            enroll_at, center.url, layout, ROOM, bare, utc_now(), make_key(layout.device_key), hosts=[]
        )


async def test_while_the_old_way_is_open_one_port_takes_both_and_the_wall_is_red(tmp_path: Path) -> None:
    until_day = (utc_now() + 30 * DAY).date().isoformat()
    token = {"Authorization": "Bearer token-of-room-c03-0123456789abcdef", "Tus-Resumable": "1.0.0"}
    async with served_by_tls(tmp_path, f"plain_until = {until_day}\n") as center:
        async with httpx.AsyncClient(base_url=center.url.replace("https", "http"), timeout=20) as http:
            assert (await http.options("/api/uploads/", headers=token)).status_code == 204
            assert (await http.get("/api/authority")).status_code == 200
        layout = await center.enrolled(tmp_path / "room")
        async with center.http(files_of(layout)) as http:
            assert (await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})).status_code == 204
        assert all(until_day in room.alarms["plain"] for room in center.center.rooms.states.values())


async def test_the_center_renews_its_own_certificates_without_a_restart(tmp_path: Path) -> None:
    now = [utc_now()]
    court = CourtAuthority(tmp_path, "Test court", names=["center.court.example"], now=lambda: now[0])
    context = court.context()
    served, broker = (tmp_path / "keys" / "server.pem").read_bytes(), (tmp_path / "broker" / "server.pem").read_bytes()
    assert not court.renew()
    now[0] += dt.timedelta(days=300)
    assert court.renew()
    assert court.context() is context
    assert (tmp_path / "keys" / "server.pem").read_bytes() != served
    assert (tmp_path / "broker" / "server.pem").read_bytes() != broker
    assert (tmp_path / "broker" / "server.key").stat().st_mode & 0o777 == 0o640
    assert not (tmp_path / "broker" / "authority.key").exists()
    again = CourtAuthority(tmp_path, "Test court", names=["other.court.example"], now=lambda: now[0])
    assert again.authority.certificate == court.authority.certificate  # a new name makes a new certificate alone


async def test_the_authority_is_given_to_browsers_and_the_fingerprint_is_of_it(center: TlsCenter) -> None:
    async with center.http() as http:
        answer = await http.get("/authority.pem")
        assert answer.headers["Content-Type"].startswith("application/x-x509-ca-cert")
        assert answer.content == center.broker.court.authority.pem
    assert len(fingerprint_of(center.config).replace("-", "")) == 32


async def test_a_room_cannot_add_names_of_others_or_of_the_court_by_itself(center: TlsCenter, tmp_path: Path) -> None:
    layout = await center.enrolled(tmp_path / "room")
    await center.enrolled(tmp_path / "other", OTHER)
    key = make_tls_key(tmp_path / "fresh.key")
    wish = ["room.example", "panel", "10.9.8.7", CENTER_HOST, "bank.example", "*.example"]
    async with center.http(files_of(layout)) as http:
        answer = await http.post("/api/certificate", json={"request": tls_request(key, ROOM, wish).decode()})
    given = x509.load_pem_x509_certificate(answer.json()["tls"].encode())
    assert hosts_in(given) == {"room.example"}


async def test_what_a_room_may_not_be_called_it_is_not_called_however_it_spells_it(
    center: TlsCenter, tmp_path: Path
) -> None:
    key = make_tls_key(tmp_path / "fresh.key")
    spelled = ["WUTONG-CENTER", "wutong-center.", "Wutong-Center", "CENTER.court.example", "center.court.example."]
    names = [x509.DNSName(one) for one in spelled] + [x509.DNSName("-x"), x509.DNSName("Room.Example")]
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(ROOM))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    request = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    court = CourtAuthority(tmp_path / "court", "Test court", names=["center.court.example"])
    for known in (None, CertifiedHosts(frozenset({"room.example"}), frozenset())):
        assert hosts_in(court.certify(request, ROOM, certified=known)) == {"room.example"}


async def test_a_room_renews_a_few_times_a_day_and_not_without_end(center: TlsCenter, tmp_path: Path) -> None:
    layout = await center.enrolled(tmp_path / "room")
    body = {"request": tls_request(make_tls_key(tmp_path / "fresh.key"), ROOM, []).decode()}
    async with center.http(files_of(layout)) as http:
        answers = [(await http.post("/api/certificate", json=body)).status_code for _ in range(RENEWALS_A_DAY + 3)]
    assert answers == [200] * RENEWALS_A_DAY + [429] * 3
    other = await center.enrolled(tmp_path / "other", OTHER)
    async with center.http(files_of(other)) as http:
        body = {"request": tls_request(make_tls_key(tmp_path / "other.key"), OTHER, []).decode()}
        assert (await http.post("/api/certificate", json=body)).status_code == 200
