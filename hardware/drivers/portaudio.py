"""Microphones through PortAudio (PyAudio): a multichannel input device, found by name.

Promises: the real-time callback does nothing but put blocks into a bounded queue; what the queue or the device
dropped is counted and told with the next block. A device that stops giving samples is a `DeviceError` after a second.
"""

from __future__ import annotations

import contextlib
import os
import queue
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyaudio
from numpy.typing import NDArray

from sync.errors import DeviceError
from sync.runtime.units import NS_PER_S

QUEUE_BLOCKS = 100
"""Two seconds of blocks."""
SILENT_S = 1.0
FIRST_S = 6.0
"""A sound server takes its time to begin."""


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """PortAudio probes every ALSA name there is, and each that fails writes to stderr: not while we only look."""
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def output_devices() -> list[dict[str, Any]]:
    """PortAudio's output devices: `index`, `name`, `maxOutputChannels`, `defaultSampleRate`."""
    return [d for d in _devices() if d["maxOutputChannels"] > 0]


def input_devices() -> list[dict[str, Any]]:
    """PortAudio's input devices: `index`, `name`, `maxInputChannels`, `defaultSampleRate`."""
    return [d for d in _devices() if d["maxInputChannels"] > 0]


def _devices() -> list[dict[str, Any]]:
    with _quietly():
        port = pyaudio.PyAudio()
        try:
            devices = [dict(port.get_device_info_by_index(i)) for i in range(port.get_device_count())]
        finally:
            port.terminate()
    return devices


def find_output(name: str) -> dict[str, Any]:
    """The output device of that name, else the only one whose name contains it; `DeviceError` says what there is."""
    devices = output_devices()
    found = [d for d in devices if d["name"] == name] or [d for d in devices if name.lower() in str(d["name"]).lower()]
    if len(found) != 1:
        there = "、".join(str(d["name"]) for d in (found or devices)) or "无"
        what = "没有名为" if not found else "多个输出设备符合"
        raise DeviceError(f"{what}“{name}”（现有：{there}）；请检查连接或修改 selftest.loudspeaker")
    return found[0]


def play_through(name: str, sound: NDArray[np.int16], rate_hz: int) -> None:
    """Play one channel of sound on the output device of that name, and wait until it has sounded; `DeviceError`."""
    device = find_output(name)
    with _quietly():
        port = pyaudio.PyAudio()
    try:
        stream = port.open(
            rate=rate_hz, channels=1, format=pyaudio.paInt16, output=True, output_device_index=device["index"]
        )
        stream.write(np.ascontiguousarray(sound, "<i2").tobytes())
        stream.stop_stream()  # waits until the device has played it
        stream.close()
    except (OSError, ValueError) as error:
        raise DeviceError(f"输出设备“{device['name']}”无法播放：{error}") from error
    finally:
        port.terminate()


def is_direct(device: dict[str, Any]) -> bool:
    """Whether a device is the card itself (`hw:`): any other name may mix, reorder, copy or resample its channels."""
    return "(hw:" in str(device["name"])


def unsupported(device: dict[str, Any], channels: int, rate_hz: int) -> str:
    """Why PortAudio will not open an input device with so many channels at that rate; empty when it will."""
    with _quietly():
        port = pyaudio.PyAudio()
        try:
            port.is_format_supported(
                rate_hz, input_device=device["index"], input_channels=channels, input_format=pyaudio.paInt16
            )
        except (ValueError, OSError) as error:
            return str(error.args[0]) if error.args else str(error)
        finally:
            port.terminate()
    return ""


def find_device(name: str, channels: int, devices: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The device of that name, else the only one whose name contains it; `DeviceError` says what there is."""
    devices = input_devices() if devices is None else devices
    exact = [d for d in devices if d["name"] == name]
    found = exact[:1] or [d for d in devices if name.lower() in str(d["name"]).lower()]
    there = "、".join(str(d["name"]) for d in devices) or "无"
    if not found:
        raise DeviceError(f"没有名为“{name}”的录音设备（现有：{there}）；请检查连接或修改 microphones.device")
    if len(found) > 1:
        # One card has many names; only its hw: one gives the channels as they are plugged in.
        found = [d for d in found if is_direct(d)] or found
    if len(found) > 1:
        names = "、".join(str(d["name"]) for d in found)
        raise DeviceError(f"“{name}”对应多个录音设备（{names}）；请在 microphones.device 中写得更完整")
    if found[0]["maxInputChannels"] < channels:
        raise DeviceError(f"录音设备“{found[0]['name']}”只有 {found[0]['maxInputChannels']} 路，配置需要 {channels} 路")
    return found[0]


class PortAudioInput:
    """An open input stream."""

    def __init__(self, device: str, channels: int, rate_hz: int) -> None:
        info = find_device(device, channels)
        self._channels = channels
        self._rate_hz = rate_hz
        self._queue: queue.Queue[tuple[bytes, int, bool, int]] = queue.Queue(QUEUE_BLOCKS)
        self._dropped = 0
        self._earliest_ns: int | None = None
        self._count = 0
        with _quietly():
            self._port = pyaudio.PyAudio()
        try:
            self._stream = self._port.open(
                rate=rate_hz,
                channels=channels,
                format=pyaudio.paInt16,
                input=True,
                input_device_index=info["index"],
                frames_per_buffer=rate_hz // 50,
                stream_callback=self._take,
            )
        except (OSError, ValueError) as error:
            self._port.terminate()
            raise DeviceError(f"录音设备“{info['name']}”无法以 {rate_hz} Hz、{channels} 路打开：{error}") from error

    def _take(self, data: bytes, frames: int, times: Any, status: int) -> tuple[None, int]:
        try:
            overflow = bool(status & pyaudio.paInputOverflow)
            self._queue.put_nowait((data, time.monotonic_ns(), overflow, self._dropped))
            self._dropped = 0
        except queue.Full:
            self._dropped += frames
        return None, pyaudio.paContinue

    def read(self) -> tuple[NDArray[np.int16], int, int, str] | None:
        try:
            data, at_ns, overflow, lost = self._queue.get(timeout=SILENT_S if self._count else FIRST_S)
        except queue.Empty:
            raise DeviceError("录音设备不再送来声音") from None
        block = np.frombuffer(data, np.int16).reshape(-1, self._channels)
        why = "录音进程来不及接收，丢失样本"
        if overflow and not lost:
            lost = self._missing(at_ns, len(block))
            why = "声卡缓冲区溢出，丢失样本"
        self._count += len(block) + lost
        self._poll(at_ns)
        return block, at_ns, lost, why

    def _poll(self, at_ns: int) -> None:
        start_ns = at_ns - self._count * NS_PER_S // self._rate_hz
        # The lower envelope over arrival jitter, let go slowly (500 ppm at most) so that it follows a slow sound card.
        if self._earliest_ns is None:
            self._earliest_ns = start_ns
        self._earliest_ns = min(start_ns, self._earliest_ns + 10_000)

    def _missing(self, at_ns: int, samples: int) -> int:
        """How many samples a device that says "overflow" (but not how much) must have lost before this block."""
        if self._earliest_ns is None:
            return 0
        expected = (at_ns - self._earliest_ns) * self._rate_hz // NS_PER_S
        return max(int(expected) - self._count - samples, 0)

    def close(self) -> None:
        """Give the device back."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._port.terminate()
