"""A drop-in for the recorder's unit by which it reaches its own cameras, and nothing else of any network.

As delivered the unit allows the private networks, because it cannot know where a room's cameras are. What the profile
names is asked for: cameras, and the machine of the second copy, which the recorder feeds. Refuses a name that cannot be
looked up now: systemd knows addresses only.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from hardware.profile import Profile
from sync.errors import ConfigError

DROP_IN = "/etc/systemd/system/wutong-recorder.service.d/cameras.conf"


def _looked_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found})


def drop_in(profile: Profile, *, look_up: Callable[[str], list[str]] = _looked_up) -> str:
    """The text of the drop-in; `ConfigError` when a name has no address."""
    lines = [
        f"# {DROP_IN}",
        "# Written by `wutong room recorder-network`; to be written again when a camera gets another address.",
        "[Service]",
        "IPAddressAllow=",
        "IPAddressDeny=any",
        "# chrony of this machine says how far its clock is",
        "IPAddressAllow=localhost",
    ]
    allowed: dict[str, list[str]] = {}
    for what, host in _hosts(profile):
        for address in _addresses(host, what, look_up):
            allowed.setdefault(address, []).append(what)
    for address, names in allowed.items():
        lines += [f"# {', '.join(names)}", f"IPAddressAllow={address}"]
    return "\n".join([*lines, ""])


def _hosts(profile: Profile) -> Iterator[tuple[str, str]]:
    for camera in profile.cameras:
        if camera.driver == "rtsp":
            yield f"camera {camera.id}", urlsplit(camera.url).hostname or ""
    if profile.storage.copy_to.startswith(("http://", "https://")):
        yield "second copy", urlsplit(profile.storage.copy_to).hostname or ""


def _addresses(host: str, what: str, look_up: Callable[[str], list[str]]) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        found = look_up(host)
    except OSError as error:
        raise ConfigError(
            f"the {what} is at {host}, which has no address now ({error}); write its IP address into the profile"
        ) from error
    return [str(ipaddress.ip_address(address.partition("%")[0])) for address in found]
