"""`wutong room setup`: by a page, or with `--yes` by what the options say and what is found."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from hardware.simulation.hearing_folder import HearingFolder
from sync.errors import ConfigError, DeviceError
from sync.runtime.files.secrets import read_secret
from sync.tls.places import place_of
from wutong.setup.choices import ChosenCamera, ChosenCenter, ChosenMicrophones, ChosenSeat, SetupChoices
from wutong.setup.profile_making import SIMULATED, SetupPlace
from wutong.setup.room_setup import RoomSetup
from wutong.setup.service import serve_page
from wutong.setup.services import services_of

DISCOVERY_PORT = 3702
CAMERA_NAMES = ("审判席", "当事人席", "证人席", "全景", "旁听席")
SEATS = ("审判长", "书记员", "原告", "被告", "原告代理人", "被告代理人", "证人", "第三人")
"""Who sits where is not known without anybody: in this order, as they are mostly plugged in."""


@dataclass(frozen=True)
class SetupOptions:
    """What was said on the command line."""

    carried: str
    profile: Path
    data: Path
    host: str
    port: int
    yes: bool = False
    center: ChosenCenter = field(default_factory=ChosenCenter)
    cameras: tuple[str, ...] = ()
    user: str = ""
    password_file: Path | None = None
    microphones: str = ""
    seats: tuple[str, ...] = ()
    hearing: Path | None = None
    probe: tuple[str, ...] = ()
    code_file: Path | None = None
    logs: Path | None = None
    replaces: str = ""
    anew: bool = False


def run(options: SetupOptions, console: Console) -> int:
    """The exit code."""
    also = tuple(_probed(one) for one in options.probe)
    place = SetupPlace(
        options.profile,
        options.data,
        options.host,
        options.port,
        options.hearing,
        also,
        () if options.hearing or options.cameras else None,
    )
    if not options.yes:
        return asyncio.run(serve_page(place, console, options.code_file, options.logs))
    return asyncio.run(_without_page(options, place, console))


async def _without_page(options: SetupOptions, place: SetupPlace, console: Console) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    setup = RoomSetup(place, services_of(options.profile, options.logs))
    try:
        await setup.open()
        choices = await chosen(options, setup, console)
        await setup.write(choices)
        told: set[tuple[str, str]] = set()
        while (state := setup.shown()["state"]) == "working" and not stop.is_set():
            _tell_steps(setup, told, console)
            await asyncio.sleep(0.1)
        _tell_steps(setup, told, console)
        if state != "done":
            if setup.services.command:
                console.print(setup.services.command, highlight=False, soft_wrap=True)
            return 2
        await setup.start_panel()
        console.print("法庭已就绪 (the room is ready)", style="bold")
        if options.logs is not None:
            await stop.wait()
        return 0
    finally:
        await setup.close()
        await setup.services.stop()


async def chosen(options: SetupOptions, setup: RoomSetup, console: Console) -> SetupChoices:
    """What a person would say at the page, by the options and by what is found; `WutongError` says what is missing."""
    there = setup.shown()["room"] is not None
    if there and not options.anew and not options.replaces:
        raise ConfigError(
            f"{options.profile} is there: say --replace-camera ID or --anew, or leave --yes away for the page"
        )
    await setup.choose("camera" if options.replaces else "anew" if there else "new")
    if not options.replaces:
        said = options.center.model_copy(update={"carried": options.carried})
        offer = await setup.center(said)
        if offer is None:
            raise ConfigError(
                "the center does not say which room this is: add --court, --room, --court-name and --room-name"
            )
    if options.hearing is None and not options.cameras:
        console.print("正在查找设备 … (looking for devices)")
    await setup.find()
    cameras = await _cameras(options, setup, console)
    if options.replaces:
        return SetupChoices(cameras=cameras[:1], microphones=None, seats=[], replaces=options.replaces)
    microphones, seats = _seats(options, setup)
    return SetupChoices(cameras=cameras, microphones=microphones, seats=seats)


async def _cameras(options: SetupOptions, setup: RoomSetup, console: Console) -> list[ChosenCamera]:
    password = ""
    if options.password_file is not None:
        password = read_secret(options.password_file, "the file with the cameras' password")
    typed = [setup.cameras.typed(url, options.user, password) for url in options.cameras]
    candidates = typed or [one for one in setup.cameras if (one.found.driver == "simulated") == bool(options.hearing)]
    user = options.user or None
    looks = [setup.cameras.look(one.id, None if typed else user, password) for one in candidates]
    for one in await asyncio.gather(*looks):
        console.print(f"{one.place}: {one.trouble or f'{one.codec} {one.width}×{one.height}'}", soft_wrap=True)
    if typed and (bad := [one for one in candidates if one.trouble]):
        raise DeviceError(bad[0].trouble, code=bad[0].code)
    seen = [one for one in candidates if not one.trouble][: len(CAMERA_NAMES)]
    if not seen:
        raise DeviceError(
            "没有可用的摄像机，请检查供电、网线和密码，或用 --camera 指定地址 (no camera gives a picture: check power, "
            "cable and password, or name its address by --camera)"
        )
    names = iter(CAMERA_NAMES)
    return [ChosenCamera(candidate=one.id, name=next(names)) for one in seen]


def _seats(options: SetupOptions, setup: RoomSetup) -> tuple[ChosenMicrophones, list[ChosenSeat]]:
    devices = setup.microphones()
    wanted = options.microphones or (SIMULATED if options.hearing is not None else "")
    found = [one for one in devices if wanted.lower() in one["name"].lower()]
    if not found:
        raise DeviceError("没有找到录音设备，请检查插头 (no microphones were found: check the plug)")
    device = found[0]
    if options.seats:
        seats = [_seat(text) for text in options.seats]
    elif options.hearing is not None:
        roles = HearingFolder(options.hearing).roles
        seats = [ChosenSeat(role=roles[channel][0], channel=channel) for channel in sorted(roles)]
    else:
        seats = [ChosenSeat(role=SEATS[channel], channel=channel) for channel in range(device["channels"])]
    return ChosenMicrophones(name=device["name"], channels=device["channels"]), seats


def _seat(text: str) -> ChosenSeat:
    role, equals, channel = text.rpartition("=")
    if not equals or not channel.isdecimal() or not 1 <= int(channel) <= len(SEATS):
        raise ConfigError(f"--seat {text!r}: write ROLE=MICROPHONE, counted from 1, as 审判长=1")
    return ChosenSeat(role=role, channel=int(channel) - 1)


def _probed(text: str) -> tuple[str, int]:
    try:
        place = place_of(text if ":" in text else f"{text}:{DISCOVERY_PORT}")
    except ValueError as error:
        raise ConfigError(f"--probe: {error}") from error
    return place.host, place.port


def _tell_steps(setup: RoomSetup, told: set[tuple[str, str]], console: Console) -> None:
    for step in setup.proving.shown():
        said = (step["id"], step["state"])
        if step["state"] != "waiting" and said not in told:
            told.add(said)
            console.print(f"{step['id']}: {step['state']} {step['text']}".rstrip(), soft_wrap=True, highlight=False)
