"""Which key the profile names: `[signer] key`."""

from __future__ import annotations

from pathlib import Path

from edge.signer.keys.file import KEY, file_key, take_earlier
from hardware.signer_settings import SignerSettings
from sync.errors import ConfigError
from sync.ledger.signing_key import SigningKey
from sync.runtime.files.secrets import read_secret


def open_key(settings: SignerSettings, folder: Path, earlier: Path) -> SigningKey:
    """The device's key; `folder` is the signer's own, `earlier` where rooms had their key before.

    `ConfigError` says what is missing. Of two homes that both hold a key, none is chosen silently.
    """
    if settings.key == "file":
        return file_key(folder, earlier)
    if settings.key == "tpm":
        from edge.signer.keys.tpm import tpm_key

        return tpm_key(folder, earlier, settings.tcti)
    from edge.signer.keys.token import TokenKey

    if take_earlier(folder, earlier) is not None:
        raise ConfigError(
            f"this device has a key in a file ({folder / KEY}), and a token makes its own: close all hearings, move the"
            " file away, start again, and enroll the room anew"
        )
    assert settings.module is not None
    assert settings.pin_file is not None
    return TokenKey(settings.module, settings.token, settings.label, read_secret(settings.pin_file, "the token's PIN"))
