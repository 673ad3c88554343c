"""What a process of the benchmark is told arrives as it was written, and nobody else can read it."""

from pathlib import Path

import pytest

from wutong.bench.center.orders import ListenerOrders, ProcessOrders, RoomOrders, RoomsOrders, WallOrders, Wires

WIRES = Wires("https://127.0.0.1:1", [2], tls=True)


@pytest.mark.parametrize(
    "orders",
    [
        RoomsOrders(WIRES, "reel", 60.0, [RoomOrders("c/r", "data", 1.0, 0.5, 0.1, ["bench"], "token", "password")]),
        WallOrders(WIRES, "code", "authority.pem", [["c/r/bench"], []], pings=True),
        ListenerOrders(WIRES, "authority.pem", "certificate.pem", "key.pem", "center", "password"),
    ],
)
def test_orders_come_back_as_they_were_written(tmp_path: Path, orders: ProcessOrders) -> None:
    path = tmp_path / "orders.json"
    orders.write(path)
    assert type(orders).read(path) == orders
    assert path.stat().st_mode & 0o777 == 0o600
