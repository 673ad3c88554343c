"""The microphones' track as samples: fragments of the recorder, live or from its segments, decoded to 16 kHz PCM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from sync.errors import MediaError
from sync.media.fmp4 import Fragment, Indexed, Init, index_file, parse_fragment, to_ns
from transcriber.audio.pcm import RATE_HZ


@dataclass(frozen=True, slots=True)
class Block:
    """Some 100 ms of all microphones: shape (samples, channels) at 16 kHz, beginning at `from_ns`."""

    from_ns: int
    samples: NDArray[np.int16]

    @property
    def to_ns(self) -> int:
        """The moment at which its last sample ends."""
        return self.from_ns + len(self.samples) * 1_000_000_000 // RATE_HZ


class Decoder:
    """One run of the track; FLAC frames are independent, so it may begin anywhere."""

    def __init__(self, init: Init) -> None:
        self.init = init
        self._codec = av.CodecContext.create("flac", "r")
        self._codec.extradata = init.streaminfo
        self._to_pcm: av.AudioResampler | None = None

    def decode(self, fragment: Fragment) -> Block:
        """The samples of one fragment. Raises `MediaError` when its bytes are not FLAC."""
        out: list[NDArray[np.int16]] = []
        try:
            for sample in fragment.samples():
                for frame in self._codec.decode(av.Packet(sample)):
                    if self._to_pcm is None:
                        self._to_pcm = av.AudioResampler(format="s16", layout=frame.layout, rate=RATE_HZ)
                    channels = len(frame.layout.channels)
                    frame.pts = None
                    for pcm in self._to_pcm.resample(frame):
                        out.append(pcm.to_ndarray().astype(np.int16, copy=False).reshape(-1, channels))
        except (FFmpegError, ValueError) as error:
            raise MediaError(f"a fragment of the microphones cannot be decoded ({error}); it is left out") from error
        samples = np.concatenate(out) if out else np.zeros((0, self.init.table.channels or 1), np.int16)
        return Block(to_ns(fragment.decode_time, self.init.timescale), samples)


class KeptAudio:
    """The microphones' segments of one hearing on disk, the growing one included, read forwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._found: list[Indexed] = []
        self._end = 0
        self._init: Init | None = None
        self._decoder: Decoder | None = None

    def read(self, position_ns: int, seconds: float = 2.0) -> list[Block]:
        """Return blocks that end after `position_ns`, about `seconds` of them at most; there may be none yet."""
        if self._found and self._found[0].from_ns > position_ns:
            self._path = None  # asked to go back: begin with the first file again
        while True:
            blocks = self._here(position_ns, seconds)
            if blocks:
                return blocks
            following = self._following()
            if following is None:
                return []
            if self._path is not None and (blocks := self._here(position_ns, seconds)):
                return blocks  # it grew between the two looks
            self._path, self._found, self._end, self._init, self._decoder = following, [], 0, None, None

    def _following(self) -> Path | None:
        files = sorted(self._folder.glob("[0-9]*.mp4")) if self._folder.is_dir() else []
        return next((f for f in files if self._path is None or f.name > self._path.name), None)

    def _here(self, position_ns: int, seconds: float) -> list[Block]:
        if self._path is None or not self._path.exists():
            return []
        index = index_file(self._path, self._end, self._init, salvage=True)
        self._init, self._end = index.init, index.end
        self._found += index.fragments
        self._found = [f for f in self._found if f.to_ns > position_ns]
        if self._init is None or not self._found:
            return []
        if self._decoder is None:
            self._decoder = Decoder(self._init)
        until_ns = max(self._found[0].from_ns, position_ns) + int(seconds * 1e9)
        blocks: list[Block] = []
        with self._path.open("rb") as file:
            for found in self._found:
                if found.from_ns >= until_ns:
                    break
                file.seek(found.offset)
                fragment = parse_fragment(file.read(found.bytes), self._init)
                try:
                    blocks.append(self._decoder.decode(fragment))
                except MediaError:
                    continue  # a damaged fragment is a hole in the sound, and is cut as one
        return blocks
