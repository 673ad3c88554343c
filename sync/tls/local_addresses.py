"""The addresses of this machine's interfaces, asked without netlink: units of ours have no such sockets.

`getifaddrs`, and psutil by it, opens one, and a service whose `RestrictAddressFamilies=` lacks `AF_NETLINK` does not
start. IPv4 is asked by an ioctl, IPv6 by a file that a process sees even where `ProcSubset=pid` hides the rest.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

_SIOCGIFCONF = 0x8912
_ENTRY_BYTES = 40
"""`struct ifreq` where a pointer has 64 bits: a name of 16 bytes, then an address of which bytes 4 to 7 are IPv4's."""
_MOST = 256
_IPV6 = Path("/proc/self/net/if_inet6")


def local_addresses() -> list[str]:
    """IPv4, then IPv6, loopback included; of interfaces that are up. A kernel that does not say has none."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        found += _ipv4()
    with contextlib.suppress(OSError, ValueError):
        found += _ipv6(_IPV6.read_text(encoding="ascii"))
    return found


def _ipv4() -> list[str]:
    room = array.array("B", bytes(_MOST * _ENTRY_BYTES))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        said = fcntl.ioctl(line, _SIOCGIFCONF, struct.pack("iP", len(room), room.buffer_info()[0]))
    (size, _) = struct.unpack("iP", said)
    starts = range(0, size, _ENTRY_BYTES)
    return [socket.inet_ntoa(room[start + 20 : start + 24].tobytes()) for start in starts]


def _ipv6(table: str) -> list[str]:
    """The first field of each line: 32 hexadecimal digits."""
    return [str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))) for line in table.splitlines()[:_MOST]]
