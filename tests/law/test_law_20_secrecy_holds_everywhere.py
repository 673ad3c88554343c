"""20. Secrecy holds at recording, storage, viewing, copying and writing out (art. 16)."""

from __future__ import annotations

import json
import stat

from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.uplink.live.live_publisher import Leave
from tests.support.peers.center_peers import RoomPeer, Served, opening, said, until
from tests.support.rooms.edge_room import Room
from tests.support.rooms.recorder_room import RecorderRoom


async def test_what_is_said_in_closed_session_is_not_even_recorded(recorder: RecorderRoom) -> None:
    await recorder.until(recorder.running, "all sources run")
    recorder.say("open", case={}, seats=[], tracks=[])
    await recorder.record(1, "bench", "mics", "mix")
    closed_ns = recorder.say("pause", reason="closed_evidence")
    await recorder.until(lambda: not any(t["kept"] for t in recorder.status["tracks"]), "nothing is kept")
    await recorder.pass_media("mics", 2)
    opened_ns = recorder.say("resume")
    await recorder.pass_media("bench", 1)
    recorder.say("close")
    view = await recorder.closed("bench", "mics", "mix")
    for segment in view.segments:
        inside_ns = min(segment.to_ns, opened_ns) - max(segment.from_ns, closed_ns)
        assert inside_ns < 1_200_000_000, segment  # a key frame before the resumption, never the session


def test_nothing_of_a_closed_session_leaves_the_room() -> None:
    for reason in ("closed_evidence", "mediation"):
        events = [Event(1, "h", "open", 1, 1, {}), Event(2, "h", "pause", 2, 2, {"reason": reason})]
        assert Leave.of(Hearing.of("h", events)) is Leave.NOTHING


async def test_nothing_is_presented_while_the_session_is_closed(courtroom: Room) -> None:
    await courtroom.open()
    await courtroom.clerk.post("/api/hearing/pause", json={"reason": "closed_evidence"})
    answer = await courtroom.clerk.put("/api/presentation", json={"exhibit": "e1", "page": 1})
    assert answer.json()["code"] == "paused"


async def test_secrets_of_a_room_are_readable_by_its_service_alone(courtroom: Room) -> None:
    for path in (courtroom.layout.access, courtroom.layout.display_token):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_sealed_hearing_can_be_seen_searched_copied_and_written_out_by_nobody(
    archive: Served, sender: RoomPeer
) -> None:
    sender.publish("events", opening(1))
    sender.publish("events", said(2, "涉及商业秘密的配方", at_ms=100))
    await until(lambda: {1, 2} <= sender.receipts())
    async with archive.inspector() as http, archive.inspector("archivist") as archivist:
        assert len((await http.get("/api/search", params={"q": "配方"})).json()) == 1
        seal = {"level": "sealed", "reason": "涉及商业秘密"}
        assert (await http.put("/api/hearings/h1/access", json=seal)).status_code == 200
        for who in (http, archivist):
            for path in ("", "/media/bench?from_ms=0&to_ms=1", "/exhibits/e1", "/explanation"):
                assert (await who.get(f"/api/hearings/h1{path}")).json()["code"] == "sealed", path
            assert (await who.get("/api/search", params={"q": "配方"})).json() == []
    [line] = await archive.audited("level")
    assert json.loads(line["detail"])["reason"] == "涉及商业秘密"
