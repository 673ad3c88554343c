"""What a process of ours, or a program that it starts, keeps of its rights: `confine_reader` and `Converter`.

Promises: afterwards it cannot reach anybody by a socket, start a program (a reader), look at another process, signal,
slow down or limit one, write a file (a reader) or see one that it was not given, and it has its own bounds of memory,
of processor time, of processes and threads; whatever a foreign file makes of it, that is all there is to take. None of
it can be given back. Where the kernel lacks a part, the others hold, and `absent` names it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sync.runtime.confinement import landlock, seccomp
from sync.runtime.confinement.seccomp import CallFilter, converter_filter, is_known, reader_filter

LIBRARIES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/dev/null", "/dev/urandom")
SYSTEM = (
    *LIBRARIES,
    *("/bin", "/sbin", "/opt", "/proc", "/dev", "/sys/devices/system/cpu"),
    *("/var/cache/fontconfig", "/var/lib/libreoffice"),
)
"""What a foreign program needs of a system, beside what lies in /etc without `_SECRET`."""
_SECRET = ("/etc/wutong", "/etc/mosquitto", "/etc/shadow", "/etc/ssl/private", "/etc/ssh")
SHARED = Path("/tmp")  # noqa: S108  (LibreOffice has its own socket there, wherever its home is)
MOST_FILES = 256


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Of one process. `files_bytes` is the most that it may write into one file. `more_tasks`: so many processes and
    threads more than its account has when it is confined; the kernel counts them together, and root's not at all."""

    memory_bytes: int
    cpu_s: int
    files_bytes: int = 0
    more_tasks: int = 128

    def apply(self, tasks: int) -> None:
        """For this process and what it starts. `tasks`: how many its account has (`tasks_of_account`)."""
        for what, most in (
            (resource.RLIMIT_AS, self.memory_bytes),
            (resource.RLIMIT_CPU, self.cpu_s),
            (resource.RLIMIT_FSIZE, self.files_bytes),
            (resource.RLIMIT_NPROC, tasks + self.more_tasks),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, MOST_FILES),
        ):
            with contextlib.suppress(OSError, ValueError):  # a service manager may have set less, or forbid it
                resource.setrlimit(what, (most, most))


def tasks_of_account() -> int:
    """How many processes and threads the account of this process has, as far as they can be seen."""
    count = 0
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # one that ends meanwhile
            if process.name.isdecimal() and process.stat().st_uid == os.getuid():
                count += sum(1 for _ in (process / "task").iterdir())
    return count


def absent() -> list[str]:
    """Which parts of a confinement this machine does not have, in words for its operator."""
    found = []
    if not is_known():
        found.append(f"no filter of system calls for {os.uname().machine}")
    if landlock.version() == 0:
        found.append("no Landlock (Linux 5.13 or newer, and `landlock` in /sys/kernel/security/lsm)")
    return found


def confine_reader(limits: ProcessLimits, readable: Iterable[Path]) -> None:
    """This process reads `readable`, and what its libraries need, and does nothing else any more.

    Load what is needed first. `OSError` when the kernel has a part and refuses it.
    """
    limits.apply(tasks_of_account())
    libraries = {Path(place) for place in (*LIBRARIES, sys.prefix, sys.base_prefix)}
    landlock.see_only([*libraries, *readable])
    if is_known():
        reader_filter(os.getpid()).install()


@dataclass(frozen=True, slots=True)
class Converter:
    """The confinement of a program that is not ours. Made before the fork; `apply` is fit for `preexec_fn`."""

    folder: Path
    """All that it may write."""
    limits: ProcessLimits
    program: Path | None = None
    _tasks: int = field(default_factory=tasks_of_account)
    _calls: CallFilter | None = field(default_factory=lambda: converter_filter() if seccomp.is_known() else None)

    def apply(self) -> None:
        """In the child, before the program begins."""
        self.limits.apply(self._tasks)
        etc = [place for place in _listed(Path("/etc")) if str(place) not in _SECRET]
        system = [Path(place) for place in SYSTEM]
        of_program = [] if self.program is None else [self.program.resolve().parent]
        landlock.see_only(
            [], execute=[*system, *etc, *of_program], write=[self.folder, Path("/dev/null")], sockets=[SHARED]
        )
        if self._calls is not None:
            self._calls.install()


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
