"""How the figures of a wall follow from what the page saw."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import WutongError
from wutong.bench.live.tiles import figures, tiles_script, unpainted

CORES = {"browser": 0.9, "rooms": 0.4, "center": 0.05}


def looks(dropped_at: int | None = None, behind: int = 0) -> list[list[float]]:
    """A minute of a tile with twelve pictures a second, looked at each second; one picture is passed over at a look."""
    found = []
    for second in range(61):
        came = 12 * second
        painted = came - behind - (1 if dropped_at is not None and second >= dropped_at else 0)
        found.append([second * 1000.0, came, came - behind, painted, 0])
    return found


def raw(*tiles: list[list[float]], **more: Any) -> dict[str, Any]:
    named = {f"a/{n}/tile": {"received": 0, "looks": one, "size": [640, 360]} for n, one in enumerate(tiles)}
    return {"tiles": named, "lost": 0, "delays": [90.0, 100.0, 110.0], "opened_ms": [200.0, 180.0, 260.0]} | more


def test_a_picture_that_came_and_was_never_painted_is_dropped_and_one_that_waits_is_not() -> None:
    assert unpainted(looks()) == 0
    assert unpainted(looks(behind=2)) == 0
    assert unpainted(looks(dropped_at=30)) == 1
    assert unpainted([*looks()[:-1], [60_000.0, 720, 719, 718, 0]]) == 0, "on its way when the last look was made"


def test_figures_are_of_all_tiles_and_of_one() -> None:
    got = figures(raw(looks(), looks(dropped_at=30), looks(behind=1), looks(), lost=2), 60, CORES)
    assert (got["tiles"], got["tile_size"], got["tile_pictures_per_s"]) == (4, "640×360", 12.0)
    assert (got["dropped_per_min"], got["dropped_per_tile_and_min"], got["lost_before_the_page"]) == (3.0, 0.75, 2)
    assert (got["tile_lag_ms_p50"], got["room_opened_ms_p50"], got["room_opened_ms_max"]) == (100.0, 200.0, 260.0)
    assert (got["browser_cores"], got["rooms_cores"], got["center_cores"]) == (0.9, 0.4, 0.05)


@pytest.mark.parametrize("nothing", [raw(), raw(looks(), delays=[])])
def test_a_wall_that_stands_still_is_an_error_and_no_figure(nothing: dict[str, Any]) -> None:
    with pytest.raises(WutongError, match="no tile moved"):
        figures(nothing, 60, CORES)


def test_the_page_is_told_of_each_room_as_often_as_tiles_are_wanted() -> None:
    assert "const COPIES = 4," in tiles_script(4)
