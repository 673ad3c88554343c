"""Whom something is for is found without asking every tab, and nothing is kept of who has gone."""

from __future__ import annotations

from sync.http.live.audience import Audience
from sync.http.live.tab import LiveTab
from sync.media.gop_cache import GopStart


def watch(audience: Audience, tab: LiveTab, name: str) -> None:
    tab.start(name, None, GopStart())
    audience.watch(tab, name)


def test_each_is_found_by_what_it_wants() -> None:
    audience = Audience()
    one, two, panel = LiveTab(), LiveTab(), LiveTab()
    for tab in (one, two, panel):
        audience.join(tab, sees_all=tab is panel)
    watch(audience, one, "a/1/bench")
    watch(audience, two, "a/1/bench")
    watch(audience, two, "a/1/mix")
    audience.want(one, follows=frozenset({"a/2"}), sees=frozenset({"a/1", "a/3"}))
    assert set(audience.watchers("a/1/bench")) == {one, two}
    assert set(audience.watchers("a/9/bench")) == set()
    assert audience.watchers_of("a/1") == {one, two}
    assert set(audience.tracks_watched("a/1")) == {"a/1/bench", "a/1/mix"}
    assert set(audience.followers("a/2")) == {one}
    assert [set(audience.seers(room)) for room in ("a/1", "a/2", "a/4")] == [{one, panel}, {one, panel}, {panel}]
    assert audience.rooms_wanted == {"a/1", "a/2"}


def test_what_comes_into_sight_and_goes_out_of_it_is_said_once() -> None:
    audience, tab = Audience(), LiveTab()
    audience.join(tab, sees_all=False)

    def wants(follows: set[str], sees: set[str]) -> list[set[str]]:
        return [set(one) for one in audience.want(tab, follows=frozenset(follows), sees=frozenset(sees))]

    assert wants(set(), {"a/1", "a/2"}) == [set(), {"a/1", "a/2"}, set()]
    assert wants({"a/2"}, {"a/1"}) == [{"a/2"}, set(), set()]
    assert wants(set(), {"a/3"}) == [{"a/2"}, {"a/3"}, {"a/1", "a/2"}]
    assert audience.sees(tab, "a/3")
    assert not audience.sees(tab, "a/1")


def test_nothing_is_kept_of_who_has_gone() -> None:
    audience, tab = Audience(), LiveTab()
    audience.join(tab, sees_all=False)
    watch(audience, tab, "a/1/bench")
    audience.want(tab, follows=frozenset({"a/2"}), sees=frozenset({"a/3"}))
    assert audience.leave(tab) == {"a/1", "a/2"}
    assert not audience.rooms_wanted
    assert not audience.watched
    kept = [audience._tracks, audience._follows, audience._sees, audience._seeing_all]
    kept += [index.tabs for index in (audience._watching, audience._following, audience._seeing)]
    assert not any(kept)
