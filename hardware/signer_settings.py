"""Where the key of a room's device lives: the part of the profile that the signer reads."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hardware.profile_part import ProfilePart


class SignerSettings(ProfilePart):
    """Where the key of the room's device lives; only the signer reaches it."""

    key: Literal["file", "pkcs11", "tpm"] = Field(
        "file", description="a file of the signer's own, a token behind a PKCS#11 module, or sealed by the TPM"
    )
    module: Path | None = Field(None, description="pkcs11: the module (a .so file of the token's maker)")
    token: str = Field("", max_length=32, description="pkcs11: the token's label")
    label: str = Field("wutong-device", min_length=1, max_length=100, description="pkcs11: the key's label in it")
    pin_file: Path | None = Field(None, description="pkcs11: file (mode 0600) with the token's user PIN")
    tcti: str = Field("device:/dev/tpmrm0", max_length=200, description="tpm: which TPM, as tpm2-tools name it")

    @model_validator(mode="after")
    def _token_is_named(self) -> Self:
        if self.key == "pkcs11" and not (self.module and self.token and self.pin_file):
            raise ValueError("the key \"pkcs11\" needs 'module', 'token' and 'pin_file'")
        return self
