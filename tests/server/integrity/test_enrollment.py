"""Enrollment codes: random, once, for a quarter of an hour; and what the center gives for one."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.integrity.enrollment import Enrollment, center_key
from sync.errors import ConfigError, LedgerError
from sync.ledger.keys import certificate_request, check_certificate, public_pem, read_public
from sync.room.enrollment import center_key as kept_center_key
from sync.room.enrollment import is_enrolled
from sync.room.paths import RoomPaths
from tests.support.files import databases
from tests.support.peers.center_peers import Served
from tests.support.rooms.signing_room import enroll_device


def enrollment(served: Served) -> Enrollment:
    return served.center.enrollment  # type: ignore[no-any-return]  # `center` may be any


def request(room: str = "court1/c03") -> str:
    return certificate_request(Ed25519PrivateKey.generate(), room).decode()


async def redeem(served: Served, code: str, asked: str | None = None) -> httpx.Response:
    async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}) as http:
        return await http.post("/api/enroll", json={"code": code, "request": asked or request()})


async def test_a_code_works_once_and_gives_a_certificate_for_the_key_that_asked(served: Served) -> None:
    code = await enrollment(served).new_code("court1/c03")
    key = Ed25519PrivateKey.generate()
    answer = await redeem(served, code.lower().replace("-", " "), certificate_request(key, "court1/c03").decode())
    assert answer.status_code == 200
    center = read_public(answer.json()["center"].encode())
    assert center == read_public((served.data / "keys" / "center.pem").read_bytes())
    now = dt.datetime.now(dt.UTC)
    assert check_certificate(answer.json()["certificate"].encode(), "court1/c03", center, now) == key.public_key()
    again = await redeem(served, code)
    assert (again.status_code, again.json()["code"]) == (403, "code")
    assert [row["detail"] for row in await served.audited("enroll")] == ["court1/c03"]
    assert (served.data / "keys" / "center.key").stat().st_mode & 0o777 == 0o600


async def test_codes_are_random_hashed_and_old_after_fifteen_minutes(served: Served) -> None:
    codes = {await enrollment(served).new_code("court1/c03") for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code.replace("-", "")) == 26 for code in codes)  # 128 bits in base32
    with databases.opened(served.data / "center.db") as stored:
        dump = "".join(stored.iterdump())
    assert not any(code in dump or code.replace("-", "") in dump for code in codes)
    later = Enrollment(served.center.database, center_key(served.data))
    late_ns = dt.timedelta(minutes=15, seconds=1).total_seconds() * 1e9
    now_ns = later._utc_ns
    later._utc_ns = lambda: now_ns() + int(late_ns)
    with pytest.raises(Exception, match="too old"):
        await later.redeem(codes.pop(), request())
    assert (await redeem(served, codes.pop())).status_code == 200


async def test_a_code_is_for_one_room_and_a_bad_request_does_not_burn_it(served: Served) -> None:
    code = await enrollment(served).new_code("court1/c03")
    for asked in (request("court1/c04"), "not a request", request("court1/c03").replace("A", "B", 1)):
        assert (await redeem(served, code, asked)).status_code in (400, 422)
    assert (await redeem(served, code)).status_code == 200


async def test_guessing_codes_is_slowed_down_and_audited(served: Served) -> None:
    seen = [(await redeem(served, f"GUESS-{n}")).status_code for n in range(12)]
    assert seen[0] == 403
    assert 429 in seen
    assert all(row["detail"] for row in await served.audited("refused"))


async def test_a_center_with_another_key_than_before_is_refused_by_the_room(served: Served, tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "device")
    code = await enrollment(served).new_code("court1/c03")
    device = (await asyncio.to_thread(enroll_device, served, layout.data, code)).public_key()
    assert not is_enrolled(layout, "court1/c03", dt.datetime.now(dt.UTC), Ed25519PrivateKey.generate().public_key())
    assert is_enrolled(layout, "court1/c03", dt.datetime.now(dt.UTC), None)
    assert is_enrolled(layout, "court1/c03", dt.datetime.now(dt.UTC), device)
    assert not is_enrolled(layout, "court1/c04", dt.datetime.now(dt.UTC), device)
    assert not is_enrolled(layout, "court1/c03", dt.datetime.now(dt.UTC) + dt.timedelta(days=6 * 365), device)
    impostor = public_pem(Ed25519PrivateKey.generate().public_key())
    layout.center_key.write_bytes(impostor)
    assert not is_enrolled(layout, "court1/c03", dt.datetime.now(dt.UTC), device)
    code = await enrollment(served).new_code("court1/c03")
    with pytest.raises(LedgerError, match="another key"):
        await asyncio.to_thread(enroll_device, served, layout.data, code)
    assert layout.center_key.read_bytes() == impostor
    assert kept_center_key(layout) is not None


def test_a_center_key_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    center_key(tmp_path)
    (tmp_path / "keys" / "center.key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 0600"):
        center_key(tmp_path)


async def test_a_renewed_certificate_covers_what_the_same_key_signed_before(served: Served) -> None:
    desk = Enrollment(served.center.database, center_key(served.data))
    key, now_ns = Ed25519PrivateKey.generate(), desk._utc_ns
    asked = certificate_request(key, "court1/c03").decode()
    first = dt.datetime.now(dt.UTC)
    await desk.redeem(await desk.new_code("court1/c03"), asked)
    desk._utc_ns = lambda: now_ns() + int(dt.timedelta(days=4 * 365).total_seconds()) * 1_000_000_000
    _, renewed = await desk.redeem(await desk.new_code("court1/c03"), asked)
    center = center_key(served.data).public_key()
    for at in (first, first + dt.timedelta(days=8 * 365)):
        assert check_certificate(renewed.encode(), "court1/c03", center, at) == key.public_key()
    _, other = await desk.redeem(await desk.new_code("court1/c03"), request())
    with pytest.raises(LedgerError, match="not valid"):
        check_certificate(other.encode(), "court1/c03", center, first)
