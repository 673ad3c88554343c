"""The microphones as the recorder publishes them: the last seconds, decoded, for a listener that keeps up."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

import structlog

from sync.errors import EnvelopeError, MediaError
from sync.media.envelope import Envelope, unpack_init
from sync.media.fmp4 import parse_fragment, parse_init
from sync.room.feed import FeedClient
from transcriber.audio.decode import Block, Decoder

log = structlog.get_logger(__name__)

_KEEP_NS = 20_000_000_000


class LiveAudio:
    """A ring of the last 20 s. Who is slower reads the segments on disk instead."""

    def __init__(self, recorder: Path) -> None:
        self._feed = FeedClient(recorder, ["init/mics", "frag/mics"])
        self._blocks: deque[Block] = deque()
        self._decoder: Decoder | None = None
        self._init_id = -1
        self.arrived = asyncio.Event()

    async def run(self) -> None:
        """Follow the recorder's feed for ever; a fragment that cannot be read is left out and logged."""
        async for topic, payload in self._feed.messages():
            try:
                self._take(topic, Envelope.unpack(payload))
            except (EnvelopeError, MediaError) as error:
                log.warning("fragment_lost", why=error.message)

    def _take(self, topic: str, envelope: Envelope) -> None:
        if topic == "init/mics":
            self._decoder = Decoder(parse_init(unpack_init(envelope.payload)[1]))
            self._init_id = envelope.init_id
            return
        if self._decoder is None or envelope.init_id != self._init_id:
            return
        block = self._decoder.decode(parse_fragment(envelope.payload, self._decoder.init))
        if self._blocks and block.from_ns < self._blocks[-1].from_ns:
            self._blocks.clear()  # the recorder began anew on an earlier moment: the old line is void
        self._blocks.append(block)
        while self._blocks[-1].to_ns - self._blocks[0].from_ns > _KEEP_NS:
            self._blocks.popleft()
        self.arrived.set()

    def after(self, position_ns: int) -> Block | None:
        """Return the first block that ends after `position_ns`, or None when it has not come yet."""
        return next((b for b in self._blocks if b.to_ns > position_ns), None)

    async def wait(self, timeout_s: float) -> None:
        """Wait until another block comes or the time is over."""
        self.arrived.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self.arrived.wait()
        except TimeoutError:
            pass
