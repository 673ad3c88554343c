"""The live copy of a track of pictures, where it differs from the record: a stream whose decoders would hold pictures.

H.264 whose parameters do not say how far pictures are reordered makes decoders wait for as many pictures as could be.
Where none are, the live copy says so: in its init, and in the parameters that stand before key frames. The record has
what the camera sent.

Whether pictures are reordered is what was seen: a stream that has sent one picture out of its order is left as it is
from then on.
"""

from __future__ import annotations

from sync.errors import MediaError
from sync.media.fmp4 import Fragment, Init
from sync.media.h264_config import H264Config, is_parameter_set, with_config
from sync.media.h264_sps import without_reordering
from sync.media.nal_units import prefixed_units

LENGTH_BYTES = 4
MOST_SETS = 32
"""Parameter sets that are remembered: a stream has one or two."""


class LiveCopy:
    """Of one run of a track."""

    def __init__(self, init: Init) -> None:
        self._init = init
        self._latest: int | None = None
        self._told: dict[bytes, bytes | None] = {}
        self._length_bytes = 0
        self._config: bytes | None = None
        """The decoder's description as the live copy says it; None where that is the record's own."""
        if init.kind == "video" and init.decoder == "h264":
            try:
                config = H264Config.parse(init.table.config)
            except MediaError:
                return  # the library could make something of it; nothing is changed that is not understood
            if config.length_bytes != LENGTH_BYTES:
                return  # no encoder of today writes others, and what is rewritten is longer than what was there
            self._length_bytes = config.length_bytes
            sets = [self._rewritten(one) for one in config.sps]
            if any(one is not None for one in sets):
                self._config = config.with_sps(
                    [old if new is None else new for old, new in zip(config.sps, sets, strict=True)]
                ).pack()

    @property
    def init(self) -> bytes:
        """The init segment as it is published."""
        return self._init.data if self._config is None else with_config(self._init, self._config)

    def see(self, fragment: Fragment) -> bool:
        """Look at what comes next; True when the init is another one from here on."""
        shown = fragment.decode_time + fragment.offset
        if self._latest is not None and shown < self._latest and self._length_bytes:
            self._length_bytes = 0  # reordered after all
            changed, self._config = self._config is not None, None
            return changed
        self._latest = shown
        return False

    def picture(self, sample: bytes, *, key_frame: bool) -> bytes:
        """A sample as it is published."""
        if not key_frame or not self._length_bytes:
            return sample
        changed = False
        units = []
        for unit in prefixed_units(sample, self._length_bytes):
            new = self._rewritten(unit) if is_parameter_set(unit) else None
            changed = changed or new is not None
            units.append(unit if new is None else new)
        if not changed:
            return sample
        return b"".join([len(unit).to_bytes(self._length_bytes, "big") + unit for unit in units])

    def _rewritten(self, sps: bytes) -> bytes | None:
        """None where nothing is to be said."""
        if sps not in self._told:
            if len(self._told) > MOST_SETS:
                self._told.clear()
            try:
                self._told[sps] = without_reordering(sps)
            except MediaError:
                self._told[sps] = None
        return self._told[sps]
