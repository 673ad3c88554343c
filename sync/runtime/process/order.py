"""The machine's order: which service goes before which, at the processor and at the disk.

What is not recorded now is gone, a picture that comes late is not live, and somebody waits before a screen; words may
come a little later, and the reading of closed files any time. Capture and encoders are of the recorder. The units in
`systemd/` say the same, which a test compares. Where nobody weighs services each takes its place itself (`take_place`),
and so does a child that is to stand behind wherever its service stands (`sync.runtime.process.processes.weigh_apart`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sync.runtime.process.processes import weigh

Service = Literal["recorder", "broker", "center", "uplink", "edge", "signer", "transcriber", "speech-server"]


@dataclass(frozen=True)
class ServicePlace:
    """The weights count where systemd weighs services (100 is what others get), `niceness` where it does not: there
    whoever looks has a browser of niceness 0, which stands before words."""

    niceness: int
    cpu_weight: int
    io_weight: int


PLACES: Mapping[Service, ServicePlace] = {
    "recorder": ServicePlace(-10, 1000, 1000),
    "broker": ServicePlace(-9, 800, 300),
    "center": ServicePlace(-8, 700, 500),
    "uplink": ServicePlace(-8, 600, 100),
    "edge": ServicePlace(-7, 500, 500),
    "signer": ServicePlace(-6, 400, 400),
    "transcriber": ServicePlace(5, 300, 50),
    "speech-server": ServicePlace(10, 50, 50),
}
"""In their order. The speech server is of a machine of its own; where it shares one, it is behind all else."""


def take_place(service: Service) -> None:
    """Call it before anything large is imported; children inherit it.

    Without the right to it nothing changes, nor where somebody has given this process a better place already, or a
    worse one to a service that stands behind others.
    """
    niceness, given = PLACES[service].niceness, os.getpriority(os.PRIO_PROCESS, 0)
    if given > niceness or given == 0:
        weigh(niceness)
