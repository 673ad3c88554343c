"""Panel and display by HTTPS: the room's own certificate until the court's comes, then that one, without a restart."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from edge.panel_tls import PanelTls, panel_hosts, plain_alarms
from edge.uplink import config_of
from hardware.profile import Profile, load_profile
from server.tls.court import CourtAuthority
from sync.errors import ConfigError
from sync.http.rights.access import Access
from sync.http.serve import new_app, serving
from sync.room.paths import RoomPaths
from sync.tls.certificates import pem_of
from sync.tls.contexts import client_context, trust
from sync.tls.keys import make_tls_key
from sync.tls.requests import tls_request

NOW = dt.datetime.now(dt.UTC)
EXAMPLE = Path(__file__).parents[2] / "hardware" / "profiles" / "example.toml"


def profile_of(folder: Path, **changed: str) -> Profile:
    text = EXAMPLE.read_text(encoding="utf-8").replace('"/var/lib/wutong"', f'"{folder / "data"}"')
    for old, new in changed.items():
        text = text.replace(old, new)
    file = folder / "room.toml"
    file.write_text(text.replace('# host = "127.0.0.1"', 'host = "0.0.0.0"'), encoding="utf-8")
    return load_profile(file)


def issuer(data: bytes) -> str:
    return x509.load_pem_x509_certificate(data).issuer.rfc4514_string()


async def test_the_panel_is_served_by_https_with_a_host_cookie_and_takes_the_court_s_certificate_when_it_comes(
    tmp_path: Path,
) -> None:
    profile = profile_of(tmp_path)
    layout = RoomPaths(profile.storage.data)
    assert profile.serves_tls
    tls = PanelTls(profile)
    app = new_app("room")
    access = Access.open(layout.access, {"clerk": "书记员"})
    access.install(app, "room_x", https=True)
    own, court = client_context(), client_context()
    trust(own, layout.own_authority / "authority.pem")
    authority = CourtAuthority(tmp_path / "center", "Court")
    trust(court, authority.files.authority)
    async with serving(app, "127.0.0.1", 0, tls=tls.context) as port:
        url = f"https://127.0.0.1:{port}"
        async with httpx.AsyncClient(verify=own, headers={"X-Wutong": "1"}) as http:
            answer = await http.post(f"{url}/api/session", json={"code": access.plain_codes()["clerk"]})
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-wutong_room_x=")
        assert "Secure" in cookie
        assert answer.headers["Strict-Transport-Security"]
        assert not tls.look()
        key = make_tls_key(layout.tls_key)
        given = authority.certify(tls_request(key, profile.address, list(panel_hosts(profile))), profile.address)
        layout.tls_certificate.write_bytes(pem_of(given))
        layout.authority.write_bytes(authority.authority.pem)
        assert tls.look()
        async with httpx.AsyncClient(verify=court) as http:
            assert (await http.get(f"{url}/api/session")).status_code == 401
        with pytest.raises(httpx.ConnectError):
            async with httpx.AsyncClient(verify=own) as http:
                await http.get(f"{url}/api/session")


def test_a_certificate_of_another_room_or_one_that_has_ended_is_not_shown(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    layout = RoomPaths(profile.storage.data)
    authority = CourtAuthority(tmp_path / "center", "Court")
    key = make_tls_key(layout.tls_key)
    layout.authority.write_bytes(authority.authority.pem)
    for name, now in (("court/other", NOW), (profile.address, NOW - dt.timedelta(days=500))):
        made = authority.authority.issue(key.public_key(), name, [], now)
        layout.tls_certificate.write_bytes(pem_of(made))
        assert "Wutong" in issuer((layout.own_authority / "panel.pem").read_bytes()) if PanelTls(profile) else False


def test_a_room_makes_its_own_certificate_anew_before_it_ends(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    now = [NOW]
    tls = PanelTls(profile, now=lambda: now[0])
    path = RoomPaths(profile.storage.data).own_authority / "panel.pem"
    before = path.read_bytes()
    now[0] += dt.timedelta(days=300)
    assert tls.look()
    assert path.read_bytes() != before
    assert isinstance(tls.context, ssl.SSLContext)


def test_the_uplink_of_a_room_refuses_a_center_without_tls_and_says_what_to_write(tmp_path: Path) -> None:
    plain = profile_of(tmp_path, **{"https://center.court.example": "http://center.court.example"})
    with pytest.raises(ConfigError, match=r"center\.url"):
        config_of(plain)
    assert plain_alarms(plain, 5) == []
    day = (NOW + dt.timedelta(days=3)).date()
    left = profile_of(
        tmp_path,
        **{
            "https://center.court.example": "http://center.court.example",
            "# plain_until = (not set)": f"plain_until = {day}",
        },
    )
    assert config_of(left).center_url.startswith("http://")
    (alarm,) = plain_alarms(left, 5)
    assert (alarm["code"], alarm["since_ns"]) == ("plain", 5)
    assert str(day) in alarm["text"]
