"""Fault 32: what waited for a day is sent while the next hearing goes on.

Lost: nothing. The events of the hearing that goes on do not stand behind those of the day, and the day arrives whole
beside them, each hearing in its order; so do the files.
"""

from __future__ import annotations

from pathlib import Path

from sync.broker_address import BrokerAddress
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.files.upload_store import Upload, UploadStore
from tests.support.files import databases
from tests.support.peers.center_peers import Served, opening, until
from tests.support.peers.real_room import sending_room, stored_at

HEARINGS = 5
WORDS = 300


def spend_a_day(folder: Path) -> None:
    """Hearings of which the center has heard nothing."""
    layout = RoomPaths(folder)
    log = RoomLog(layout.log)
    utterance = {"seat": "judge", "role": "审判长", "text": "昨天说的话", "confidence": 0.9, "words": []}
    for hearing in range(HEARINGS):
        name = f"yesterday-{hearing}"
        log.append("open", opening(1)["body"], hearing=name, room_ns=1, utc_ns=1)
        for word in range(WORDS):
            body = {"id": f"u{word}", "start_ns": word, "end_ns": word + 1, **utterance}
            log.append("utterance", body, hearing=name, room_ns=word, utc_ns=word)
        log.append("close", {}, hearing=name, room_ns=WORDS, utc_ns=WORDS)
    log.close()


async def test_todays_words_go_before_yesterdays_and_both_arrive(served: Served, tmp_path: Path) -> None:
    spend_a_day(tmp_path / "room")
    address = BrokerAddress("127.0.0.1", served.broker_port, "room")
    async with sending_room(served.data, tmp_path / "room", address) as room:
        await until(lambda: room.line.connected and len(stored_at(served.data)) > 0)
        room.open("today")
        for turn in range(5):
            number = room.utter("today", f"今天第{turn}句")
            await until(lambda number=number: number in stored_at(served.data), 30)  # type: ignore[misc]  # a lambda's default
        await until(lambda: room.log.pending_count() == 0, 60)
        assert stored_at(served.data) == room.digests()
    rows = databases.rows(served.data / "center.db", "SELECT hearing, number FROM events ORDER BY rowid")
    _, spoken = [place for place, (hearing, _) in enumerate(rows) if hearing == "today"][:2]
    assert {hearing for hearing, _ in rows[spoken:]} > {"today"}, "yesterday's still waited then"
    for hearing in {name for name, _ in rows}:
        came = [number for name, number in rows if name == hearing]
        assert came == sorted(came), "each hearing comes in its order"


def test_the_files_of_the_open_hearing_go_first(tmp_path: Path) -> None:
    store = UploadStore(tmp_path / "upload.db")
    log = RoomLog(tmp_path / "room.db")
    try:
        for hearing in ("monday", "tuesday", "today"):
            for index in range(3):
                body = {"track": "bench", "index": index, "file": f"bench/{index:05}.mp4", "bytes": 9, "from_ns": 0}
                body |= {
                    "sha256": f"{hearing}-{index}".ljust(64, "0"),
                    "sm3": "",
                    "to_ns": 1,
                    "fragments": 1,
                    "mime": "",
                }
                log.append("segment", body, hearing=hearing, room_ns=1, utc_ns=1)
        store.take(log.since(0))

        def order(first: str | None) -> list[str]:
            return [upload.hearing for upload in store.finished(limit=100, first=first)]

        assert order("today") == ["today"] * 3 + ["monday"] * 3 + ["tuesday"] * 3
        assert order(None) == ["monday"] * 3 + ["tuesday"] * 3 + ["today"] * 3
        assert all(isinstance(upload, Upload) for upload in store.finished(limit=1))
    finally:
        store.close()
        log.close()
