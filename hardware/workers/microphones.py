"""The worker process of the microphones: PCM of all seats -> FLAC of every channel, and the mix that people hear.

    python -m hardware.workers.microphones '<options as JSON>'

Promises: the samples that the device gave, each once and in order, reach FLAC unchanged; how many came by when is
reported, so drift and loss are known. What the device or this process lost is reported, never filled in.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.simulation.acoustic_loopback import ToneInTheAir
from hardware.simulation.cue import Clapper, Stage
from hardware.workers.encoder_process import Encoder, run_worker
from hardware.workers.reporter import Reporter, pcm_levels
from sync.errors import ConfigError, DeviceError, WutongError
from sync.runtime.units import NS_PER_S

BLOCK_S = 0.02
LEVELS_S = 0.1
NOISE_RMS = 3.0
"""Of the simulated room at rest, in 16-bit units: about -81 dBFS; a real microphone is never exactly silent."""
TONE_HZ = 1_000
TONE_PEAK = 8_000


@dataclass(frozen=True)
class MicrophoneOptions:
    """What the recorder says on the command line. A worker that is to be back quickly imports little."""

    driver: Literal["pyaudio", "file", "simulated"]
    device: str
    file: Path | None
    loop: bool
    channels: int
    rate_hz: int
    stage: Path
    encoder: list[str]
    media_fds: list[int]
    report_fd: int

    @classmethod
    def parse(cls, text: str) -> MicrophoneOptions:
        """From the JSON that `hardware.sources` made."""
        value: dict[str, Any] = json.loads(text)
        value["file"] = None if value["file"] is None else Path(value["file"])
        value["stage"] = Path(value["stage"])
        return cls(**value)


class Input(Protocol):
    """Where PCM comes from. Blocks have the shape (samples, channels)."""

    def read(self) -> tuple[NDArray[np.int16], int, int, str] | None:
        """The next block; when its last sample had come (`CLOCK_MONOTONIC`, ns); how many samples were lost before
        it, and why. None at the end of a file."""

    def close(self) -> None:
        """Give the device back."""


class _Paced:
    """Blocks at the pace of a sample clock: sample k becomes due `k / rate` after the start."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._start_ns = time.monotonic_ns()
        self.count = 0

    def due_ns(self, sample: int) -> int:
        return self._start_ns + sample * NS_PER_S // self._rate_hz

    def next(self, samples: int) -> int:
        """Wait until that many more samples are due; returns when the last of them was."""
        self.count += samples
        due_ns = self.due_ns(self.count)
        wait_ns = due_ns - time.monotonic_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / NS_PER_S)  # a simulated sound card: its own process, paced by the clock
        return due_ns


class FileInput:
    """A sound file, as if it were a device."""

    def __init__(self, options: MicrophoneOptions) -> None:
        from hardware.simulation.hearing_folder import decode_audio

        assert options.file is not None
        self._samples = decode_audio(options.file, options.rate_hz)
        if self._samples.shape[1] != options.channels:
            raise ConfigError(
                f"{options.file} has {self._samples.shape[1]} channels, the profile says {options.channels}"
            )
        self._loop = options.loop
        self._block = max(int(options.rate_hz * BLOCK_S), 1)
        self._pace = _Paced(options.rate_hz)
        self._at = 0

    def read(self) -> tuple[NDArray[np.int16], int, int, str] | None:
        if self._at >= len(self._samples):
            if not self._loop:
                return None
            self._at = 0
        block = self._samples[self._at : self._at + self._block]
        self._at += len(block)
        return block, self._pace.next(len(block)), 0, ""

    def close(self) -> None:
        pass


class SimulatedInput:
    """Microphones in a quiet room; when the stage says so, the sound of a hearing folder from that very moment on, or
    the tone of its clapperboard."""

    def __init__(self, options: MicrophoneOptions) -> None:
        self._options = options
        self._block = max(int(options.rate_hz * BLOCK_S), 1)
        self._stage = Stage(options.stage)
        self._tone = ToneInTheAir(options.stage, options.rate_hz)
        self._sound: dict[Path, NDArray[np.int16]] = {}
        self._loading = threading.Lock()
        self._plays = Path()
        self._noise = np.random.default_rng(5).normal(0, NOISE_RMS, (options.rate_hz * 7, options.channels))
        if options.file is not None:
            self._load_beside(options.file)
        self._pace = _Paced(options.rate_hz)

    def _load(self, path: Path) -> None:
        path = path.resolve()
        if path in self._sound:
            return
        from hardware.simulation.hearing_folder import HearingFolder

        folder = HearingFolder(path)
        if folder.channels > self._options.channels:
            raise ConfigError(f"{path} has {folder.channels} channels, the profile {self._options.channels}")
        self._sound.clear()
        self._sound[path] = folder.samples(self._options.rate_hz)

    def _load_beside(self, path: Path) -> None:
        """Decode in a thread: the room is heard at once, and a play that began is joined in the middle."""

        def load() -> None:
            try:
                with self._loading:
                    self._load(path)
            except ConfigError as error:
                print(error.message, file=sys.stderr)  # noqa: T201 (the recorder logs it; the room stays quiet)

        threading.Thread(target=load, daemon=True).start()

    def read(self) -> tuple[NDArray[np.int16], int, int, str] | None:
        if self._stage.poll() and self._stage.play is not None:
            self._plays = self._stage.play.hearing_dir.resolve()
            self._load_beside(self._plays)
        first = self._pace.count
        block = self._noise[first % (len(self._noise) - self._block) :][: self._block].copy()
        play = self._stage.play
        sound = None if play is None else self._sound.get(self._plays)
        if play is not None and sound is not None:
            rate_hz = self._options.rate_hz
            at = round((self._pace.due_ns(first) - play.start_monotonic_ns) * rate_hz / NS_PER_S)
            skip = max(-at, 0)
            part = sound[max(at, 0) : max(at + self._block, 0)]
            if skip < self._block and len(part):
                block[skip : skip + len(part), : part.shape[1]] = part  # exactly the recording, no noise of ours
        self._tone.add(block, self._pace.due_ns(first))
        if self._stage.clapper is not None:
            block += self._clap(self._stage.clapper, first)[:, None]
        due_ns = self._pace.next(self._block)
        return np.clip(np.rint(block), -32768, 32767).astype(np.int16), due_ns, 0, ""

    def _clap(self, clapper: Clapper, first: int) -> NDArray[np.float64]:
        """What sounds in the samples of a block from `first` on, sample by sample."""
        rate_hz = self._options.rate_hz
        since_ns = self._pace.due_ns(first) - clapper.start_monotonic_ns
        at_s = (since_ns + np.arange(self._block) * (NS_PER_S / rate_hz)) / NS_PER_S
        into_s = np.where(at_s < 0, np.inf, at_s % (clapper.every_ns / NS_PER_S))
        sounds = into_s < clapper.for_ns / NS_PER_S
        return np.where(sounds, TONE_PEAK * np.sin(2 * np.pi * TONE_HZ * np.where(sounds, into_s, 0)), 0.0)

    def close(self) -> None:
        pass


def open_input(options: MicrophoneOptions) -> Input:
    """The driver that the profile names."""
    if options.driver == "pyaudio":
        from hardware.drivers.portaudio import PortAudioInput

        return PortAudioInput(options.device, options.channels, options.rate_hz)
    if options.driver == "file":
        return FileInput(options)
    return SimulatedInput(options)


def run(options: MicrophoneOptions) -> None:
    """Until the device or ffmpeg ends."""
    rate_hz = options.rate_hz
    reporter = Reporter(options.report_fd)
    try:
        source = open_input(options)
    except WutongError as error:
        reporter.failed(error.message)
        raise
    encoder = Encoder(options.encoder, options.media_fds)
    count = 0
    heard: list[NDArray[np.int16]] = []
    heard_samples = 0
    try:
        while (got := source.read()) is not None:
            block, at_ns, lost, why = got
            if lost:
                reporter.lost(count * NS_PER_S // rate_hz, lost * NS_PER_S // rate_hz, why)
            count += len(block)
            encoder.write(np.ascontiguousarray(block, dtype="<i2").data)
            heard.append(block)
            heard_samples += len(block)
            if heard_samples >= rate_hz * LEVELS_S:
                reporter.clock(count * NS_PER_S // rate_hz, at_ns)
                reporter.levels(pcm_levels(np.concatenate(heard)))
                heard, heard_samples = [], 0
        reporter.failed("声音文件已播放完毕")
    except DeviceError as error:
        reporter.failed(error.message)
    except BrokenPipeError:
        reporter.failed("音频编码进程退出")
    finally:
        encoder.close()
        source.close()


def main() -> None:
    """Entry point of the process."""
    run_worker(lambda: run(MicrophoneOptions.parse(sys.argv[1])))


if __name__ == "__main__":
    main()
