"""Devices of light rooms become known to a center before it starts: as an enrollment leaves them, all at once.

One after the other, each by a code and two requests, would take longer than the measurement, and costs a running center
nothing of what is measured.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, insert, select

from server.integrity.enrollment import center_key
from server.store import tables as t
from server.store.database import open_database
from sync.errors import ConfigError
from sync.ledger.keys import certificate_request, issue
from wutong.bench.center.measured_center import MeasuredCenter
from wutong.bench.province.province_orders import LightRoomOrders

GOLDEN = 0.6180339887


def make_devices(center: MeasuredCenter) -> tuple[list[LightRoomOrders], str]:
    """The orders of all rooms, each with a key of its own, and the center's public key in hexadecimal.

    `ConfigError` for a database that has hearings already: nothing is measured beside somebody's record."""
    key = center_key(center.data)
    orders: list[LightRoomOrders] = []
    rows: list[dict[str, object]] = []
    now_ns = time.time_ns()
    at = dt.datetime.fromtimestamp(now_ns // 1_000_000_000, dt.UTC)
    for number, room in enumerate(center.rooms):
        device = Ed25519PrivateKey.generate()
        certificate = issue(certificate_request(device, room.address), room.address, key, at)
        public = device.public_key().public_bytes_raw().hex()
        rows.append(
            {"room": room.address, "public_key": public, "certificate": certificate.decode(), "enrolled_utc_ns": now_ns}
        )
        private = device.private_bytes_raw().hex()
        orders.append(LightRoomOrders(room.address, room.password, private, number * GOLDEN % 1))
    database = open_database(center.config.database_url)
    try:
        with database.engine.begin() as connection:
            _write(connection, rows)
    finally:
        database.close()
    return orders, key.public_key().public_bytes_raw().hex()


def _write(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    for table in (t.hearings, t.events, t.devices):
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise ConfigError("this database is in use: name an empty one")
    connection.execute(insert(t.devices), list(rows))
