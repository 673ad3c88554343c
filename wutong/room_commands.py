"""`wutong room …`: the services of one courtroom, each a process of its own; what a command needs it imports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sync.runtime.process.order import take_place

room = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="The services of one courtroom, each a process of its own."
)
ProfileOption = Annotated[Path, typer.Option("--profile", help="the courtroom's TOML profile")]


@room.command()
def recorder(profile: ProfileOption) -> None:
    """Record: sources -> fragments -> segments."""
    take_place("recorder")
    from hardware.profile import load_profile
    from recorder.service import serve
    from sync.runtime.process.service import run_service

    loaded = load_profile(profile)
    raise typer.Exit(run_service("recorder", lambda lifeline: serve(loaded, lifeline)))


@room.command()
def transcriber(profile: ProfileOption) -> None:
    """Turn speech into captions and utterances."""
    take_place("transcriber")
    from hardware.profile import load_profile
    from sync.runtime.process.service import run_service
    from transcriber.service import serve

    loaded = load_profile(profile)
    raise typer.Exit(run_service("transcriber", lambda lifeline: serve(loaded, lifeline)))


@room.command()
def edge(profile: ProfileOption) -> None:
    """Serve the panel and the display, and keep the hearing's state."""
    take_place("edge")
    from edge.service import serve
    from hardware.profile import load_profile
    from sync.runtime.process.service import run_service

    loaded = load_profile(profile)
    raise typer.Exit(run_service("edge", lambda lifeline: serve(loaded, lifeline)))


@room.command()
def signer(
    profile: ProfileOption,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="the signer's own folder; default: 'signer' in the data folder")
    ] = None,
    take_key: Annotated[
        bool, typer.Option("--take-key", help="as root: move the key of earlier versions into the folder, and end")
    ] = False,
) -> None:
    """Hold the device's key, and sign what the other services may have signed."""
    from edge.signer.service import serve, take_key_as_root
    from hardware.profile import load_profile
    from sync.runtime.process.processes import unseen_by_others
    from sync.runtime.process.service import run_service

    loaded = load_profile(profile)
    if take_key:
        print(take_key_as_root(loaded, folder))
        return
    take_place("signer")
    unseen_by_others()
    raise typer.Exit(run_service("signer", lambda lifeline: serve(loaded, folder, lifeline)))


@room.command()
def device_key(profile: ProfileOption) -> None:
    """Print `court/room KEY`, the public key with which this room signs: a machine that keeps copies asks for it."""
    import base64

    from hardware.profile import load_profile
    from sync.room.paths import RoomPaths
    from wutong.device_key import device_key as key_of

    loaded = load_profile(profile)
    key = key_of(RoomPaths(loaded.storage.data))
    if key is None:
        raise typer.BadParameter("this room has no device's key yet: start its signer")
    print(loaded.address, base64.b64encode(key.public_key().public_bytes_raw()).decode("ascii"))


@room.command()
def idle(
    profile: ProfileOption,
    wait: Annotated[bool, typer.Option("--wait", help="return when the hearing that is open has ended")] = False,
) -> None:
    """Say whether a hearing is open: exit code 0 when none is, 3 while one is (a recess counts)."""
    import asyncio

    from hardware.profile import load_profile
    from sync.room.open_hearing import open_hearing, until_idle
    from sync.room.paths import RoomPaths

    layout = RoomPaths(load_profile(profile).storage.data)
    hearing = asyncio.run(open_hearing(layout))
    if hearing is None:
        print("no hearing is open")
        return
    print(f"hearing {hearing} is open", flush=True)
    if not wait:
        raise typer.Exit(3)
    asyncio.run(until_idle(layout))
    print("the hearing has ended")


@room.command()
def recorder_network(profile: ProfileOption) -> None:
    """Print a drop-in by which the recorder's unit reaches its own cameras alone."""
    from hardware.profile import load_profile
    from wutong.recorder_network import drop_in

    print(drop_in(load_profile(profile)))


@room.command()
def uplink(profile: ProfileOption) -> None:
    """Carry everything to the center: events, segments, exhibits and live media."""
    take_place("uplink")
    from edge.uplink import serve
    from hardware.profile import load_profile
    from sync.runtime.process.service import run_service

    loaded = load_profile(profile)
    raise typer.Exit(run_service("uplink", lambda lifeline: serve(loaded, lifeline)))


@room.command()
def take_over(
    old: Annotated[Path, typer.Argument(metavar="FOLDER", help="data folder on the disk of the machine before")],
    *,
    data: Annotated[Path, typer.Option("--data", help="folder of the room's data here")] = Path("/var/lib/wutong"),
) -> None:
    """Take a room's data over from the disk of a machine that broke down; before this one is enrolled."""
    from wutong.setup.take_over import take_over as taken_over
    from wutong.terminal import terminal

    found = taken_over(old.resolve(), data.resolve())
    console = terminal()
    console.print(f"已接收 {found.files} 个文件、{found.size_bytes / 1e9:.2f} GB (files taken over)", highlight=False)
    console.print(f"日志至 {found.last_number}，其中 {found.pending_events} 条待传中心 (waiting)", highlight=False)
    console.print("下一步 (next): wutong room setup CODE", highlight=False)


@room.command()
def setup(
    carried: Annotated[str, typer.Argument(metavar="[CODE]", help="what the center printed for this room")] = "",
    *,
    profile: Annotated[Path, typer.Option("--profile", help="the profile to write")] = Path("/etc/wutong/room.toml"),
    data: Annotated[Path, typer.Option("--data", help="folder of the room's data")] = Path("/var/lib/wutong"),
    host: Annotated[str, typer.Option("--host", help="where page and panel listen")] = "0.0.0.0",  # noqa: S104
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8810,
    yes: Annotated[bool, typer.Option("--yes", help="without a page: by the options, and by what is found")] = False,
    center: Annotated[str, typer.Option("--center", help="the center's address, where the code has none")] = "",
    alone: Annotated[bool, typer.Option("--alone", help="with --yes: without a center")] = False,
    court: Annotated[str, typer.Option("--court", help="short name; where the center does not say it")] = "",
    room_id: Annotated[str, typer.Option("--room", help="short name, likewise")] = "",
    court_name: Annotated[str, typer.Option("--court-name", help="as people read it, likewise")] = "",
    room_name: Annotated[str, typer.Option("--room-name", help="as people read it, likewise")] = "",
    broker: Annotated[str, typer.Option("--broker", help="host:port; default: the center's host, 8883")] = "",
    camera: Annotated[
        list[str] | None, typer.Option("--camera", help="with --yes: RTSP address; else all found")
    ] = None,
    camera_user: Annotated[str, typer.Option("--camera-user", help="of all cameras")] = "",
    camera_password_file: Annotated[Path | None, typer.Option("--camera-password-file", help="mode 0600")] = None,
    microphones: Annotated[str, typer.Option("--microphones", help="with --yes: (part of) an input's name")] = "",
    seat: Annotated[list[str] | None, typer.Option("--seat", help="with --yes: ROLE=MICROPHONE, from 1")] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="offer the simulated devices of the bundled hearing; look for no others")
    ] = False,
    probe: Annotated[
        list[str] | None, typer.Option("--probe", help="also ask this machine whether it is a camera (WS-Discovery)")
    ] = None,
    code_file: Annotated[
        Path | None, typer.Option("--code-file", help="also write the page's address with its code here (0600)")
    ] = None,
    logs: Annotated[
        Path | None, typer.Option("--here", metavar="LOGS", help="run the services as children; their logs go there")
    ] = None,
    replace_camera: Annotated[
        str, typer.Option("--replace-camera", help="with --yes: id of the camera to replace")
    ] = "",
    anew: Annotated[bool, typer.Option("--anew", help="with --yes: begin anew; the profile of before is kept")] = False,
) -> None:
    """Make this machine a courtroom: by a page that it serves, or with --yes at once."""
    from hardware.simulation.scenario import BUNDLED_HEARING
    from sync.runtime.process.service import configure_logging
    from wutong.setup.choices import ChosenCenter
    from wutong.setup.command import SetupOptions, run
    from wutong.terminal import terminal

    configure_logging("setup")
    said = ChosenCenter(
        alone=alone,
        carried=carried,
        url=center,
        court=court,
        room=room_id,
        court_name=court_name,
        room_name=room_name,
        broker=broker,
    )
    options = SetupOptions(
        carried,
        profile.resolve(),
        data.resolve(),
        host,
        port,
        yes,
        said,
        tuple(camera or ()),
        camera_user,
        camera_password_file,
        microphones,
        tuple(seat or ()),
        BUNDLED_HEARING if simulated else None,
        tuple(probe or ()),
        code_file,
        logs,
        replace_camera,
        anew,
    )
    raise typer.Exit(run(options, terminal()))
