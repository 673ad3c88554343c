"""Whom the list for NATS lets in, and with which rights."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from sqlalchemy import Connection

from server.store.database import Database, open_database
from server.tls.court import CourtAuthority
from server.tls.devices import DeviceCertificates, note_certificate, revoke_certificates
from server.tls.nats_users import NATS_USERS, nats_users_text, subject_of
from server.tls.process_accounts import MOST_PROCESSES
from sync.runtime.units import NS_PER_S
from sync.tls.authority import Authority, open_authority
from sync.tls.keys import make_tls_key
from sync.tls.names import certificate_uri, hosts_in
from tests.support.peers.tls_court import DAY, utc_now
from wutong.broker_policy import certified_rights_text

ROOM, OTHER, UNLISTED = "court1/c03", "court1/c04", "court9/c99"


def users_in(text: str) -> dict[str, dict[str, Any]]:
    lines = [line for line in text.splitlines() if line.startswith("  {")]
    return {one["user"]: one for one in map(json.loads, lines)}


def issued(authority: Authority, folder: Path, room: str, lasts_days: int = 397) -> x509.Certificate:
    key = make_tls_key(folder / "some.key")
    return authority.issue(key.public_key(), room, ["room.example"], utc_now(), lasts=lasts_days * DAY)


def test_a_certificate_has_a_name_of_its_own_beside_its_hosts(tmp_path: Path) -> None:
    authority = open_authority(tmp_path, "Court", utc_now())
    one, other = issued(authority, tmp_path, ROOM), issued(authority, tmp_path, ROOM)
    names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [certificate_uri(one.serial_number)]
    assert certificate_uri(one.serial_number) != certificate_uri(other.serial_number)
    assert hosts_in(one) == {"room.example"}


def test_each_has_the_topics_of_its_room_and_the_center_those_of_all() -> None:
    users = users_in(nats_users_text({"urn:x": ROOM}))
    processes = {f"CN=center-{number}" for number in range(1, MOST_PROCESSES + 1)}
    assert set(users) == {"CN=center", "urn:x"} | processes
    room = users["urn:x"]["permissions"]
    assert "court.v1.court1.c03.events" in room["publish"]["allow"]
    assert "court.v1.court1.c03.live.*.frag" in room["publish"]["allow"]
    assert "court.v1.court1.c03.receipts" in room["subscribe"]["allow"]
    named = [*room["publish"]["allow"], *room["subscribe"]["allow"]]
    assert all(one.startswith("court.v1.court1.c03.") for one in named if one != "$MQTT.sub.>")
    center = users["CN=center"]["permissions"]
    assert "court.v1.*.*.events" in center["subscribe"]["allow"]
    assert "court.v1.*.*.receipts" in center["publish"]["allow"]
    assert all(one["allowed_connection_types"] == ["MQTT"] for one in users.values())


@pytest.mark.parametrize("account", ["center", "center-1", "center-8"])
def test_the_center_and_each_of_its_processes_have_what_mosquitto_s_list_gives_them(account: str) -> None:
    (mosquitto,) = (
        part.splitlines()
        for part in certified_rights_text(processes=8).split("user ")
        if part.startswith(f"{account}\n")
    )
    acts = [line.split()[1:] for line in mosquitto if line.startswith("topic ")]
    may = users_in(nats_users_text({}))[f"CN={account}"]["permissions"]
    for what, words, more in (
        ("subscribe", ("read", "readwrite"), {"$MQTT.sub.>"}),
        ("publish", ("write", "readwrite"), set()),
    ):
        assert set(may[what]["allow"]) == {subject_of(topic) for act, topic in acts if act in words} | more
    assert ("court.v1.*.*.receipts" in may["subscribe"]["allow"]) == (account != "center")


def noted(room: str, certificate: x509.Certificate, now_ns: int, connection: Connection) -> None:
    note_certificate(connection, room, certificate, now_ns)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path / 'center.db'}")


async def test_the_good_ones_of_listed_rooms_are_admitted_and_a_revoked_one_takes_its_room_s_common_name(
    database: Database, tmp_path: Path
) -> None:
    authority = open_authority(tmp_path, "Court", utc_now())
    now_ns = [int(utc_now().timestamp()) * NS_PER_S]
    certificates = DeviceCertificates(database, {ROOM, OTHER}, utc_ns=lambda: now_ns[0])
    first, other, short = (
        issued(authority, tmp_path, ROOM),
        issued(authority, tmp_path, OTHER),
        issued(authority, tmp_path, OTHER, 2),
    )
    strange = issued(authority, tmp_path, UNLISTED)
    for room, one in ((ROOM, first), (OTHER, other), (OTHER, short), (UNLISTED, strange)):
        await database.write(functools.partial(noted, room, one, now_ns[0]))
    await certificates.look()
    uris = {name: certificate_uri(one.serial_number) for name, one in (("1", first), ("2", other), ("s", short))}
    assert certificates.admitted() == {
        uris["1"]: ROOM,
        uris["2"]: OTHER,
        uris["s"]: OTHER,
        f"CN={ROOM}": ROOM,
        f"CN={OTHER}": OTHER,
    }
    await database.write(lambda c: revoke_certificates(c, ROOM, now_ns[0]))
    second = issued(authority, tmp_path, ROOM)
    await database.write(functools.partial(noted, ROOM, second, now_ns[0]))
    await certificates.look()
    assert certificates.admitted() == {
        certificate_uri(second.serial_number): ROOM,
        uris["2"]: OTHER,
        uris["s"]: OTHER,
        f"CN={OTHER}": OTHER,
    }
    now_ns[0] += 3 * 86_400 * NS_PER_S
    assert uris["s"] not in certificates.admitted()
    assert uris["2"] in certificates.admitted()
    database.close()


def test_the_list_is_for_the_broker_s_group_alone_and_replaced_whole(tmp_path: Path) -> None:
    court = CourtAuthority(tmp_path, "Court")
    court.admit({"urn:x": ROOM})
    path = court.broker_folder / NATS_USERS
    assert path.stat().st_mode & 0o777 == 0o640
    court.admit({})
    assert ROOM.encode() not in path.read_bytes()
    assert len(users_in(path.read_text())) == MOST_PROCESSES + 1
