"""What a recorder's track gives, taken down."""

from __future__ import annotations

from recorder.capture.fragment import StampedFragment, WorkerRun


class TakenOutlet:
    """As `recorder.capture.track.TrackOutlet`."""

    def __init__(self) -> None:
        self.runs: list[WorkerRun] = []
        self.inits: list[bytes] = []
        self.published: list[StampedFragment] = []
        self.kept: list[StampedFragment] = []

    def began(self, run: WorkerRun) -> None:
        self.runs.append(run)

    def announce(self, run: WorkerRun, init: bytes) -> None:
        self.inits.append(init)

    def publish(self, fragment: StampedFragment) -> None:
        self.published.append(fragment)

    def keep(self, fragment: StampedFragment) -> None:
        self.kept.append(fragment)
