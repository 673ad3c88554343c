"""A room whose clock is wrong is told so, in place of a certificate that cannot be verified."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sync.http.rights.rules import public
from sync.http.serve import new_app, serving
from sync.runtime.units import NS_PER_S
from sync.tls.authority import Authority, open_authority
from sync.tls.certificates import pem_of
from sync.tls.contexts import server_context
from sync.tls.keys import make_tls_key
from sync.tls.names import CENTER_HOST
from sync.uplink.trust.center_clock import CenterClock, words_of
from tests.support.peers.tls_court import DAY, shows, utc_now

YEAR = 365 * DAY


@contextlib.asynccontextmanager
async def center(court: Authority, folder: Path, *, made: dt.timedelta) -> AsyncIterator[str]:
    """A center that, by this machine's clock, made its certificate so long from now."""
    folder.mkdir(exist_ok=True)
    key = make_tls_key(folder / "server.key")
    (folder / "server.pem").write_bytes(
        pem_of(court.issue(key.public_key(), "center", [CENTER_HOST], utc_now() + made))
    )
    app = new_app("center")

    @app.get("/api/authority")
    @public()
    async def authority() -> dict[str, str]:
        return {}

    async with serving(app, "127.0.0.1", 0, tls=server_context(folder / "server.pem", folder / "server.key")) as port:
        yield f"https://127.0.0.1:{port}"


def court_in(folder: Path) -> Authority:
    """Of years ago, so that it covers whatever a clock says."""
    return open_authority(folder, "Court", utc_now() - 10 * YEAR)


@pytest.mark.parametrize(("made", "why"), [(-2 * YEAR, "expired"), (2 * YEAR, "not yet valid")])
async def test_the_centers_time_is_known_where_its_certificate_is_too_old_or_too_new_for_this_clock(
    tmp_path: Path, made: dt.timedelta, why: str
) -> None:
    court = court_in(tmp_path / "court")
    authority = tmp_path / "court" / "authority.pem"
    async with center(court, tmp_path / "center", made=made) as url:
        async with httpx.AsyncClient(verify=shows(None, authority), trust_env=False) as http:
            with pytest.raises(httpx.ConnectError, match=why):
                await http.get(url, extensions={"sni_hostname": CENTER_HOST})
        ahead_s = await CenterClock(url, authority).look()
    assert ahead_s is not None
    assert abs(ahead_s) < 60


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(None, "慢约"), (2 * YEAR, "快约 2 年"), (-3 * DAY, "慢约 3 天"), (DAY / 12, "快约 2 小时")],
    ids=["1970", "two-years", "three-days", "two-hours"],
)
async def test_a_wrong_clock_is_said_in_words_and_is_over_when_it_is_set(
    tmp_path: Path, ahead: dt.timedelta | None, said: str
) -> None:
    court = court_in(tmp_path / "court")
    now = [0 if ahead is None else int((utc_now() + ahead).timestamp()) * NS_PER_S]
    async with center(court, tmp_path / "center", made=dt.timedelta()) as url:
        clock = CenterClock(url, tmp_path / "court" / "authority.pem", utc_ns=lambda: now[0])
        assert not clock.is_wrong
        ahead_s = await clock.look()
        assert ahead_s is not None
        assert clock.is_wrong
        words = words_of(ahead_s)
        assert words.startswith("时钟不对")
        assert said in words
        assert "certificate" not in words
        now[0] = time.time_ns()
        await clock.look()
        assert not clock.is_wrong


async def test_whom_the_authority_does_not_vouch_for_says_no_time(tmp_path: Path) -> None:
    """Neither somebody else's center, nor a machine of the court that is no center."""
    court_in(tmp_path / "court")
    other = court_in(tmp_path / "other")
    authority = tmp_path / "court" / "authority.pem"
    async with center(other, tmp_path / "center", made=dt.timedelta()) as url:
        assert await CenterClock(url, authority, utc_ns=lambda: 0).look() is None
    court = court_in(tmp_path / "court")
    key = make_tls_key(tmp_path / "room.key")
    (tmp_path / "room.pem").write_bytes(pem_of(court.issue(key.public_key(), "court1/c03", ["127.0.0.1"], utc_now())))
    context = server_context(tmp_path / "room.pem", tmp_path / "room.key")
    async with serving(new_app("room"), "127.0.0.1", 0, tls=context) as port:
        assert await CenterClock(f"https://127.0.0.1:{port}", authority, utc_ns=lambda: 0).look() is None


async def test_a_center_that_is_away_or_plain_or_unknown_is_no_reason_to_doubt_the_clock(tmp_path: Path) -> None:
    court_in(tmp_path / "court")
    authority = tmp_path / "court" / "authority.pem"
    for url, known in (
        ("https://127.0.0.1:1", authority),
        ("http://127.0.0.1:1", authority),
        ("https://127.0.0.1:1", tmp_path / "none"),
    ):
        clock = CenterClock(url, known, utc_ns=lambda: 0)
        assert await asyncio.wait_for(clock.look(), 30) is None
        assert not clock.is_wrong
