"""What a camera says of its picture in the stream itself: when that changes, the run's init tells it no more."""

from __future__ import annotations

from sync.media.fmp4 import Fragment, Init
from sync.media.nal_units import prefixed_units, sequence_sets


def picture_parameters(fragment: Fragment, init: Init) -> bytes | None:
    """The sequence parameter sets inside the fragment's first picture; None when it carries none, or is no picture."""
    if init.kind != "video" or not fragment.sizes:
        return None
    length_bytes = (init.table.config[4 if init.decoder == "h264" else 21] & 3) + 1
    units = prefixed_units(next(fragment.samples()), length_bytes)
    return sequence_sets(units, init.decoder) or None
