"""What stands in the room is found and becomes its profile: a camera that answers WS-Discovery, wants a password and
speaks ONVIF and RTSP; a sound card in which the loudest channel is whose voice it is; and later another camera."""

from __future__ import annotations

import asyncio
import stat
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from hardware.profile_text import write_profile
from hardware.simulation.scenario import BUNDLED_HEARING
from sync.errors import HearingError
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.hardware.test_profile_text import AT, table
from tests.support.peers.center_peers import until
from tests.support.peers.discovery_peer import DiscoveryPeer
from tests.support.peers.gstreamer_camera import gstreamer_camera
from tests.support.peers.onvif_peer import OnvifPeer
from tests.support.peers.pulse_peer import PulsePeer
from tests.support.rooms.uplink_room import OPENING
from wutong.setup.choices import (
    ChosenCamera,
    ChosenCenter,
    ChosenMicrophones,
    ChosenSeat,
    InvalidChoicesError,
    SetupChoices,
)
from wutong.setup.listening import Listening
from wutong.setup.profile_making import SIMULATED, SetupPlace
from wutong.setup.room_setup import RoomSetup
from wutong.setup.services import RoomServices

PASSWORD = "s3cret-word"
ALONE = ChosenCenter(alone=True, court="jianshan", room="3", court_name="尖山区人民法院", room_name="第三法庭")


@asynccontextmanager
async def room_at(folder: Path, *also: tuple[str, int]) -> AsyncIterator[RoomSetup]:
    place = SetupPlace(folder / "room.toml", folder / "data", "127.0.0.1", 8810, BUNDLED_HEARING, also, ())
    setup = RoomSetup(place, RoomServices(place.profile))
    await setup.open()
    try:
        yield setup
    finally:
        await setup.close()


@pytest.mark.device
async def test_a_camera_of_the_network_is_found_asks_for_its_password_and_is_seen(tmp_path: Path) -> None:
    with gstreamer_camera("--user", "court", PASSWORD) as place:
        onvif = OnvifPeer({"main": f"rtsp://192.0.2.1:{place.split(':')[1]}"}, user="court", password=PASSWORD)
        async with (
            onvif.running(),
            DiscoveryPeer(f"http://127.0.0.1:{onvif.port}/onvif/device_service").running() as discovery,
            room_at(tmp_path, ("127.0.0.1", discovery.port)) as setup,
        ):
            await setup.find()
            (camera,) = (one for one in setup.cameras if one.found.driver == "rtsp")
            assert (camera.found.name, camera.found.onvif_port) == ("Court cam X1", onvif.port)
            assert (await setup.cameras.look(camera.id)).code == "password"
            assert (await setup.cameras.look(camera.id, "court", "other")).code == "password"
            seen = await setup.cameras.look(camera.id, "court", PASSWORD)
            assert (seen.trouble, seen.codec, seen.width) == ("", "h264", 320)
            assert seen.picture.startswith(b"\xff\xd8\xff")
            await setup.center(ALONE)
            await setup.write(
                SetupChoices(
                    cameras=[ChosenCamera(candidate=camera.id, name="审判席")],
                    microphones=ChosenMicrophones(name=SIMULATED, channels=4),
                    seats=[ChosenSeat(role="审判长", channel=0)],
                )
            )
    written = tomllib.loads((tmp_path / "room.toml").read_text())
    (said,) = written["cameras"]
    assert said["url"] == f"rtsp://{place}"
    assert (said["user"], said["onvif_port"]) == ("court", onvif.port)
    secret = Path(said["password_file"])
    assert secret.read_text() == f"{PASSWORD}\n"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert PASSWORD not in (tmp_path / "room.toml").read_text()
    assert PASSWORD.encode() not in onvif.heard


@pytest.mark.device
async def test_whoever_speaks_is_found_in_the_channel_of_a_sound_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await asyncio.to_thread(PulsePeer, tmp_path / "pulse", 4, 16_000)
    for name, value in card.environment.items():
        monkeypatch.setenv(name, value)
    listening = Listening("courtroom", 4)
    try:
        listening.start("pyaudio", "courtroom", None, 16_000)
        await until(lambda: bool(listening.shown()["db"]), 60)
        listening.ask("被告")
        tone = np.zeros((4 * 16_000, 4), np.int16)
        tone[:, 2] = 9_000 * np.sin(np.arange(len(tone)) * 2 * np.pi * 300 / 16_000)
        player = card.play(tone.tobytes(), 4, 16_000)
        await until(lambda: listening.proposed is not None, 60)
        assert listening.proposed == 2
        assert listening.shown()["trouble"] == ""
        await asyncio.to_thread(player.wait, 30)
    finally:
        await listening.stop()
        await asyncio.to_thread(card.stop)


@pytest.mark.process
async def test_another_camera_takes_the_place_of_one_and_all_else_stays(tmp_path: Path) -> None:
    before = table(storage={"data": str(tmp_path / "data")}, panel={"port": 8899})
    write_profile(tmp_path / "room.toml", before, AT)
    async with room_at(tmp_path) as setup:
        await setup.find()
        await setup.choose("camera")
        await setup.cameras.look("c1")
        chosen = SetupChoices(cameras=[ChosenCamera(candidate="c1", name="")], microphones=None, seats=[])
        with pytest.raises(InvalidChoicesError) as refused:
            await setup.write(chosen)
        assert [fault["field"] for fault in refused.value.faults] == ["replaces"]
        await setup.write(chosen.model_copy(update={"replaces": "bench"}))
        assert setup.shown()["steps"][0]["text"].startswith("原配置保存为 room.toml.before-")
    after = tomllib.loads((tmp_path / "room.toml").read_text())
    assert after["cameras"] == [{"id": "bench", "name": "审判席", "driver": "simulated", "file": str(BUNDLED_HEARING)}]
    assert {**after, "cameras": None} == {**before, "cameras": None}
    (kept,) = tmp_path.glob("room.toml.before-*")
    assert tomllib.loads(kept.read_text()) == before


@pytest.mark.process
async def test_while_a_hearing_is_open_nothing_is_changed(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "data")
    write_profile(tmp_path / "room.toml", table(storage={"data": str(layout.data)}), AT)
    before = (tmp_path / "room.toml").read_bytes()
    log = RoomLog(layout.log)
    log.append("open", OPENING, hearing="20261122-093000-00c0ffee", room_ns=1, utc_ns=1)
    log.close()
    async with room_at(tmp_path) as setup:
        now = setup.shown()["room"]
        assert now is not None
        assert now["hearing_open"]
        assert (now["waiting_events"], now["waiting_bytes"]) == (-1, -1)  # no uplink runs: nobody says that all arrived
        with pytest.raises(HearingError) as refused:
            await setup.choose("anew")
        assert refused.value.code == "hearing-open"
    assert (tmp_path / "room.toml").read_bytes() == before
