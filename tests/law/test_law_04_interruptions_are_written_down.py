"""4. Start, stop, interruptions and their reasons make a signed record for the file (art. 3)."""

from __future__ import annotations

from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import load_key
from sync.ledger.leaf import leaf_of
from sync.ledger.note import Verifier, read_note, signed_by
from sync.ledger.tree import leaf_hash, root_of
from sync.record.hearing import Hearing
from sync.room.checkpoints import Checkpoints, StoredCheckpoint
from sync.room.event_log import RoomLog
from tests.support.rooms.edge_room import Room, until


async def test_each_act_is_an_event_with_its_time_and_reason_under_the_devices_signature(courtroom: Room) -> None:
    hearing = (await courtroom.open())["id"]
    await courtroom.clerk.post("/api/hearing/pause", json={"reason": "mediation"})
    await courtroom.clerk.post("/api/hearing/resume")
    await courtroom.clerk.post("/api/hearing/close")
    log = RoomLog(courtroom.layout.log)
    try:
        events = [e for e in log.of_hearing(hearing) if e.kind in ("open", "pause", "resume", "close")]
        assert [e.kind for e in events] == ["open", "pause", "resume", "close"]
        assert events[1].body["reason"] == "mediation"
        times = [(e.room_ns, e.utc_ns) for e in events]
        assert times == sorted(times)
        assert all(utc_ns > 0 for _, utc_ns in times)
        [pause] = Hearing.of(hearing, events).pauses
        assert (pause.from_ns, pause.to_ns) == (events[1].room_ns, events[2].room_ns)
        checkpoints = Checkpoints(courtroom.layout.log)

        def signed() -> StoredCheckpoint | None:
            last = checkpoints.last(hearing)
            count = len([e for e in log.of_hearing(hearing) if e.number <= events[-1].number])
            return last if last is not None and last.size >= count else None

        stored: StoredCheckpoint = await until(signed, 60)
        head = Checkpoint.from_text(read_note(stored.note).text)
        assert head.root == root_of(leaf_hash(leaf_of(e)) for e in log.of_hearing(hearing)[: stored.size])
        device = load_key(courtroom.layout.device_key).public_key()
        names = {name for name, _ in read_note(stored.note).lines}
        assert any(signed_by(read_note(stored.note), Verifier(name, device)) == 0 for name in names)
        checkpoints.close()
    finally:
        log.close()
