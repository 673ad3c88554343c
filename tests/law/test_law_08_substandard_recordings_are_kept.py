"""8. Substandard recordings are kept too, never discarded (art. 5): no route and no command deletes the record."""

from __future__ import annotations

from typer.main import get_command

from tests.support.peers.center_peers import RoomPeer, Served, event, opening, until
from tests.support.rooms.recorder_room import RecorderRoom
from wutong.cli import app


async def test_a_bad_recording_is_flagged_and_still_played(archive: Served, sender: RoomPeer) -> None:
    sender.publish("events", opening(1))
    bad = {"code": "readback", "subject": "bench", "text": "画面黑屏"}
    sender.publish("events", event(2, "alarm", bad, at_ms=10))
    sender.publish("events", event(3, "close", {}, at_ms=20))
    await until(lambda: {1, 2, 3} <= sender.receipts())
    async with archive.inspector() as http:
        record = (await http.get("/api/hearings/h1")).json()
        assert [a["text"] for a in record["alarms"]] == ["画面黑屏"]
        for path in ("/api/hearings/h1", "/api/hearings/h1/media/bench", "/api/hearings/h1/exhibits/e1"):
            for method in ("DELETE", "PUT", "PATCH", "POST"):
                assert (await http.request(method, path)).status_code == 405, (method, path)


async def test_no_route_of_the_center_takes_anything_from_the_record(archive: Served) -> None:
    deleting = {
        route.path for route in archive.center.app.router.routes if "DELETE" in (getattr(route, "methods", None) or ())
    }
    # Signing out; an unfinished upload; what was sent for a self-test; a party's leave to view; a court in which nobody
    # and no room is; that a room's machine is to be replaced. None holds a hearing.
    assert deleting == {
        "/api/session",
        "/api/account/sessions",
        "/api/account/sessions/{session}",
        "/api/admin/people/{person}/sessions",
        "/api/admin/people/{person}/sessions/{session}",
        "/api/uploads/{uuid}",
        "/api/selftest/{test}",
        "/api/grants/{grant}",
        "/api/admin/courts/{slug}",
        "/api/admin/rooms/{court}/{room}/move",
    }


def test_no_command_deletes_a_recording() -> None:
    names = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group
    assert not {n for n in names if any(word in n for word in ("delete", "remove", "purge", "prune", "clean", "erase"))}


async def test_silence_is_kept_like_everything_else(recorder: RecorderRoom) -> None:
    await recorder.until(recorder.running, "all sources run")  # nobody plays: the microphones hear nothing
    recorder.say("open", case={}, seats=[], tracks=[])
    await recorder.pass_media("mics", 5)
    recorder.say("close")
    view = await recorder.closed("bench", "mics", "mix")
    assert sum(s.bytes for s in view.segments if s.track == "mics") > 0
    assert all((recorder.layout.hearing(recorder.hearing) / s.file).exists() for s in view.segments)
