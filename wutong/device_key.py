"""The device's key for a command in the room: the signer where it runs, else a file that this account may read.

So a data folder is exported also where no service runs any more, by whoever may read all of it.
"""

from __future__ import annotations

from sync.ledger.keys import load_key
from sync.ledger.signing_key import SigningKey
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner


def device_key(layout: RoomPaths) -> SigningKey | None:
    """What signs for the device; None where there is no key, and nothing says that there should be one.

    `ConfigError` when a file with a key is not one or is open to others. A signer that is away, of a device that was
    enrolled, is returned all the same: it says what to do when it is asked.
    """
    signer = RoomSigner(layout.signer_socket)
    if signer.known_key() is not None:
        return signer
    for path in (layout.device_key, layout.earlier_device_key):
        try:
            if path.is_file():
                return load_key(path)
        except PermissionError:
            return signer
    return signer if layout.device_certificate.is_file() else None
