"""The trail of requests grows with what people do, and leaves nothing out."""

from __future__ import annotations

from typing import Any

from sync.http.audit.outcomes import (
    FREE_LINES,
    IDLE_S,
    LONGEST_S,
    MAX_OPEN,
    MAX_PARTS,
    MINUTE_S,
    OPENED,
    WEBSOCKET,
    Outcome,
    RequestTrail,
)
from sync.http.rights.people import Session

HEARING = "/api/hearings/{hearing}"
PAGE = HEARING + "/exhibits/{exhibit}/pages/{page}"


def somebody(role: str = "inspector") -> Session:
    return Session(role, "督查员", 0.0, 0.0)


def outcome(session: Session, hearing: str = "h1", *, status: int = 200, **more: Any) -> Outcome:
    values = {"method": "GET", "route": HEARING, "params": {"hearing": hearing}, **more}
    return Outcome(session, "10.0.0.9", status=status, **values)


def test_a_page_that_asks_again_and_again_is_a_beginning_and_an_end() -> None:
    trail, session = RequestTrail(), somebody()
    lines = [trail.took(outcome(session), now_s) for now_s in range(0, 600, 2)]
    assert [line.what for line in lines if line is not None] == ["view"]
    assert trail.due(598 + IDLE_S) == []
    [end] = trail.due(599 + IDLE_S)
    assert (end.what, end.detail["times"], end.detail["seconds"], end.detail["hearing"]) == ("viewed", 300, 598, "h1")
    assert trail.due(1e6) == []


def test_each_hearing_and_each_session_and_each_thing_is_a_line_of_its_own() -> None:
    trail, session = RequestTrail(), somebody()
    lines = [trail.took(outcome(session, f"h{n}"), 0) for n in range(200)]
    assert all(lines), "who takes two hundred hearings is seen to take each"
    assert trail.took(outcome(somebody()), 0) is not None
    exhibit: dict[str, Any] = {"route": PAGE, "params": {"hearing": "h1", "exhibit": "e1", "page": "1"}}
    assert trail.took(outcome(session, **exhibit), 0) is not None
    assert trail.took(outcome(session, method="PUT"), 0) is not None


def test_the_pages_of_one_exhibit_are_one_stretch_that_names_them() -> None:
    trail, session = RequestTrail(), somebody()
    pages = [{"hearing": "h1", "exhibit": "e1", "page": str(page)} for page in range(1, MAX_PARTS + 1)]
    lines = [trail.took(outcome(session, route=PAGE, params=params), 0) for params in [*pages, *pages]]
    assert sum(line is not None for line in lines) == 1
    [end] = trail.due(0, now=True)
    assert end.detail["times"] == 2 * MAX_PARTS
    assert end.detail["parts"] == [str(page) for page in range(1, MAX_PARTS + 1)]


def test_nobody_hides_a_page_behind_many_others() -> None:
    """Forty harmless ones first, or so many that a list is cut off, or the same ones again and again."""
    trail, session = RequestTrail(), somebody()
    pages = [{"hearing": "h1", "exhibit": "e1", "page": str(page % 777 + 1)} for page in range(1000)]
    begun = [line for one in pages if (line := trail.took(outcome(session, route=PAGE, params=one), 0)) is not None]
    ended = trail.due(0, now=True)
    named = {part for line in (*begun, *ended) for part in line.detail.get("parts", [])}
    assert named == {str(page) for page in range(1, 778)}
    assert sum(line.detail["times"] for line in ended) == 1000
    assert len(begun) + len(ended) <= 2 * (1000 // MAX_PARTS + 1)
    assert all(len(line.detail.get("parts", [])) <= MAX_PARTS for line in ended)


def test_who_hammers_at_what_is_not_for_them_is_counted_and_none_is_left_out() -> None:
    trail, session = RequestTrail(), somebody()
    refused = [outcome(session, f"h{n}", status=403, code="sealed") for n in range(5000)]
    lines = [line for one in refused if (line := trail.took(one, 0)) is not None]
    assert [line.what for line in lines] == ["refused"] * FREE_LINES
    assert lines[0].detail["code"] == "sealed"
    missing = [trail.took(outcome(session, f"x{n}", status=404, code="not-found"), 1) for n in range(7)]
    assert missing == [None] * 7
    assert trail.took(outcome(session), 1) is not None, "what they may do is noted all the same"
    [more] = [line for line in trail.due(MINUTE_S) if "more" in line.detail]
    assert more.detail["more"] == 5000 - FREE_LINES + 7
    assert more.detail["of"] == {"403 sealed": 5000 - FREE_LINES, "404 not-found": 7}
    assert (more.what, more.role, more.address) == ("refused", "inspector", "10.0.0.9")


def test_four_times_the_same_refusal_are_two_lines() -> None:
    trail, session = RequestTrail(), somebody()
    lines = [trail.took(outcome(session, status=403, code="sealed"), 0) for _ in range(4)]
    assert [line is not None for line in lines] == [True, False, False, False]
    [end] = trail.due(0, now=True)
    assert (end.what, end.detail["times"], end.detail["status"]) == ("refused", 4, 403)


def test_a_stretch_that_goes_on_all_day_has_a_line_each_hour() -> None:
    trail, session = RequestTrail(), somebody()
    ends = []
    for now_s in range(0, 3 * int(LONGEST_S), 30):
        trail.took(outcome(session), now_s)
        ends += trail.due(now_s)
    ends += trail.due(4 * LONGEST_S)
    assert sum(end.detail["times"] for end in ends) == 3 * LONGEST_S / 30
    assert 3 <= len(ends) <= 4


def test_a_websocket_lasts_until_it_ends_and_three_tabs_are_one() -> None:
    trail, session = RequestTrail(), somebody()
    live = outcome(session, method=WEBSOCKET, route="/api/live", params={}, status=OPENED)
    lines = [trail.took(live, now_s) for now_s in (0, 1, 2)]
    assert [line.what for line in lines if line is not None] == ["view"]
    for now_s in (100, 200):
        trail.closed(live, now_s)
        assert trail.due(now_s) == []
    trail.closed(live, 300)
    [end] = trail.due(301 + IDLE_S)
    assert (end.what, end.detail["times"], end.detail["seconds"]) == ("viewed", 3, 300)


def test_what_could_not_be_kept_begins_again() -> None:
    trail, session = RequestTrail(), somebody()
    assert trail.took(outcome(session), 0) is not None
    trail.forget(outcome(session))
    assert trail.took(outcome(session), 1) is not None


def test_open_stretches_are_bounded_and_those_that_are_ended_early_are_told() -> None:
    trail, session = RequestTrail(), somebody()
    for n in range(MAX_OPEN + 50):
        trail.took(outcome(session, f"h{n}"), 0)
        trail.took(outcome(session, f"h{n}"), 0)
    assert len(trail.due(1)) == 50
    assert len(trail.due(1, now=True)) == MAX_OPEN


def test_the_grant_of_a_party_and_what_the_route_adds_are_on_the_line() -> None:
    session = Session("party", "被告代理人 赵律师", 0.0, 0.0, grant="g1")
    line = RequestTrail().took(outcome(session, route="/api/view", params={}, said={"hearing": "h7", "hits": 3}), 0)
    assert line is not None
    assert {"hearing": "h7", "hits": 3, "grant": "g1", "name": "被告代理人 赵律师"}.items() <= line.detail.items()
    assert session.id in str(line.detail)
