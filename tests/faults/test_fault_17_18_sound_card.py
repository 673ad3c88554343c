"""Faults 17 and 18, with PulseAudio as the sound card and PortAudio as it is installed:

18  PortAudio's stream time is stuck at 0, as it is with some ALSA plugins: it is never asked, sound comes in time;
17  the driver overruns and throws half a second away; then the process that takes the sound is held up for three.

Lost: the samples that the card threw away, and they are a declared gap: what follows is where it belongs in time.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.faults import fault_tools as faults
from tests.support.peers.pulse_peer import PulsePeer
from tests.support.rooms.recorder_room import SIMULATED_CAMERA, RecorderRoom, profile_text, spans

S = 1_000_000_000
STUCK = """
import os

try:
    import pyaudio
except ImportError:
    pass
else:
    really = pyaudio.PyAudio.open

    def open(self, *arguments, stream_callback=None, **options):
        times = {"input_buffer_adc_time": 0.0, "current_time": 0.0, "output_buffer_dac_time": 0.0}
        dropped = []

        def take(data, frames, _, status):
            if os.path.exists("OVERRUN") and len(dropped) < 25:  # half a second of blocks
                dropped.append(data)
                return None, pyaudio.paContinue
            if len(dropped) == 25:
                dropped.append(b"")
                status |= pyaudio.paInputOverflow
            return stream_callback(data, frames, times, status)

        if stream_callback is not None:
            options["stream_callback"] = take
        return really(self, *arguments, **options)

    pyaudio.PyAudio.open = open
"""


async def test_lost_samples_are_a_gap_and_the_card_s_own_clock_is_not_needed(
    room_of: Callable[..., RecorderRoom], card: PulsePeer, tmp_path: Path
) -> None:
    (tmp_path / "stuck").mkdir()
    (tmp_path / "stuck" / "sitecustomize.py").write_text(STUCK.replace("OVERRUN", str(tmp_path / "overrun")))
    mics = 'driver = "pyaudio"\ndevice = "courtroom"\nchannels = 4\n'
    text = profile_text(mics, SIMULATED_CAMERA, segment_s=60)
    room = room_of(text, {**card.environment, "PYTHONPATH": str(tmp_path / "stuck")})
    await room.until(room.running, "the sound card is heard")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: room.track("mics").get("kept"), "kept")
    await room.pass_media("mics", 2)
    assert abs(room.fragments["mics"][-1].room_ns - room.clock.now_ns()) < 5 * S  # in time though its clock stands
    # The driver throws half a second away and says so, but not how much: this is all that PortAudio ever tells.
    before_ns = room.clock.now_ns()
    (tmp_path / "overrun").touch()
    await room.until(lambda: "samples_lost" in (room.folder / "recorder.log").read_text(), "the overrun is noticed")
    await room.pass_media("mics", 1)
    assert room.track("mics")["restarts"] == 0
    overrun_ns = room.clock.now_ns()
    (worker,) = room.workers("hardware.workers.microphones")
    os.kill(worker, signal.SIGSTOP)
    await room.until(lambda: room.clock.now_ns() > overrun_ns + 3 * S)
    with contextlib.suppress(ProcessLookupError):  # by now the recorder may have put another in its place
        os.kill(worker, signal.SIGCONT)
    released_ns = room.clock.now_ns()
    await room.until(
        lambda: room.track("mics")["last_fragment_ns"] > released_ns + 2 * S and room.running(), "sound is back"
    )
    late_ns = room.clock.now_ns() - room.track("mics")["last_fragment_ns"]
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert len(spans(view, "mics")) == 1
    gaps = [g for g in view.gaps if g.track == "mics"]
    first, *others = gaps
    assert before_ns - S < first.from_ns < overrun_ns
    assert "溢出" in first.why
    assert 0.3 * S < (first.to_ns or 0) - first.from_ns < 1.5 * S
    assert [g for g in others if overrun_ns - S < g.from_ns < released_ns], "what was not taken in time is declared"
    assert late_ns < 5 * S, "what follows is in time again"
    assert faults.gaps(room, view, "bench") == []
