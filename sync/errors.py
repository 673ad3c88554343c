"""The one exception tree of Wutong.

    WutongError              an error whose message a person may read
    ├── ConfigError          a profile, option or folder is wrong; nothing was started
    ├── DeviceError          a microphone, camera or encoder does not do what the profile says
    ├── MediaError           bytes that are not the media they claim to be
    ├── EnvelopeError        a live message that cannot be read
    ├── StorageError         the disk or the room's log refuses to take what must be kept
    ├── LedgerError          a leaf, proof, checkpoint or key that is not what it must be
    ├── HearingError         the hearing is in a state in which this cannot be done
    ├── AccessError          who asks may not do this
    └── CenterError          the center refused or could not be understood

Every message says what happened and what to do next. At the edges (HTTP, the command line) exactly these are shown to
people; anything else is a defect and is logged.
"""

from __future__ import annotations


class WutongError(Exception):
    """An error that a person can act on. `code` is stable and is the key of its translation on the screens."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code

    @property
    def message(self) -> str:
        """The sentence to show."""
        return str(self.args[0])


class ConfigError(WutongError):
    """Something the operator wrote is wrong. Commands answer with exit code 2."""

    code = "config"


class DeviceError(WutongError):
    """A device of the courtroom is missing, busy or not what the profile says."""

    code = "device"


class MediaError(WutongError):
    """Bytes are not the MP4, PDF, image or audio that they claim to be."""

    code = "media"


class EnvelopeError(WutongError):
    """A live message is cut short, of an unknown version, or nonsense."""

    code = "envelope"


class StorageError(WutongError):
    """What must be kept could not be written."""

    code = "storage"


class LedgerError(WutongError):
    """Part of a ledger is malformed, or a signature is false."""

    code = "ledger"


class HearingError(WutongError):
    """The hearing's state does not allow this."""

    code = "hearing"


class AccessError(WutongError):
    """Not signed in, or not with a role that may do this."""

    code = "access"


class CenterError(WutongError):
    """The center refused, or answered something that is not the protocol."""

    code = "center"
