"""The room's loudspeaker, for the test tone alone: PortAudio (PyAudio), or the air of the simulated microphones.

    python -m hardware.loudspeaker '{"device": "…", "test": "…"}'

A device is played by a process of its own, so that a driver that hangs holds up no recorder. A simulated room hears
the tone through a file (hardware.simulation.acoustic_loopback).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path

from hardware import test_signal
from hardware.profile import Profile
from hardware.simulation.acoustic_loopback import tone_file
from sync.errors import DeviceError, WutongError
from sync.runtime.files.durable_files import replace_file
from sync.runtime.process.processes import die_with_parent
from sync.runtime.units import NS_PER_S

LEAD_NS = NS_PER_S // 4
PLAY_S = 20.0
RATE_HZ = 48_000


def _announce(path: Path, test: str) -> int:
    """Let a simulated room hear the tone in a moment; returns when (`CLOCK_MONOTONIC`, ns)."""
    start_ns = time.monotonic_ns() + LEAD_NS
    replace_file(path, json.dumps({"start_monotonic_ns": start_ns, "test": test}), synced=False)
    return start_ns


async def play(profile: Profile, stage: Path, test: str) -> None:
    """Play the tone and the marker of `test`; returns when they have sounded. `DeviceError` says why they did not."""
    if profile.microphones.driver == "simulated":
        start_ns = await asyncio.to_thread(_announce, tone_file(stage), test)
        await asyncio.sleep((start_ns - time.monotonic_ns()) / NS_PER_S + test_signal.SIGNAL_S)
        return
    options = json.dumps({"device": profile.selftest.loudspeaker, "test": test}, ensure_ascii=False)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hardware.loudspeaker", options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), PLAY_S)
    except TimeoutError:
        raise DeviceError("扬声器没有播放测试音：设备没有响应") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        words = said.decode("utf-8", "replace").strip().splitlines()
        raise DeviceError(f"扬声器没有播放测试音：{words[-1][:200] if words else '设备进程退出'}")


def main() -> None:
    """Entry point of the process."""
    from hardware.drivers.portaudio import play_through  # only here: the recorder must not load a sound library

    options = json.loads(sys.argv[1])
    try:
        play_through(str(options["device"]), test_signal.signal(str(options["test"]), RATE_HZ), RATE_HZ)
    except WutongError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 (the recorder shows it)
        sys.exit(2)


if __name__ == "__main__":
    main()
