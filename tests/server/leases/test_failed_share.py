"""A process that cannot take its rooms over: it says so, tries again, or ends so that others have them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from server.leases.room_share import RoomShare
from tests.server.leases.test_live_elsewhere import ROOM
from tests.support.peers.center_peers import RoomPeer, config_text, opening, said, until
from tests.support.peers.postgres_server import PostgresServer, migrated_database
from tests.support.peers.process_here import process_at
from tests.support.peers.scraper import TOKEN
from tests.support.ports import free_ports

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.service]


@pytest.fixture
def configured(tmp_path: Path, broker_port: int, postgres: PostgresServer) -> Path:
    file, token = tmp_path / "center.toml", tmp_path / "metrics.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    text = config_text(tmp_path / "center", broker_port, free_ports(3), migrated_database(postgres))
    file.write_text(f'{text}[metrics]\ntoken_file = "{token.name}"\n')
    return file


class Trouble:
    """Whatever a process reads of what earlier owners have left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.tried = 0
        read = RoomShare._read_what_was_left

        async def troubled(share: RoomShare) -> None:
            self.tried += 1
            if self.error is not None:
                raise self.error
            await read(share)

        monkeypatch.setattr(RoomShare, "_read_what_was_left", troubled)


async def readiness(url: str) -> tuple[int, list[str]]:
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as http:
        answer = await http.get("/readyz")
    return answer.status_code, [part["part"] for part in answer.json()["lacks"]]


async def test_rooms_that_cannot_be_taken_over_are_told_and_answered_once_they_can(
    configured: Path, broker_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = Trouble(monkeypatch)
    trouble.error = OSError("the folder of uploads is away")
    async with process_at(configured, broker_port, 1) as one:
        await one.enroll()
        share = one.center.share
        await until(lambda: trouble.tried >= 2)
        assert share.keeper.has(ROOM)
        assert not share.keeper.owns(ROOM), "nobody is answered before what was left is known"
        status, lacks = await readiness(one.url)
        assert (status, lacks) == (503, ["rooms"])
        peer = await RoomPeer(broker_port).start()
        peer.publish("events", opening(1))
        assert not one.center.failed.done()
        trouble.error = None
        await until(lambda: any(told.get("again") for told in peer.of("receipts")))
        peer.publish("events", opening(1))  # as a room does when it is asked to
        await until(lambda: peer.receipts() == {1})
        assert share.lacks == ""
        peer.stop()


async def test_a_process_whose_take_over_fails_for_a_defect_ends_and_leaves_its_rooms_to_others_at_once(
    configured: Path, broker_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = Trouble(monkeypatch)
    peer = await RoomPeer(broker_port).start()

    def asked_again() -> int:
        return sum(bool(told.get("again")) for told in peer.of("receipts"))

    async def fail() -> None:
        async with process_at(configured, broker_port, 1) as one:
            await one.enroll()
            await until(lambda: one.center.share.keeper.owns(ROOM) and asked_again())
            trouble.error = RuntimeError("a defect")
            one.center.share.keeper.gained.notify(frozenset({ROOM}))
            await one.center.failed  # as `server.service.serve` does

    with pytest.raises(RuntimeError, match="a defect"):
        await fail()
    trouble.error, before = None, asked_again()
    async with process_at(configured, broker_port, 2) as two:
        await until(lambda: asked_again() > before)
        assert two.center.share.keeper.owns(ROOM)
        peer.publish("events", opening(1))
        peer.publish("events", said(2, "接管之后"))
        await until(lambda: peer.receipts() == {1, 2})
    peer.stop()
