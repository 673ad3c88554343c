"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hardware.simulation.hearing_folder import HearingFolder
from sync.errors import WutongError

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True)
class DoctorFinding:
    """One line of the report. `bad` stands in the way of recording, `note` does not."""

    subject: str
    state: State
    text: str


def simulated(subject: str, folder: Path | None) -> DoctorFinding:
    if folder is None:
        return DoctorFinding(subject, "ok", "simulated, quiet until a hearing is played")
    try:
        sound = HearingFolder(folder)
    except WutongError as error:
        return DoctorFinding(subject, "bad", error.message)
    return DoctorFinding(subject, "ok", f"simulated: {folder} ({sound.channels} channels, {sound.duration_s:.0f} s)")
