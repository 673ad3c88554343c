"""What the doctor says of microphones and loudspeaker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardware.profile import Microphones, Profile
from sync.errors import WutongError
from wutong.doctor.finding import DoctorFinding, simulated


def microphones(profile: Profile | None) -> Iterator[DoctorFinding]:
    """The input devices of this machine, and whether the profile's can be opened as it asks."""
    from hardware.drivers.portaudio import find_device, input_devices

    devices = input_devices()
    for device in devices:
        facts = f"{device['maxInputChannels']} channels, {device['defaultSampleRate']:.0f} Hz"
        yield DoctorFinding(f"microphones: {device['name']}", "ok", facts)
    if not devices:
        yield DoctorFinding("microphones", "note", "PortAudio sees no input device on this machine")
    if profile is None:
        return
    wanted = profile.microphones
    try:
        if wanted.driver == "pyaudio":
            yield from card(find_device(wanted.device, wanted.channels, devices), wanted)
        elif wanted.driver == "file":
            there = wanted.file is not None and wanted.file.is_file()
            yield DoctorFinding("profile: microphones", "ok" if there else "bad", f"file {wanted.file}")
        else:
            yield simulated("profile: microphones", wanted.file)
    except WutongError as error:
        yield DoctorFinding("profile: microphones", "bad", error.message)


def card(device: dict[str, Any], wanted: Microphones) -> Iterator[DoctorFinding]:
    """Whether a card can be opened as the profile asks, and whether it is the card itself."""
    from hardware.drivers.portaudio import is_direct, unsupported

    subject = "profile: microphones"
    asked = f"{wanted.channels} channels at {wanted.rate_hz} Hz"
    why = unsupported(device, wanted.channels, wanted.rate_hz)
    if why:
        rate = f"{device['defaultSampleRate']:.0f}"
        text = f"{device['name']} does not take {asked} ({why}); set microphones.rate_hz to what it takes, e.g. {rate}"
        yield DoctorFinding(subject, "bad", text)
    else:
        yield DoctorFinding(subject, "ok", f"{device['name']}, {asked}")
    if not is_direct(device):
        text = f"{device['name']} is not the card itself: what lies between may mix, reorder, copy or resample channels"
        yield DoctorFinding(subject, "note", f"{text}; name its (hw:…) device, and let the self-test prove the seats")


def loudspeaker(name: str) -> DoctorFinding:
    """The output device that plays the test tone."""
    from hardware.drivers.portaudio import find_output

    try:
        return DoctorFinding("profile: loudspeaker", "ok", str(find_output(name)["name"]))
    except WutongError as error:  # the seats can speak instead
        return DoctorFinding("profile: loudspeaker", "note", error.message)
