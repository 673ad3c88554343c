"""Which stretches of time are transcribed."""

from __future__ import annotations

from pathlib import Path

from sync.record.event import Event
from transcriber.backlog import Backlog
from transcriber.progress import ResumePoint


def event(number: int, kind: str, room_ns: int, hearing: str = "a") -> Event:
    return Event(number, hearing, kind, room_ns, 0, {"reason": "recess"} if kind == "pause" else {})


def test_pauses_are_left_out_and_the_rest_is_kept() -> None:
    backlog = Backlog()
    backlog.apply([event(1, "open", 100), event(2, "pause", 200), event(3, "resume", 300)])
    job = backlog.current
    assert job is not None
    assert job.resumes_ns(50) == 100
    assert (job.resumes_ns(150), job.ends_ns(150)) == (150, 200)
    assert job.resumes_ns(200) == 300
    assert (job.resumes_ns(300), job.ends_ns(300)) == (300, None)
    backlog.apply([event(4, "pause", 400), event(5, "close", 500)])
    assert job.ends_ns(300) == 400
    assert job.resumes_ns(400) is None
    assert job.resumes_ns(500) is None


def test_hearings_come_one_after_the_other() -> None:
    backlog = Backlog()
    backlog.apply([event(1, "open", 1), event(2, "close", 5), event(3, "open", 9, "b"), event(4, "mark", 9, "b")])
    assert backlog.current is not None
    assert (backlog.current.hearing, backlog.current.closed_ns) == ("a", 5)
    backlog.done()
    assert backlog.current is not None
    assert (backlog.current.hearing, backlog.current.closed_ns) == ("b", None)


def test_progress_survives_and_damage_is_known(tmp_path: Path) -> None:
    path = tmp_path / "run" / "transcriber.json"
    assert ResumePoint.read(path) == ResumePoint(lost=True)
    ResumePoint(7, "a", 123).write(path)
    assert ResumePoint.read(path) == ResumePoint(7, "a", 123)
    path.write_bytes(b"")
    assert ResumePoint.read(path) == ResumePoint(lost=True)


def test_without_progress_the_last_hearing_comes_first_and_then_those_without_words() -> None:
    backlog = Backlog()
    told = [
        ("open", "worded"),
        ("utterance", "worded"),
        ("close", "worded"),
        ("open", "wordless"),
        ("close", "wordless"),
    ]
    backlog.apply([event(number, kind, number, name) for number, (kind, name) in enumerate([*told, ("open", "now")])])
    backlog.begin_anew()
    assert [job.hearing for job in backlog.waiting] == ["now", "wordless"]
