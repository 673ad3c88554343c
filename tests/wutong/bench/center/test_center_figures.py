"""The figures of `wutong bench center`: what is not seen is not told, and slopes are between the right points."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from wutong.bench.center.load import WATCHED, watched_tracks
from wutong.bench.center.measured_center import BenchedRoom
from wutong.bench.center.point import MeasuredPoint, needed, percentiles
from wutong.bench.center.record_size import RecordSize
from wutong.bench.center.rooms.observed import CLAIM, OTHER_REQUEST, RECEIPT, UPLOAD, kind_of_request
from wutong.bench.center.samples import Samples, joined
from wutong.bench.center.unit_costs import unit_costs
from wutong.bench.center.usage import CENTER, UsageLook, UsedBetween


def point(rooms: int, watched: int, inspectors: int, cores: float, rss_mib: float) -> MeasuredPoint:
    parts = dict.fromkeys(("broker", "rooms", "wall", "bench"), 0.1) | {CENTER: cores}
    used = UsedBetween(60, parts, cores / 2, 0.0, rss_mib)
    size = RecordSize(0, 0, 0)
    return MeasuredPoint(rooms, watched, inspectors, used, {"ms": {}, "counts": {}}, 0, size, size)


def test_unit_costs_are_the_slopes() -> None:
    points = [point(25, 0, 0, 0.2, 130), point(50, 0, 0, 0.3, 140), point(50, 0, 10, 0.36, 141)]
    points.append(point(50, 50, 10, 0.46, 142))
    costs = unit_costs(points)
    assert costs == pytest.approx(
        {"room_millicores": 4, "room_mib": 0.4, "tab_millicores": 6, "track_millicores": 2}, abs=0.01
    )
    assert set(unit_costs(points[:2])) == {"room_millicores", "room_mib"}


def test_what_was_not_seen_has_no_figure_and_what_was_to_be_seen_is_named() -> None:
    assert percentiles("claim_ms", []) == {"claim_ms_p50": None, "claim_ms_p99": None}
    assert percentiles("claim_ms", [1.0, 2.0, 3.0])["claim_ms_p50"] == 2.0
    nothing = point(1, 1, 1, 0.1, 100)
    assert {"fragment_ms", "thumbnail_ms", "ping_ms", RECEIPT, UPLOAD} == set(needed(nothing))
    assert "fragment_ms" not in needed(point(1, 0, 1, 0.1, 100))
    assert nothing.figures()["receipt_ms_p99"] is None


def test_each_track_is_watched_once_the_first_camera_of_every_room_before_any_other() -> None:
    rooms = [BenchedRoom(f"bench/r{n}", Path(), "", "") for n in range(3)]
    every = watched_tracks(rooms, 12)
    assert len(set(every)) == 12
    assert every[:3] == [f"bench/r{n}/{WATCHED[0]}" for n in range(3)]
    assert every[3] == f"bench/r0/{WATCHED[1]}"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("PATCH", "/api/uploads/abc", UPLOAD),
        ("POST", "/api/uploads/", UPLOAD),
        ("POST", "/api/pieces", UPLOAD),
        ("POST", "/api/objects", CLAIM),
        ("HEAD", "/api/uploads/abc", OTHER_REQUEST),
        ("OPTIONS", "/api/uploads/", OTHER_REQUEST),
        ("POST", "/api/certificate", OTHER_REQUEST),
    ],
)
def test_media_are_uploads_by_whatever_route_they_go(method: str, path: str, kind: str) -> None:
    assert kind_of_request(method, path) == kind


def test_what_several_processes_saw_is_one_and_what_was_before_is_forgotten() -> None:
    one, other = Samples(), Samples()
    one.since("x", 0)
    one.begin()
    for samples in (one, other):
        samples.since("x", 0)
        samples.count("n", 2)
    report = joined([one.report(), other.report()])
    assert (len(report["ms"]["x"]), report["counts"]) == (2, {"n": 4})


def test_what_others_took_is_all_that_is_not_ours() -> None:
    before = UsageLook(10, 100, {CENTER: 5.0, "rooms": 1.0}, 2, 0)
    after = UsageLook(20, 108, {CENTER: 9.0, "rooms": 2.0, "wall": 1.0}, 5, 50 * 2**20)
    used = UsedBetween.of(before, after)
    assert used.cores == {CENTER: 0.4, "rooms": 0.1, "wall": 0.1}
    assert (used.loop_cores, used.center_rss_mib) == (0.3, 50)
    assert used.other_cores == pytest.approx(0.2)


def test_the_record_s_size_counts_rows_and_each_file_once(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "center.db")
    database.execute("CREATE TABLE events (n INTEGER)")
    database.executemany("INSERT INTO events VALUES (?)", [(n,) for n in range(7)])
    database.commit()
    database.close()
    for folder in ("objects/aa", "uploads"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "objects/aa/one").write_bytes(b"x" * 100)
    (tmp_path / "uploads/two").hardlink_to(tmp_path / "objects/aa/one")
    (tmp_path / "uploads/three").write_bytes(b"x" * 20)
    size = RecordSize.of(tmp_path)
    assert (size.rows, size.upload_bytes) == (7, 120)
    assert size.database_bytes > 0
