"""The center is killed without warning: nothing that it receipted is lost, nothing that is said again comes twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.files import databases
from tests.support.peers.center_peers import RoomPeer, config_text, opening, said, until
from tests.support.peers.device_signatures import enroll_at
from tests.support.ports import free_port

CENTER = "from wutong.cli import main; main()"


def spawn(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", CENTER, "server", "--config", str(config)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


async def start(config: Path, port: int) -> subprocess.Popen[bytes]:
    process = spawn(config)
    async with httpx.AsyncClient() as http, asyncio.timeout(30):
        while True:
            assert process.poll() is None, "the center ended by itself"
            try:
                await http.get(f"http://127.0.0.1:{port}/api/session")
                return process
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_kill_9_between_events_loses_and_doubles_nothing(tmp_path: Path, broker_port: int) -> None:
    data, port = tmp_path / "center", free_port()
    config = tmp_path / "center.toml"
    config.write_text(config_text(data, broker_port, port))
    events = {1: opening(1), **{n: said(n, f"说的第{n}句话", at_ms=n) for n in range(2, 301)}}
    await enroll_at(config, ["court1/c03"])
    room = await RoomPeer(broker_port).start()
    killed: set[int] = set()
    process = await start(config, port)
    try:
        for attempt in range(3):
            # As the outbox does: whatever has no receipt is said again, all at once.
            for number in sorted(set(events) - room.receipts()):
                room.publish("events", events[number])
            if attempt < 2:
                enough = 60 * (attempt + 1)
                await until(lambda enough=enough: len(room.receipts()) >= enough)  # type: ignore[misc]  # a lambda's default
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                killed = room.receipts()
                stored = databases.rows(data / "center.db", "SELECT number FROM events")
                assert killed <= {row[0] for row in stored}, "a receipt was given for what was not on disk"
                process = await start(config, port)
        await until(lambda: room.receipts() == set(events), 30)
        rows = databases.rows(data / "center.db", "SELECT number, count(*) FROM events GROUP BY number")
        assert rows == [(n, 1) for n in range(1, 301)]
        assert len(killed) < 301
    finally:
        room.stop()
        process.terminate()
        assert process.wait(10) == 0
