"""The sequence parameter set of H.264 (ITU-T H.264, 7.3.2.1.1, annex E.1), read to its end, and one thing said in it.

Promises: work in proportion to the bytes; every number is within the bounds of the standard, else `MediaError`; what is
not understood is refused, never guessed. `without_reordering` changes nothing but the VUI's `bitstream_restriction`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.errors import MediaError

MAX_SPS_BYTES = 4096
"""Scaling lists of all kinds and a VUI with both HRDs fit many times."""
_WITH_CHROMA = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
"""Profiles whose sets say the chroma format."""
_EXTENDED_SAR = 255
_MOST_FRAMES = 16


class _Bits:
    """Bits of a set, without emulation prevention, from the first to the last."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "big")
        self._left = self.length = len(data) * 8

    @property
    def at(self) -> int:
        """How many were read."""
        return self.length - self._left

    @property
    def rest(self) -> int:
        """All bits that were not read, as a number."""
        return self._bits & ((1 << self._left) - 1)

    def u(self, count: int) -> int:
        """An unsigned number of so many bits."""
        if count > self._left:
            raise MediaError("an H.264 parameter set is cut short")
        self._left -= count
        return self._bits >> self._left & ((1 << count) - 1)

    def ue(self, most: int) -> int:
        """An unsigned Exp-Golomb number, at most `most`."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise MediaError("an H.264 parameter set has a number that is not possible")
        value = (1 << zeros) - 1 + self.u(zeros)
        if value > most:
            raise MediaError(f"an H.264 parameter set says {value} where {most} is the most")
        return value

    def se(self, most: int) -> int:
        """A signed Exp-Golomb number, at most `most` either way."""
        value = self.ue(2 * most)
        return (value + 1) // 2 if value & 1 else -(value // 2)


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What a set says that matters for the order of pictures."""

    profile: int
    reference_frames: int
    """`max_num_ref_frames`."""
    pic_order_type: int
    vui_at: int
    """Bits before `vui_parameters_present_flag`."""
    restriction_at: int | None
    """Bits before `bitstream_restriction_flag`; None where there is no VUI."""
    reordered_frames: int | None
    """`max_num_reorder_frames`; None where nothing is said of it, so a decoder holds as many pictures as could be."""

    @property
    def may_reorder(self) -> bool:
        """Whether pictures can come in another order than they are shown in, by profile and kind of order."""
        return self.profile != 66 and self.pic_order_type != 2 and self.reordered_frames != 0


def parse_sps(unit: bytes) -> SequenceParameters:
    """Read a whole unit, its head included."""
    return _parse(_rbsp(unit))


def without_reordering(unit: bytes) -> bytes | None:
    """The unit, saying beside all else that no picture is reordered; None where it says already how far they are."""
    data = _rbsp(unit)
    said = _parse(data)
    if said.reordered_frames is not None:
        return None
    bits = int.from_bytes(data, "big")
    total = len(data) * 8
    if said.restriction_at is None:
        # A VUI in which nothing else is said: eight flags, none of which is set.
        keep, tail = said.vui_at, "1" + "0" * 8
    else:
        keep, tail = said.restriction_at, ""
    tail += "1" + "1" + _ue(2) + _ue(1) + _ue(16) + _ue(16) + _ue(0) + _ue(max(said.reference_frames, 1)) + "1"
    text = f"{bits >> (total - keep):0{keep}b}" + tail
    text += "0" * (-len(text) % 8)
    return _unit(int(text, 2).to_bytes(len(text) // 8, "big"))


def _ue(value: int) -> str:
    coded = f"{value + 1:b}"
    return "0" * (len(coded) - 1) + coded


def _rbsp(unit: bytes) -> bytes:
    """The set without its emulation prevention bytes; the head stays."""
    if not 4 <= len(unit) <= MAX_SPS_BYTES or unit[0] & 0x9F != 7:
        raise MediaError("this is no H.264 parameter set")
    return unit.replace(b"\0\0\3", b"\0\0")


def _unit(rbsp: bytes) -> bytes:
    out = bytearray()
    zeros = 0
    for byte in rbsp:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def _parse(data: bytes) -> SequenceParameters:
    bits = _Bits(data)
    bits.u(8)
    profile = bits.u(8)
    bits.u(16)
    bits.ue(31)
    if profile in _WITH_CHROMA:
        _chroma(bits)
    bits.ue(12)
    order = bits.ue(2)
    if order == 0:
        bits.ue(12)
    elif order == 1:
        bits.u(1)
        bits.se(1 << 31)
        bits.se(1 << 31)
        for _ in range(bits.ue(255)):
            bits.se(1 << 31)
    frames = bits.ue(_MOST_FRAMES)
    bits.u(1)
    bits.ue(1 << 16)
    bits.ue(1 << 16)
    if not bits.u(1):
        bits.u(1)
    bits.u(1)
    if bits.u(1):
        for _ in range(4):
            bits.ue(1 << 16)
    vui_at = bits.at
    restriction_at = reordered = None
    if bits.u(1):
        restriction_at = _vui(bits)
        if bits.u(1):
            bits.u(1)
            for most in (16, 16, 32, 32):
                bits.ue(most)
            reordered = bits.ue(_MOST_FRAMES)
            bits.ue(_MOST_FRAMES)
    if not bits.u(1) or bits.rest:
        raise MediaError("an H.264 parameter set does not end where it should")
    return SequenceParameters(profile, frames, order, vui_at, restriction_at, reordered)


def _chroma(bits: _Bits) -> None:
    chroma = bits.ue(3)
    if chroma == 3:
        bits.u(1)
    bits.ue(6)
    bits.ue(6)
    bits.u(1)
    if not bits.u(1):
        return
    for number in range(12 if chroma == 3 else 8):
        if bits.u(1):
            last = following = 8
            for _ in range(16 if number < 6 else 64):
                if following:
                    following = (last + bits.se(128)) % 256
                last = following or last


def _vui(bits: _Bits) -> int:
    """All of the VUI up to the flag that is looked for; where that stands."""
    if bits.u(1) and bits.u(8) == _EXTENDED_SAR:
        bits.u(32)
    if bits.u(1):
        bits.u(1)
    if bits.u(1):
        bits.u(4)
        if bits.u(1):
            bits.u(24)
    if bits.u(1):
        bits.ue(5)
        bits.ue(5)
    if bits.u(1):
        bits.u(65)
    hrds = 0
    for _ in range(2):
        if bits.u(1):
            hrds += 1
            _hrd(bits)
    if hrds:
        bits.u(1)
    bits.u(1)
    return bits.at


def _hrd(bits: _Bits) -> None:
    count = bits.ue(31) + 1
    bits.u(8)
    for _ in range(count):
        bits.ue((1 << 32) - 2)
        bits.ue((1 << 32) - 2)
        bits.u(1)
    bits.u(20)
