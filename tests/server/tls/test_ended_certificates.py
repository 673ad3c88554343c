"""A certificate that ends while its line stands: the center ends the line; a room that has renewed is back at once."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from server.tls.center import AUTHORITY_ALARM
from server.tls.devices import DeviceCertificates, note_certificate
from sync.broker_address import BrokerAddress
from sync.mqtt import MqttConnection
from sync.room.paths import RoomPaths
from sync.runtime.units import NS_PER_S
from sync.tls.authority import BACKDATE
from sync.tls.certificates import pem_of
from sync.tls.identity import TlsIdentity
from sync.tls.keys import make_tls_key
from tests.support.peers.center_peers import until
from tests.support.peers.tls_center import OTHER, ROOM, TlsCenter, files_of, served_by_tls
from tests.support.peers.tls_court import DAY, utc_now

SHORT_S = 3


@pytest_asyncio.fixture
async def center(tmp_path: Path) -> AsyncIterator[TlsCenter]:
    async with served_by_tls(tmp_path) as one:
        yield one


class Line:
    """What a room has open at the broker."""

    def __init__(self, center: TlsCenter, layout: RoomPaths, room: str) -> None:
        self.identity = TlsIdentity(files_of(layout))
        self.links: list[bool] = []
        address = BrokerAddress("127.0.0.1", center.broker.port, room, tls=self.identity.context)
        self.connection = MqttConnection(address)
        self.connection.on_link(self.links.append)

    async def up(self) -> None:
        self.connection.start()
        await until(functools.partial(getattr, self.connection, "connected"))


async def shorten(center: TlsCenter, layout: RoomPaths, room: str) -> None:
    """Give a room a certificate that has seconds to live, as if it had got it long ago."""
    key = make_tls_key(layout.tls_key)
    lasts = BACKDATE + dt.timedelta(seconds=SHORT_S)
    made = center.broker.court.authority.issue(key.public_key(), room, [], utc_now(), lasts=lasts)
    layout.tls_certificate.write_bytes(pem_of(made))
    now_ns = int(utc_now().timestamp()) * NS_PER_S
    await center.center.database.write(lambda c: note_certificate(c, room, made, now_ns))
    await until(lambda: made.serial_number in center.center.tls.certificates.good)


async def test_the_line_of_a_room_whose_certificate_has_ended_is_ended_and_cannot_be_made_again(
    center: TlsCenter, tmp_path: Path
) -> None:
    layout, other = await center.enrolled(tmp_path / "room"), await center.enrolled(tmp_path / "other", OTHER)
    quiet = Line(center, other, OTHER)
    await quiet.up()
    await shorten(center, layout, ROOM)
    line = Line(center, layout, ROOM)
    await line.up()
    await until(lambda: line.links[:2] == [True, False], 20)
    await until(lambda: "expired" in line.connection.why.lower() or not line.connection.connected)
    await until(lambda: center.center.tls.revocations.is_idle)
    assert line.links == [True, False]
    assert quiet.links == [True]
    await line.connection.stop()
    await quiet.connection.stop()


async def test_a_room_that_has_renewed_meanwhile_is_back_by_its_new_certificate(
    center: TlsCenter, tmp_path: Path
) -> None:
    layout = await center.enrolled(tmp_path / "room")
    whole = layout.tls_certificate.read_bytes()
    await shorten(center, layout, ROOM)
    line = Line(center, layout, ROOM)
    await line.up()
    layout.tls_certificate.write_bytes(whole)  # as the renewal does
    assert line.identity.follow()
    await until(lambda: line.links == [True, False, True], 30)
    await until(lambda: center.center.tls.revocations.is_idle)
    assert line.links == [True, False, True]
    await line.connection.stop()


async def test_an_authority_that_ends_within_two_years_is_named_on_the_wall(center: TlsCenter) -> None:
    end = center.broker.court.authority.certificate.not_valid_after_utc
    rooms, tls = center.center.rooms.states, center.center.tls
    await tls.renew()
    assert all(AUTHORITY_ALARM not in room.alarms for room in rooms.values())
    for before, words in ((600 * DAY, "将于"), (-DAY, "已于")):
        tls._now = functools.partial(lambda at: at, end - before)
        await tls.renew()
        for room in rooms.values():
            assert words in room.alarms[AUTHORITY_ALARM]
            assert f"{end:%Y-%m-%d}" in room.alarms[AUTHORITY_ALARM]


async def test_old_certificates_are_no_news_at_a_start_but_of_rooms_that_have_nothing_newer(
    center: TlsCenter, tmp_path: Path
) -> None:
    """A center that was away when they ended, 400 days later."""
    await center.enrolled(tmp_path / "room")
    await center.enrolled(tmp_path / "other", OTHER)
    later = utc_now() + 400 * DAY
    made = center.broker.court.authority.issue(make_tls_key(tmp_path / "k").public_key(), OTHER, [], later)
    await center.center.database.write(lambda c: note_certificate(c, OTHER, made, int(later.timestamp()) * NS_PER_S))
    now = [later]
    known = DeviceCertificates(center.center.database, {ROOM, OTHER}, utc_ns=lambda: int(now[0].timestamp()) * NS_PER_S)
    told: list[frozenset[str]] = []
    known.ended.add(told.append)
    await known.look()
    assert told == [frozenset({ROOM})]
    assert known.good == {made.serial_number}
    await known.look()
    assert len(told) == 1
    now[0] += 400 * DAY
    await known.look()
    assert told[1:] == [frozenset({OTHER})]
    assert known.good == frozenset()
