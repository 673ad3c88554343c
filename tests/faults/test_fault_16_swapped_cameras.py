"""Fault 16: two USB cameras swap their `/dev/video*` numbers at the next start.

A camera is named by where it is plugged in: what ffmpeg is told is the path under /dev/v4l/by-path; a profile that
names a number is called wrong by the doctor. Where a name leads to another socket than it did, the recording goes on
and the alarm `another-camera` says so. Nodes, links and what the kernel tells of them are files of a folder here: no
V4L2 device is at hand. Lost: nothing.
"""

from __future__ import annotations

import asyncio
import json
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from hardware.profile import load_profile
from hardware.sources import sources
from recorder.monitoring.camera_places import CameraPlaces
from recorder.source_recorder import SourceRecorder
from tests.support.rooms.recorder_room import SIMULATED_MICS, profile_text
from wutong import doctor

BY_PATH = "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0"

BY_ID = "/dev/v4l/by-id/usb-046d_HD_Webcam-video-index0"


def profile(folder: Path, device: str) -> Path:
    path = folder / "room.toml"
    camera = f'[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "v4l2"\ndevice = "{device}"\n'
    path.write_text(profile_text(SIMULATED_MICS, camera), encoding="utf-8")
    return path


def test_a_camera_is_opened_by_its_place(tmp_path: Path) -> None:
    source = next(s for s in sources(load_profile(profile(tmp_path, BY_PATH)), tmp_path) if s.id == "bench")
    assert BY_PATH in json.loads(source.command([7], 8)[-1])["encoder"]


@pytest.mark.process
def test_a_number_is_advised_against(tmp_path: Path) -> None:
    said: dict[str, str] = {}
    for device in (BY_PATH, BY_ID, "/dev/video0"):
        console = Console(record=True, width=300, quiet=False, file=StringIO())
        doctor.run(profile(tmp_path, device), console)
        said[device] = console.export_text()
    assert "by-path" in said["/dev/video0"]
    assert "one serial number" in said[BY_ID]
    assert "/dev/video0" in said["/dev/video0"]


class Sockets:
    """Nodes, the links that udev makes, and what the kernel says of them, as files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.kernel, self._folder = folder / "class", folder
        for part in ("class", "dev", "sockets"):
            (folder / part).mkdir()

    def plug(self, number: int, socket: str, *links: str) -> str:
        """A camera in a socket got this number; the node."""
        node = self._folder / "dev" / f"video{number}"
        node.touch()
        place = self._folder / "sockets" / socket
        place.mkdir(exist_ok=True)
        (self.kernel / node.name).mkdir(exist_ok=True)
        self._link(self.kernel / node.name / "device", place)
        for link in links:
            self._link(self._folder / link, node)
        return str(node)

    def unplug(self, number: int) -> None:
        (self._folder / "dev" / f"video{number}").unlink()
        (self.kernel / f"video{number}" / "device").unlink()

    def link(self, name: str) -> str:
        return str(self._folder / name)

    def _link(self, path: Path, target: Path) -> None:
        path.unlink(missing_ok=True)
        path.symlink_to(target)


@pytest.fixture
def sockets(tmp_path: Path) -> Sockets:
    return Sockets(tmp_path)


@pytest.mark.parametrize("restarted", [False, True])
def test_numbers_that_swap_are_said_in_a_recording_and_after_a_start(
    sockets: Sockets, tmp_path: Path, restarted: bool
) -> None:
    places = CameraPlaces(tmp_path / "places.json", sockets.kernel)
    a, b = sockets.plug(0, "1-2:1.0"), sockets.plug(2, "1-4:1.0")
    assert places.moved("a", a) is places.moved("b", b) is None
    for number in (0, 2):
        sockets.unplug(number)
    assert places.moved("a", a) is None, "nothing is there; that is said by what could not be opened"
    sockets.plug(0, "1-4:1.0")
    sockets.plug(2, "1-2:1.0")
    if restarted:
        places = CameraPlaces(tmp_path / "places.json", sockets.kernel)
    assert places.moved("a", a) == ("1-2:1.0", "1-4:1.0")
    assert places.moved("b", b) == ("1-4:1.0", "1-2:1.0")
    sockets.plug(0, "1-2:1.0")
    assert places.moved("a", a) is None


def test_another_camera_takes_the_number_of_one_that_is_gone(sockets: Sockets, tmp_path: Path) -> None:
    places = CameraPlaces(tmp_path / "places.json", sockets.kernel)
    node = sockets.plug(0, "1-2:1.0")
    assert places.moved("a", node) is None
    sockets.unplug(0)
    sockets.plug(0, "3-1:1.0")
    assert places.moved("a", node) == ("1-2:1.0", "3-1:1.0")


def test_a_name_by_its_socket_stays_right_whatever_the_numbers(sockets: Sockets, tmp_path: Path) -> None:
    places = CameraPlaces(tmp_path / "places.json", sockets.kernel)
    sockets.plug(0, "1-2:1.0", "by-path-2")
    sockets.plug(2, "1-4:1.0", "by-path-4")
    by_path = {name: sockets.link(f"by-path-{name}") for name in ("2", "4")}
    assert [places.moved(name, link) for name, link in by_path.items()] == [None, None]
    sockets.plug(0, "1-4:1.0", "by-path-4")
    sockets.plug(2, "1-2:1.0", "by-path-2")
    assert [places.moved(name, link) for name, link in by_path.items()] == [None, None]


def test_two_cameras_with_one_serial_number_share_a_link(sockets: Sockets, tmp_path: Path) -> None:
    places = CameraPlaces(tmp_path / "places.json", sockets.kernel)
    sockets.plug(0, "1-2:1.0", "by-id")
    assert places.moved("a", sockets.link("by-id")) is None
    sockets.plug(2, "1-4:1.0", "by-id")  # the one that comes last takes the link
    assert places.moved("a", sockets.link("by-id")) == ("1-2:1.0", "1-4:1.0")


def test_another_name_in_the_profile_is_a_new_beginning_and_a_damaged_file_too(
    sockets: Sockets, tmp_path: Path
) -> None:
    file = tmp_path / "places.json"
    places = CameraPlaces(file, sockets.kernel)
    assert places.moved("a", sockets.plug(0, "1-2:1.0")) is None
    assert places.moved("a", sockets.plug(2, "1-4:1.0")) is None
    file.write_text('{"a": [1')
    assert CameraPlaces(file, sockets.kernel).moved("a", sockets.plug(2, "3-1:1.0")) is None


def test_the_recorder_raises_the_alarm_and_clears_it(sockets: Sockets, tmp_path: Path) -> None:
    raised: dict[str, str | None] = {}
    context = SimpleNamespace(
        camera_places=CameraPlaces(tmp_path / "places.json", sockets.kernel),
        set_alarm=lambda code, subject, text: raised.update({f"{code} {subject}": text}),
        status_changed=asyncio.Event(),
    )
    node = sockets.plug(0, "1-2:1.0")
    source = next(s for s in sources(load_profile(profile(tmp_path, node)), tmp_path) if s.id == "bench")
    recorder = SourceRecorder.__new__(SourceRecorder)  # without its worker: no V4L2 device is at hand
    recorder.source, recorder._context = source, context  # type: ignore[assignment]  # it has all that is used
    recorder._runner = SimpleNamespace(state="running", why=None)  # type: ignore[assignment]  # likewise
    recorder._state_changed()
    assert raised["another-camera bench"] is None
    sockets.plug(0, "1-4:1.0")
    recorder._state_changed()
    assert "可能是另一台摄像头" in str(raised["another-camera bench"])
    sockets.plug(0, "1-2:1.0")
    recorder._state_changed()
    assert raised["another-camera bench"] is None
