"""A camera's address is read strictly, and never shown with its password, however that is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.camera_address import CameraAddress, masked
from hardware.profile import load_profile
from hardware.web_address import check_web_address
from sync.errors import ConfigError
from tests.support.words.doctor_profile import PROFILE

SECRETS = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), min_size=3, max_size=40)


@pytest.mark.parametrize(
    ("url", "place", "user", "password", "path"),
    [
        ("rtsp://10.0.0.5/main", "10.0.0.5:554", "", "", "/main"),
        ("RTSP://10.0.0.5:8554", "10.0.0.5:8554", "", "", "/"),
        ("rtsps://cam.court.example/a?channel=1&subtype=0", "cam.court.example:322", "", "", "/a?channel=1&subtype=0"),
        ("rtsp://[fe80::1]:554/x", "[fe80::1]:554", "", "", "/x"),
        ("rtsp://admin:12345@10.0.0.5/x", "10.0.0.5:554", "admin", "12345", "/x"),
        ("rtsp://admin:a%40b%2Fc@10.0.0.5/x", "10.0.0.5:554", "admin", "a@b/c", "/x"),
        ("rtsp://admin:a@b@10.0.0.5/x", "10.0.0.5:554", "admin", "a@b", "/x"),
        ("rtsp://admin:100%@10.0.0.5/x", "10.0.0.5:554", "admin", "100%", "/x"),
        ("rtsp://10.0.0.5?stream=1", "10.0.0.5:554", "", "", "?stream=1"),
    ],
)
def test_what_cameras_are_called_is_understood(url: str, place: str, user: str, password: str, path: str) -> None:
    address = CameraAddress.parse(url)
    assert (address.place, address.user, address.password, address.path) == (place, user, password, path)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://10.0.0.5/x", "rtsp://"),
        ("10.0.0.5/x", "rtsp://"),
        ("rtsp://10.0.0.5:99999/x", "port"),
        ("rtsp://10.0.0.5:0/x", "port"),
        ("rtsp://10.0.0.5:五/x", "port"),
        ("rtsp://10.0.0.5:/x", "port"),
        ("rtsp:///x", "no host"),
        ("rtsp://-a-/x", "no host"),
        ("rtsp://a..b/x", "no host"),
        ("rtsp://10.0.0.5/x#1", "%23"),
        ("rtsp://admin:pa#ss@10.0.0.5/x", "fields of their own"),
        ("rtsp://admin:pa/ss@10.0.0.5/x", "fields of their own"),
        ("rtsp://admin:pa?ss@10.0.0.5/x", "fields of their own"),
        ("rtsp://admin:12/ss@10.0.0.5/x", "fields of their own"),
        ("rtsp://admin:pa ss@10.0.0.5/x", "fields of their own"),
        ("rtsp://[::1/x", "IPv6"),
        ("rtsp://[::1]5/x", "IPv6"),
        ("rtsp://[zz]/x", "IPv6"),
        ("rtsp://10.0.0.5/" + "x" * 3000, "longer"),
        ("rtsp://10.0.0.5/\x00", "control"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_not_repeated(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refusal:
        CameraAddress.parse(url)
    assert "pa" not in refusal.value.message.replace("password", "")
    assert "ss@" not in refusal.value.message


@given(user=SECRETS.filter(lambda text: ":" not in text), password=SECRETS)
def test_any_password_as_a_field_comes_back_from_the_address_that_a_library_gets(user: str, password: str) -> None:
    address = CameraAddress.parse("rtsp://10.0.0.5:8554/main?a=1", user, password)
    again = CameraAddress.parse(address.full)
    assert (again.user, again.password, again.host, again.port) == (user, password, "10.0.0.5", 8554)
    assert address.full.isascii()
    assert "***" not in address.shown


@given(password=st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=6, max_size=30))
def test_no_line_of_a_library_shows_the_password(password: str) -> None:
    address = CameraAddress.parse("rtsp://10.0.0.5/main", "court", f"Q7{password}")
    for line in (f"[rtsp @ 0x1] {address.full}: 401", f"password Q7{password} refused", str(address), repr(address)):
        shown = address.hidden(line)
        assert f"Q7{password}" not in shown
        assert address.full not in shown


@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_no_text_is_anything_but_an_address_or_a_refusal(text: str, user: str, password: str) -> None:
    for url in (text, f"rtsp://{text}", f"rtsp://10.0.0.5:{text}/x", f"rtsp://a:{text}@10.0.0.5/x"):
        try:
            address = CameraAddress.parse(url, user, password)
        except ConfigError:
            continue
        assert 1 <= address.port <= 65_535
        assert address.host
    for url in (text, f"http://{text}", f"https://center.example:{text}"):
        try:
            assert check_web_address(url) == url
        except ValueError:
            continue


def test_passwords_of_other_people_s_addresses_are_masked() -> None:
    assert masked("open rtsp://a:b/c@d?e@10.0.0.5/x failed") == "open rtsp://***@10.0.0.5/x failed"
    assert masked("rtsp://10.0.0.5/user=admin&password=hidden&channel=1") == (
        "rtsp://10.0.0.5/user=admin&password=***&channel=1"
    )
    assert masked("no address at all: a@b.example") == "no address at all: a@b.example"


def profile(tmp_path: Path, camera: str) -> Path:
    path = tmp_path / "room.toml"
    path.write_text(PROFILE.format(mics="simulated", camera=camera, reserve=0.0), encoding="utf-8")
    return path


def test_user_and_password_are_fields_of_their_own(tmp_path: Path) -> None:
    text = 'driver = "rtsp"\nurl = "rtsp://10.0.0.5/main"\nuser = "court"\npassword = \'p@ss/w#rd? [1]\''
    (camera,) = load_profile(profile(tmp_path, text)).cameras
    assert camera.address().password == "p@ss/w#rd? [1]"
    assert "w#rd" not in repr(camera) + str(camera.model_dump())


def test_a_second_stream_is_asked_for_by_the_same_user(tmp_path: Path) -> None:
    text = 'driver = "rtsp"\nurl = "rtsp://10.0.0.5/main"\nsub = "rtsp://10.0.0.5:8554/sub"\nuser = "court"\n'
    (camera,) = load_profile(profile(tmp_path, text + "password = 'p@ss/w#rd? [1]'")).cameras
    address = camera.sub_address()
    assert (address.place, address.path) == ("10.0.0.5:8554", "/sub")
    assert (address.user, address.password) == ("court", "p@ss/w#rd? [1]")
    inside = 'driver = "rtsp"\nurl = "rtsp://court:word@10.0.0.5/main"\nsub = "rtsp://10.0.0.5/sub"\n'
    (camera,) = load_profile(profile(tmp_path, inside)).cameras
    assert (camera.sub_address().user, camera.sub_address().password) == ("court", "word")


def test_a_password_may_be_in_a_file_of_its_own(tmp_path: Path) -> None:
    text = 'driver = "rtsp"\nurl = "rtsp://10.0.0.5/main"\nuser = "court"\npassword_file = "secret"'
    (camera,) = load_profile(profile(tmp_path, text)).cameras
    with pytest.raises(ConfigError, match="cannot be read"):
        camera.address()
    (tmp_path / "secret").write_text("word\n", encoding="utf-8")
    (tmp_path / "secret").chmod(0o604)
    with pytest.raises(ConfigError, match="open to everybody"):
        camera.address()
    (tmp_path / "secret").chmod(0o600)
    assert camera.address().password == "word"


@pytest.mark.parametrize(
    ("camera", "says"),
    [
        ('driver = "rtsp"\nurl = "rtsp://u:hidden@h/x"\nuser = "u"', "keep the fields only"),
        ('driver = "rtsp"\nurl = "rtsp://h:99999/x"\nuser = "u"\npassword = "hidden"', "port"),
        ('driver = "rtsp"\nurl = "rtsp://h/x"\npassword = "hidden"', "no user"),
        ('driver = "rtsp"\nurl = "rtsp://h/x"\nuser = "u"\npassword = "hidden"\npassword_file = "f"', "keep one"),
        ('driver = "simulated"\nuser = "u"\npassword = "hidden"', "takes no url"),
        ('driver = "simulated"\nsub = "rtsp://h/hidden"', "takes no url"),
        ('driver = "rtsp"\nurl = "rtsp://h/x"\nsub = "rtsp://u:hidden@h/y"', "asked with those of its url"),
        ('driver = "rtsp"\nurl = "rtsp://h/x"\nsub = "rtsp://other/hidden"', "another machine"),
        ('driver = "rtsp"\nurl = "rtsp://h/x"\nsub = "http://h/hidden"', "rtsp://"),
    ],
)
def test_a_profile_with_an_address_that_cannot_be_is_refused(tmp_path: Path, camera: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refusal:
        load_profile(profile(tmp_path, camera))
    assert "hidden" not in refusal.value.message


@pytest.mark.parametrize("url", ["https://center.example:99999", "https://[::1", "https://", "ftp://a", "http://a b"])
def test_a_center_that_cannot_be_asked_is_refused_in_the_profile(tmp_path: Path, url: str) -> None:
    path = profile(tmp_path, 'driver = "simulated"')
    path.write_text(path.read_text(encoding="utf-8") + f'[center]\nurl = "{url}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"center\.url"):
        load_profile(path)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("user=admin_password=tl_JwP_9a_channel=1_stream=0.sdp", "user=admin_password=***_channel=1_stream=0.sdp"),
        ("user=a&passwd=b_c=d&x=1", "user=a&passwd=***&x=1"),
        ("videostream.cgi?loginuse=admin&loginpas=hid_den", "videostream.cgi?loginuse=admin&loginpas=***"),
        ("live?api_key=A_b_C;n=1", "live?api_key=***;n=1"),
        ("live?authbasic=YWRtaW46aGlkZGVu&n=1", "live?authbasic=***&n=1"),
        ("cam?subtype=0&token=a_type=b", "cam?subtype=0&token=***_type=b"),
        ("cam?password=&channel=1", "cam?password=&channel=1"),
    ],
)
def test_a_password_in_a_path_is_masked_whole(path: str, shown: str) -> None:
    assert masked(f"open rtsp://10.0.0.5/{path}") == f"open rtsp://10.0.0.5/{shown}"
