"""A small server's certificate: needed beyond this machine, taken anew without a restart, and its end is said."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from sync.errors import ConfigError
from sync.http.serve import new_app, serving
from sync.tls.authority import Authority, open_authority
from sync.tls.contexts import client_context, trust
from sync.tls.plain import PlainPolicy
from sync.tls.served import ServedTls
from tests.support.peers.tls_court import DAY, served_by, utc_now

CLOSED = PlainPolicy(None, setting="--plain-until")


@pytest.fixture
def court(tmp_path: Path) -> Authority:
    return open_authority(tmp_path / "court", "Court", utc_now())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.9", "words.court.example", "127.0.0.1.example", ""])
def test_an_address_of_a_network_needs_a_certificate_or_a_day(host: str) -> None:
    with pytest.raises(ConfigError, match="--certificate") as refusal:
        ServedTls(host, None, CLOSED)
    assert "--plain-until" in refusal.value.message
    today = utc_now().date()
    with pytest.raises(ConfigError, match="--plain-until"):
        ServedTls(host, None, PlainPolicy(today, setting="--plain-until"))
    with capture_logs() as said:
        own = ServedTls(host, None, PlainPolicy(today + DAY))
    assert own.context is None
    assert own.is_plain_open()
    assert [line["log_level"] for line in said if line["event"] == "plain_wire"] == ["error"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_this_machine_none_is_needed(host: str) -> None:
    own = ServedTls(host, None, CLOSED)
    assert own.context is None
    assert not own.follow()


def test_a_certificate_without_its_key_or_with_one_that_others_may_read_is_refused(
    court: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = served_by(court, tmp_path, "127.0.0.1")
    other = served_by(court, tmp_path / "other", "127.0.0.1")[1]
    for files in ((certificate, other), (key, key), (certificate, tmp_path / "none")):
        with pytest.raises(ConfigError, match="cannot be used"):
            ServedTls("127.0.0.1", files, CLOSED)
    key.chmod(0o640)
    with pytest.raises(ConfigError, match="0600"):
        ServedTls("127.0.0.1", (certificate, key), CLOSED)
    # As a credential of systemd, whose access list shows as the group's rights.
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert ServedTls("127.0.0.1", (certificate, key), CLOSED).context is not None
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="0600"):
        ServedTls("127.0.0.1", (certificate, key), CLOSED)


async def test_a_new_certificate_is_shown_without_a_restart_and_an_unusable_one_is_not_taken(
    court: Authority, tmp_path: Path
) -> None:
    files = served_by(court, tmp_path, "127.0.0.1", lasts=20 * DAY)
    with capture_logs() as said:
        own = ServedTls("127.0.0.1", files, CLOSED)
    assert [line["event"] for line in said] == ["certificate_ends"]
    assert own.context is not None
    context = client_context()
    trust(context, tmp_path / "court" / "authority.pem")
    async with serving(new_app("small"), "127.0.0.1", 0, tls=own.context, plain=own.is_plain_open) as port:

        async def shown_until() -> dt.datetime:
            async with (
                httpx.AsyncClient(verify=context) as http,
                http.stream("GET", f"https://127.0.0.1:{port}/") as got,
            ):
                peer = got.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
                return dt.datetime.strptime(peer["notAfter"], "%b %d %H:%M:%S %Y GMT").replace(tzinfo=dt.UTC)

        assert (await shown_until()) < utc_now() + 21 * DAY
        whole = files[0].read_bytes()
        files[0].write_bytes(whole[:-100])
        with capture_logs() as said:
            assert not own.follow()
        assert "certificate_unusable" in [line["event"] for line in said]
        assert (await shown_until()) < utc_now() + 21 * DAY
        served_by(court, tmp_path, "127.0.0.1")
        assert own.follow()
        assert not own.follow()
        assert (await shown_until()) > utc_now() + 300 * DAY


def test_the_end_is_said_once_a_day(court: Authority, tmp_path: Path) -> None:
    now = [utc_now()]
    own = ServedTls("127.0.0.1", served_by(court, tmp_path, "127.0.0.1"), CLOSED, now=lambda: now[0])
    for days, lines in ((1, 0), (370, 1), (0, 0), (1, 1)):
        now[0] += days * DAY
        with capture_logs() as said:
            own.follow()
        assert [line["event"] for line in said] == ["certificate_ends"] * lines, days
