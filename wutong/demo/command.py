"""What `wutong demo` does from its first line to its last."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from hardware.simulation.cue import Play, announce
from hardware.simulation.hearing_folder import HearingFolder
from hardware.simulation.scenario import Scenario
from sync.errors import CenterError
from sync.http.rights.people import write_private
from sync.room.paths import RoomPaths
from transcriber.recognition.model_files import locate
from wutong.demo.clerk import LEAD_S, Clerk
from wutong.demo.docket import put_on_docket
from wutong.demo.rooms import RoomPlan
from wutong.demo.stack import Stack, start_stack
from wutong.terminal import terminal

console = terminal(highlight=False)


@dataclass(frozen=True)
class DemoOptions:
    """The options of `wutong demo`."""

    hearing: Path
    rooms: int
    seconds: float | None
    headless: bool
    manual: bool
    port_base: int
    data: Path
    tls: bool = False


def run(options: DemoOptions) -> int:
    """Run the demo until Ctrl-C, SIGTERM or `--seconds`; 0 unless something could not be started."""
    folder = HearingFolder(options.hearing)
    scenario = Scenario.load(options.hearing)
    locate("base")
    return asyncio.run(_run(options, folder.path, scenario))


async def _run(options: DemoOptions, hearing: Path, scenario: Scenario) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(_start(options, hearing))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return 0
    stack = await starting
    tasks = [asyncio.create_task(stack.processes.watch())]
    try:
        if options.manual:
            await put_on_docket(stack, scenario.case)
        write_private(options.data / "demo.json", json.dumps(stack.summary(), ensure_ascii=False, indent=1))
        _print_addresses(stack, options)
        for room in stack.rooms:
            play = _act_when_opened if options.manual else _play
            tasks.append(asyncio.create_task(play(stack, room, scenario, hearing)))
        if not options.headless and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(f"{stack.center_url}/inspect")
            webbrowser.open(f"{stack.panel_url(stack.rooms[0])}/panel")
        for task in tasks:
            task.add_done_callback(_say_why_it_ended)
        try:
            await asyncio.wait_for(stop.wait(), options.seconds)
        except TimeoutError:
            console.print(f"{options.seconds:g} s are over.")
    finally:
        console.print("stopping …")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stack.processes.stop()
        (options.data / "demo.json").unlink(missing_ok=True)
        console.print("stopped; the record stays in " + str(options.data))
    return 0


def _say_why_it_ended(task: asyncio.Task[None]) -> None:
    """What goes on in the background must not end unseen."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        words = error.message if isinstance(error, CenterError) else repr(error)
        console.print(f"the demo does not go on by itself: {words}; the panel can be used by hand")


async def _start(options: DemoOptions, hearing: Path) -> Stack:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("checking", total=4 + options.rooms)

        def say(line: str) -> None:
            progress.update(task, description=line, advance=1)

        return await start_stack(
            options.data, hearing, rooms=options.rooms, port_base=options.port_base, tls=options.tls, say=say
        )


def _print_addresses(stack: Stack, options: DemoOptions) -> None:
    lines = [("督查 inspection", f"{stack.center_url}/inspect", stack.inspector_code())]
    for room in stack.rooms:
        lines.append((f"{room.room_name} 书记员 panel", f"{stack.panel_url(room)}/panel", stack.clerk_code(room)))
        lines.append((f"{room.room_name} 显示屏 display", stack.display_url(room), ""))
    console.rule(Text("五同 Wutong is serving", style="bold"), align="left")
    for what, address, code in lines:
        # soft_wrap: an address that a narrow terminal cuts in two cannot be clicked or copied
        console.print(f"  {what}", style="bold")
        console.print(f"    {address}" + (f"    code {code}" if code else ""), soft_wrap=True)
    console.rule()
    if options.rooms > 1:
        console.print("Only the first room transcribes: one speech model keeps two cores busy.")
    if options.manual:
        console.print("You are the clerk: pick the case on the panel's docket and open the hearing (开庭).")
        console.print("The people in the room begin to speak then.")
    else:
        console.print("The bundled clerk conducts the hearing by itself. After 闭庭 look into the archive.")
    console.print("Ctrl-C stops everything.")


async def _play(stack: Stack, room: RoomPlan, scenario: Scenario, hearing: Path) -> None:
    """Conduct the hearing once; a hearing that an earlier run left open is closed first."""
    try:
        async with Clerk(stack.panel_url(room), stack.trusted()) as clerk:
            await clerk.sign_in(stack.clerk_code(room))
            left = (await clerk.state())["hearing"]
            if left is not None and left["state"] != "closed":
                console.print(f"{room.room_name}: closing a hearing that was left open")
                await clerk.act(scenario.actions[-1], hearing)
            failing, _ = await asyncio.gather(clerk.self_test(), _wait_for_words(clerk, room))
            words = f"not passed: {', '.join(failing)}" if failing else "passed"
            console.print(f"{room.room_name}: 设备自检 — {words}")
            console.print(f"{room.room_name}: 开庭 — {scenario.case.title}")
            await clerk.conduct(scenario, hearing, RoomPaths(room.data).stage)
            console.print(f"{room.room_name}: 闭庭 — play it at {stack.center_url}/inspect")
    except CenterError as error:
        console.print(f"{room.room_name}: the hearing stopped here: {error.message}")


async def _wait_for_words(clerk: Clerk, room: RoomPlan) -> None:
    """Begin when the speech model is loaded, so that the first words are captioned live."""
    if not room.transcribes:
        return
    for _ in range(200):
        words = (await clerk.state())["transcriber"]  # null before its first word
        if words is not None and words["state"] != "loading":
            return
        await asyncio.sleep(0.2)
    console.print(f"{room.room_name}: the speech model is not ready; the hearing begins, its words follow later")


async def _act_when_opened(stack: Stack, room: RoomPlan, scenario: Scenario, hearing: Path) -> None:
    """Whenever somebody opens a hearing, let the simulated people speak from its beginning."""
    acted: str | None = None
    async with Clerk(stack.panel_url(room), stack.trusted()) as clerk:
        await clerk.sign_in(stack.clerk_code(room))
        while True:
            now = (await clerk.state())["hearing"]
            if now is not None and now["state"] == "open" and now["id"] != acted:
                acted = now["id"]
                from_ns = asyncio.get_running_loop().time() + LEAD_S
                announce(RoomPaths(room.data).stage, Play(int(from_ns * 1e9), hearing))
            await asyncio.sleep(0.5)
