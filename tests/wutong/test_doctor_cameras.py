"""The doctor asks network cameras: what keeps one from being recorded is named, and what its stream is like."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.profile import Camera, load_profile
from sync.errors import ConfigError
from sync.media.h264_config import is_parameter_set
from tests.support.files.parameter_sets import without_vui
from tests.support.peers.camera_sign_in import digest
from tests.support.peers.gstreamer_camera import gstreamer_camera
from tests.support.peers.onvif_peer import OnvifPeer
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode
from tests.support.words.doctor_profile import PROFILE
from wutong.doctor.cameras import examined
from wutong.doctor.finding import DoctorFinding


def camera(url: str, **more: object) -> Camera:
    return Camera.model_validate({"id": "bench", "name": "审判席", "driver": "rtsp", "url": url, **more})


async def said(peer: ScriptedCamera, **more: object) -> list[DoctorFinding]:
    async with peer.running():
        return await asyncio.to_thread(lambda: list(examined(camera(peer.url, **more), None)))


async def test_the_stream_is_measured_and_what_differs_from_the_profile_is_said() -> None:
    peer = ScriptedCamera(encode("320x180", 15, 30), fps=15, stamp=lambda number: number * 6000)
    findings = await said(peer, fps=25)
    assert "H.264 320×180, 15.0 pictures a second, key frames 1.0 s apart" in findings[0].text
    assert findings[0].state == "ok"
    assert "the profile says 25" in findings[1].text
    assert [f.state for f in findings] == ["ok", "note"]


async def test_key_frames_that_are_far_apart_are_warned_of() -> None:
    findings = await said(ScriptedCamera(encode("320x180", 250, 500)))
    assert "key frames" in findings[1].text
    assert "onvif_port" in findings[1].text
    assert findings[1].state == "note"


@pytest.mark.parametrize(("password", "state", "says"), [("s3cret-word", "ok", "takes"), ("other", "note", "password")])
async def test_a_camera_is_asked_whether_it_gives_key_frames(password: str, state: str, says: str) -> None:
    peer = ScriptedCamera(encode("320x180", 25, 50), sign_in=digest("court", "s3cret-word"))
    onvif = OnvifPeer({"main": "rtsp://192.0.2.1/main"}, user="court", password=password)
    async with onvif.running():
        findings = await said(peer, user="court", password="s3cret-word", onvif_port=onvif.port)
    assert [f.state for f in findings] == ["ok", state]
    assert says in findings[1].text
    assert "s3cret" not in findings[1].text


async def test_a_camera_that_makes_decoders_hold_pictures_is_named() -> None:
    pictures = [
        [without_vui(unit) if is_parameter_set(unit) else unit for unit in one] for one in encode("320x180", 25, 50)
    ]
    findings = await said(ScriptedCamera(pictures))
    assert [f.state for f in findings] == ["ok", "note"]
    assert "bitstream_restriction" in findings[1].text


async def test_a_second_stream_for_walls_is_looked_at_too_and_one_that_is_unfit_is_named() -> None:
    main = ScriptedCamera(encode("320x180", 15, 30), fps=15, stamp=lambda number: number * 6000)
    for size, state, names in (("320x180", "ok", "H.264 320×180"), ("960x720", "note", "h264 960×720")):
        async with ScriptedCamera(encode(size, 25, 50)).running() as second:
            findings = await said(main, sub=second.url)
        assert (findings[-1].state, names in findings[-1].text) == (state, True)
    findings = await said(main, sub=second.url)
    assert (findings[-1].state, "gives no picture" in findings[-1].text) == ("note", True)


async def test_what_stands_in_the_way_names_its_algorithm_path_or_codec() -> None:
    pictures = encode("320x180", 25, 25)
    for peer, names in (
        (ScriptedCamera(pictures, sign_in=digest("court", "x")), "Digest MD5"),
        (ScriptedCamera(pictures, sign_in=digest("court", "x", "SHA-256")), "SHA-256"),
        (ScriptedCamera(pictures, answer="404 Not Found"), "/main"),
        (ScriptedCamera(pictures, codec="JPEG2000"), "JPEG2000"),
    ):
        (finding,) = await said(peer, user="court", password="s3cret-word")
        assert finding.state == "bad"
        assert names in finding.text
        assert "s3cret" not in finding.text


async def test_a_camera_whose_clock_is_wrong_and_an_address_with_a_password_are_noted() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3650), usegmt=True)
    peer = ScriptedCamera(encode("320x180", 25, 50), date=date, sign_in=digest("court", "s3cret-word"))
    async with peer.running():
        url = peer.url.replace("://", "://court:s3cret-word@")
        findings = await asyncio.to_thread(lambda: list(examined(camera(url), None)))
    assert [f.state for f in findings] == ["note", "note", "ok"]
    assert "fields of their own" in findings[0].text
    assert "its clock is +36" in findings[1].text
    assert "signed in by Digest MD5" in findings[2].text
    assert "s3cret" not in "".join(f.text for f in findings)


@pytest.mark.parametrize(("picture", "says"), [("b-frames", "reordered"), ("h265", "H.265"), ("jpeg", "JPEG")])
def test_codecs_and_reordered_pictures_are_named(picture: str, says: str) -> None:
    with gstreamer_camera("--picture", picture) as place:
        findings = list(examined(camera(f"rtsp://{place}"), None))
    assert any(says in f.text for f in findings), findings
    assert (findings[-1].state == "bad") == (picture == "jpeg")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=40), st.sampled_from(["rtsp://127.0.0.1:1/{}", "rtsp://{}@127.0.0.1:1/", "{}", "rtsp://[{}"]))
def test_no_address_ends_the_doctor(tmp_path: Path, text: str, form: str) -> None:
    """Whatever is written, the profile refuses it or a row of the report says what is wrong with it."""
    url = json.dumps(form.format(text).encode("utf-8", "replace").decode(), ensure_ascii=True)
    path = tmp_path / "room.toml"
    entry = f'driver = "rtsp"\nurl = {url}'
    path.write_text(
        PROFILE.replace("{camera}", "CAMERA").format(mics="simulated", reserve=0.0).replace("CAMERA", entry),
        encoding="utf-8",
    )
    try:
        (written,) = load_profile(path).cameras
    except ConfigError:
        return
    assert [row.state for row in examined(written, path)][-1] == "bad"
