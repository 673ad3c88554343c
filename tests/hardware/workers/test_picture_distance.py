"""A picture is expected to last as long as those before it, whatever the profile says."""

from __future__ import annotations

from hardware.workers.picture_distance import PICTURES_MEASURED, PictureDistance


def test_it_is_measured_from_the_second_picture_on_and_one_late_picture_changes_nothing() -> None:
    distance = PictureDistance(3600)
    assert distance.after(0) == 3600
    assert [distance.after(at) for at in (9000, 18_000, 54_000, 63_000)] == [9000, 9000, 9000, 9000]


def test_a_pace_that_changes_is_followed() -> None:
    distance = PictureDistance(3600)
    at = 0
    for _ in range(PICTURES_MEASURED):
        distance.after(at := at + 3600)
    for _ in range(PICTURES_MEASURED):
        last = distance.after(at := at + 45_000)
    assert last == 45_000
