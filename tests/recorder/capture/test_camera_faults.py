"""What is wrong with a network camera is named in the alarm, with a code in the status and no password anywhere."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import partial
from operator import mul
from pathlib import Path

from tests.support.peers.camera_sign_in import digest
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode
from tests.support.rooms.recorder_room import SIMULATED_MICS, RecorderRoom, profile_text

RoomOf = Callable[..., RecorderRoom]
WORD = "s3cret/w#rd"


def camera_text(name: str, url: str, more: str = "") -> str:
    return f'[[cameras]]\nid = "{name}"\nname = "{name}"\ndriver = "rtsp"\nurl = "{url}"\nuser = "court"\n{more}'


def shown_everywhere(room: RecorderRoom) -> str:
    """All that others on the machine can read: command lines, the log, the status."""
    lines = [(Path("/proc") / str(pid) / "cmdline").read_text() for pid in room.workers("network_camera")]
    return "".join(lines) + (room.folder / "recorder.log").read_text(encoding="utf-8") + json.dumps(room.status)


async def test_what_keeps_a_camera_from_opening_is_in_the_alarm(room_of: RoomOf) -> None:
    pictures = encode("320x180", 25, 25)
    cameras = {
        "password": ScriptedCamera(pictures, sign_in=digest("court", "another")),
        "sign-in": ScriptedCamera(pictures, sign_in=digest("court", WORD, "SHA-256")),
        "path": ScriptedCamera(pictures, answer="404 Not Found"),
        "codec": ScriptedCamera(pictures, codec="MP4V-ES"),
    }
    says = {"password": "用户名或密码不对", "sign-in": "SHA-256", "path": "404", "codec": "不能录制"}
    async with contextlib.AsyncExitStack() as peers:
        text = ""
        for name, camera in cameras.items():
            await peers.enter_async_context(camera.running())
            text += camera_text(name, camera.url, f"password = '{WORD}'\n")
        room = room_of(profile_text(SIMULATED_MICS, text))
        await room.until(
            lambda: all(room.track(name).get("fault") == name for name in cameras), "each fault has its code"
        )
        alarms = {a["subject"]: a["text"] for a in room.status["alarms"] if a["code"] == "source"}
        assert {name: says[name] in alarms[name] for name in cameras} == dict.fromkeys(cameras, True)
        assert WORD not in shown_everywhere(room)
        await room.until(lambda: room.track("mics").get("state") == "running", "the microphones do not care")


async def test_a_password_that_no_address_could_hold_opens_the_camera_and_nobody_sees_it(room_of: RoomOf) -> None:
    camera = ScriptedCamera(encode("320x180", 25, 50), sign_in=digest("court", WORD))
    async with camera.running():
        room = room_of(profile_text(SIMULATED_MICS, camera_text("bench", camera.url, f"password = '{WORD}'\n")))
        await room.until(room.running, "it is let in")
        assert WORD not in shown_everywhere(room)


async def test_a_password_file_that_is_not_there_is_said_and_the_rest_records(room_of: RoomOf) -> None:
    camera = ScriptedCamera(encode("320x180", 25, 25))
    async with camera.running():
        room = room_of(profile_text(SIMULATED_MICS, camera_text("bench", camera.url, 'password_file = "nowhere"\n')))
        await room.until(lambda: "nowhere" in (room.track("bench").get("why") or ""), "it is said")
        await room.until(lambda: room.track("mics").get("state") == "running")


async def test_a_slow_camera_s_pictures_are_at_its_own_pace_whatever_the_profile_says(room_of: RoomOf) -> None:
    """By how much they are late is measured by `wutong bench sync --cameras`."""
    rates = {"five": 5, "fifteen": 15}
    cameras = {
        name: ScriptedCamera(encode("320x180", fps, 4 * fps), fps=fps, stamp=partial(mul, 90_000 // fps))
        for name, fps in rates.items()
    }
    async with contextlib.AsyncExitStack() as peers:
        text = ""
        for name, camera in cameras.items():
            await peers.enter_async_context(camera.running())
            text += camera_text(name, camera.url, "fps = 25\n")
        room = room_of(profile_text(SIMULATED_MICS, text))
        await room.until(room.running, "both run")
        for name in rates:
            await room.pass_media(name, 5)
            lengths_us = sorted(fragment.duration_us for fragment in room.fragments[name])
            picture_us = 1_000_000 / rates[name]
            pictures = lengths_us[len(lengths_us) // 2] / picture_us
            assert abs(pictures - round(pictures)) < 0.01, (name, lengths_us)
        await room.until(lambda: {name: room.track(name).get("fps") for name in rates} == rates, "their rates are told")
        slow = {a["subject"] for a in room.status["alarms"] if a["code"] == "slow-picture"}
        assert slow == set(rates)


async def test_a_usb_camera_that_is_missing_or_refuses_says_so_in_words(room_of: RoomOf) -> None:
    """Nodes of devices that are no cameras: the kernels of these machines take no loopback driver."""
    nodes = {"missing": "/dev/v4l/by-path/nowhere", "format": "/dev/null"}
    text = "".join(
        f'[[cameras]]\nid = "{name}"\nname = "{name}"\ndriver = "v4l2"\ndevice = "{node}"\n'
        for name, node in nodes.items()
    )
    room = room_of(profile_text(SIMULATED_MICS, text))
    await room.until(lambda: all(room.track(name).get("fault") == name for name in nodes), "each fault has its code")
    alarms = {a["subject"]: a["text"] for a in room.status["alarms"] if a["code"] == "source"}
    assert "设备不在" in alarms["missing"]
    assert "nowhere" in alarms["missing"]
    assert "Inappropriate ioctl" in alarms["format"]
