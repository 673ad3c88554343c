"""A sound card: a PulseAudio server of its own whose null sink `paplay` feeds and whose monitor PortAudio records."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from sync.runtime.process.processes import die_with_parent

SINK = "wutong"


class PulsePeer:
    """`environment` is what PortAudio (through ALSA's pulse plugin) and paplay need to find it."""

    def __init__(self, folder: Path, channels: int, rate_hz: int) -> None:
        folder.mkdir(mode=0o700)
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        socket = runtime / "native"
        # PortAudio sees ALSA names only: one for the monitor of the null sink, one for the sink itself.
        alsa = folder / "asound.conf"
        alsa.write_text(
            f'pcm.courtroom {{ type pulse device "{SINK}.monitor" hint {{ show on description "courtroom" }} }}\n'
            f'pcm.loudspeaker {{ type pulse device "{SINK}" hint {{ show on description "loudspeaker" }} }}\n'
            "ctl.courtroom { type pulse }\n",
            encoding="utf-8",
        )
        base = "/usr/share/alsa/alsa.conf"
        (folder / "alsa.conf").write_text(f"<{base}>\n<{alsa}>\n", encoding="utf-8")
        self.environment = {
            "XDG_RUNTIME_DIR": str(runtime),
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_RUNTIME_PATH": str(runtime / "pulse"),
            "PULSE_STATE_PATH": str(folder / "state"),
            "PULSE_COOKIE": str(folder / "cookie"),
            "ALSA_CONFIG_PATH": str(folder / "alsa.conf"),
            "HOME": str(folder),
        }
        layout = {1: "mono", 2: "front-left,front-right", 4: "front-left,front-right,rear-left,rear-right"}[channels]
        self._log = (folder / "pulse.log").open("wb")
        self._process = subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "--daemonize=no",
                "--system=false",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "--disable-shm=yes",
                "-L",
                f"module-native-protocol-unix socket={socket} auth-anonymous=1",
                "-L",
                f"module-null-sink sink_name={SINK} rate={rate_hz} format=s16le channels={channels}"
                f" channel_map={layout}",
            ],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            preexec_fn=die_with_parent,
        )
        deadline = time.monotonic() + 20
        while subprocess.run(
            ["pactl", "info"], env={**os.environ, **self.environment}, capture_output=True, timeout=5
        ).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "pulse.log").read_text())
            time.sleep(0.1)  # PulseAudio tells nobody when it is ready

    def play(self, pcm: bytes, channels: int, rate_hz: int) -> subprocess.Popen[bytes]:
        """Feed the null sink with s16le samples."""
        player = subprocess.Popen(
            f"pacat --playback --raw --format=s16le --rate={rate_hz} --channels={channels}"
            f" --device={SINK} --no-remix --no-remap".split(),
            stdin=subprocess.PIPE,
            env={**os.environ, **self.environment},
        )
        assert player.stdin is not None
        player.stdin.write(pcm)
        player.stdin.close()
        return player

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()
