"""What the doctor says of the device's key: whether its signer answers, and whether this machine has what it needs."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator

from hardware.profile import Profile
from sync.errors import LedgerError
from sync.room.enrollment import fingerprint
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from sync.runtime.confinement.confine import absent
from wutong.doctor.finding import DoctorFinding
from wutong.processes import service_pid


def confinement() -> DoctorFinding:
    """Whether programs that read foreign files can take all their rights away."""
    lacking = absent()
    if not lacking:
        return DoctorFinding("confinement", "ok", "what reads exhibits takes its own rights away (seccomp, Landlock)")
    return DoctorFinding(
        "confinement", "note", f"what reads exhibits keeps more rights than it should: {', '.join(lacking)}"
    )


def signer(profile: Profile) -> Iterator[DoctorFinding]:
    """The signer of this room, and where its key is to live."""
    layout = RoomPaths(profile.storage.data)
    try:
        key = RoomSigner(layout.signer_socket).public_key()
    except LedgerError as error:
        if service_pid(layout.feed("edge")) is None:
            text = f"no signer answers at {layout.signer_socket}; the room does not run"
            yield DoctorFinding("profile: signer", "note", text)
        else:
            yield DoctorFinding("profile: signer", "bad", error.message)
    else:
        yield DoctorFinding("profile: signer", "ok", f"answers; the device's key is {fingerprint(key)}")
    yield from _home(profile)
    try:
        if os.geteuid() != 0 and layout.earlier_device_key.exists():
            text = f"{layout.earlier_device_key} is where every service may read it; the signer moves it when it starts"
            yield DoctorFinding("profile: device key", "note", text)
    except PermissionError:
        pass  # this account does not see it, which is as it should be


def _home(profile: Profile) -> Iterator[DoctorFinding]:
    settings = profile.signer
    if settings.key == "pkcs11":
        assert settings.module is not None
        if importlib.util.find_spec("pkcs11") is None:
            text = "python-pkcs11 is not installed: uv pip install --require-hashes -r locks/pkcs11.lock"
            yield DoctorFinding("profile: token", "bad", text)
        elif not settings.module.is_file():
            yield DoctorFinding("profile: token", "bad", f"the module {settings.module} is not there")
        else:
            yield DoctorFinding("profile: token", "ok", str(settings.module))
    elif settings.key == "tpm":
        if shutil.which("tpm2_unseal") is None:
            yield DoctorFinding("profile: TPM", "bad", "its programs are missing: apt install tpm2-tools")
        else:
            yield DoctorFinding("profile: TPM", "ok", settings.tcti)
