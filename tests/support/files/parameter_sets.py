"""Sequence parameter sets of H.264, written field by field, for whoever reads them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from sync.media.h264_sps import parse_sps

VUI_FLAGS = 8
"""Of a VUI in which nothing is said: eight flags before the one that is looked for."""


def ue(value: int) -> str:
    """Exp-Golomb, unsigned."""
    coded = f"{value + 1:b}"
    return "0" * (len(coded) - 1) + coded


def se(value: int) -> str:
    """Exp-Golomb, signed."""
    return ue(2 * value - 1 if value > 0 else -2 * value)


def with_emulation(rbsp: bytes) -> bytes:
    """With the bytes that keep start codes out."""
    out = bytearray()
    for byte in rbsp:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


@dataclass
class SetWriter:
    """What a set says; `vui_bits` are those before `bitstream_restriction_flag`."""

    profile: int = 77
    frames: int = 2
    order: int = 0
    vui: bool = False
    reordered: int | None = None
    held: int = 4
    vui_bits: str = "0" * VUI_FLAGS
    scaling: bool = False
    cycle: int = 0

    def unit(self) -> bytes:
        """The whole unit."""
        bits = f"{0x67:08b}{self.profile:08b}{0:08b}{31:08b}" + ue(0)
        if self.profile == 100:
            bits += ue(1) + ue(0) + ue(0) + "0" + ("1" + "1" + se(4) * 1 + se(-12) + "0" * 7 if self.scaling else "0")
        bits += ue(4) + ue(self.order)
        if self.order == 0:
            bits += ue(2)
        elif self.order == 1:
            bits += "1" + se(-3) + se(5) + ue(self.cycle) + "".join(se(n - 2) for n in range(self.cycle))
        bits += ue(self.frames) + "0" + ue(79) + ue(44) + "1" + "1" + "0"
        bits += "1" + self.vui_bits if self.vui else "0"
        if self.vui:
            if self.reordered is None:
                bits += "0"
            else:
                bits += "1" + "1" + ue(2) + ue(1) + ue(16) + ue(16) + ue(self.reordered) + ue(self.held)
        bits += "1"
        bits += "0" * (-len(bits) % 8)
        return with_emulation(int(bits, 2).to_bytes(len(bits) // 8, "big"))


def without_vui(unit: bytes) -> bytes:
    """An encoder's set as one that says no VUI would have written it."""
    plain = unit.replace(b"\0\0\3", b"\0\0")
    head = f"{int.from_bytes(plain):0{8 * len(plain)}b}"[: parse_sps(unit).vui_at] + "01"
    head += "0" * (-len(head) % 8)
    return with_emulation(int(head, 2).to_bytes(len(head) // 8, "big"))


BASELINE = SetWriter(profile=66, frames=1).unit()
MAIN = SetWriter(profile=77, frames=4).unit()
HIGH = SetWriter(profile=100, frames=4, vui=True).unit()
_TIMING = "0000" + "1" + f"{1:032b}{50:032b}" + "1" + "000"
_HRD = "00000" + "1" + ue(0) + "0" * 8 + ue(999) + ue(1999) + "1" + "0" * 20 + "0" + "0" + "1"
_LOOK = "1" + f"{255:08b}{1:016b}{1:016b}" + "0" + "1" + f"{5:03b}01" + f"{1:08b}{1:08b}{1:08b}" + "00000"


def parameter_sets() -> st.SearchStrategy[SetWriter]:
    """All kinds of them."""
    return st.builds(
        SetWriter,
        profile=st.sampled_from([66, 77, 88, 100]),
        frames=st.integers(0, 16),
        order=st.integers(0, 2),
        vui=st.booleans(),
        reordered=st.one_of(st.none(), st.integers(0, 16)),
        held=st.integers(0, 16),
        vui_bits=st.sampled_from(["0" * VUI_FLAGS, _TIMING, _HRD, _LOOK]),
        cycle=st.integers(0, 6),
    )
