"""Where the time went between a kill and the next sample, by lines of a recorder's log that are made here."""

from __future__ import annotations

from typing import Any

from wutong.bench.kill.deaths import Death
from wutong.bench.kill.steps import lines_of

S = 1_000_000_000


def run_kept(track: str, init_s: float, offered_s: float, kept_s: float) -> dict[str, Any]:
    at = {"init_ns": int(init_s * S), "offered_ns": int(offered_s * S), "kept_ns": int(kept_s * S)}
    return {"event": "run_kept", "track": track, "run": 1, "from_ns": at["init_ns"], **at}


def test_a_killed_recorder_s_steps_follow_each_other_to_the_first_fragment_on_disk() -> None:
    said = [
        {"event": "startup_times", "process_ns": 0, "imports_ns": S, "clock_ns": S, "parts_ns": S},
        {"event": "source_starts", "source": "mics", "at_ns": S},
        run_kept("mics", 1.1, 1.6, 1.7),
        {"event": "startup_times", "process_ns": 11 * S, "imports_ns": 13 * S, "clock_ns": 13 * S, "parts_ns": 14 * S},
        {"event": "source_starts", "source": "mics", "at_ns": 14 * S},
        run_kept("mics", 14.5, 15.0, 15.25),
    ]
    lines = lines_of(said, [Death("recorder", 10 * S, ("mics",))])
    assert lines[:4] == ["restart: 1.00 / 1.00", "imports: 2.00 / 2.00", "clock: 0.00 / 0.00", "parts: 1.00 / 1.00"]
    assert lines[4:7] == [
        "worker is started: 0.00 / 0.00",
        "worker's first bytes: 0.50 / 0.50",
        "clock settled: 0.50 / 0.50",
    ]
    assert lines[7] == "first fragment synced: 0.25 / 0.25"
    assert lines[8].startswith("slowest: recorder → mics, 1 starts: restart 1.00, imports 2.00")


def test_a_worker_that_had_to_be_started_twice_is_told_so() -> None:
    said = [
        {"event": "source_ended", "source": "bench", "at_ns": int(10.5 * S)},
        {"event": "source_starts", "source": "bench", "at_ns": 11 * S},
        {"event": "source_ended", "source": "bench", "at_ns": 12 * S},
        {"event": "source_starts", "source": "bench", "at_ns": 13 * S},
        run_kept("bench", 14, 15, 15),
    ]
    lines = lines_of(said, [Death("camera", 10 * S, ("bench",)), Death("uplink", 10 * S, ())])
    assert lines[:2] == ["noticed: 0.50 / 0.50", "worker is started again: 2.50 / 2.50"]
    assert "camera → bench, 2 starts" in lines[-1]


def test_what_never_came_back_has_no_steps() -> None:
    assert lines_of([], [Death("camera", 10 * S, ("bench",))]) == []
