"""A filter of system calls, as the kernel runs it (seccomp, classic BPF). What is not allowed fails and ends nothing.

Two filters: `reader_filter` for a process that only reads files which it was given and answers on pipes, and
`converter_filter` for a program that is not ours and starts programs of its own, but is to reach nobody: no address, no
process of its account, and of files that it may not open neither rights, length nor owner. Both take away each way to
signal another process or to have the kernel do it, since their account is that of what records.

A reader's filter is a list of what is allowed, a converter's one of what is not: a call that Linux adds later is
refused to the first and open to the second until it is named here.

Refuses a machine whose numbers of system calls are not in the table: `is_known` says so, and the doctor does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
_X32 = 0x40000000
_NO_NEW_PRIVS = 38
_FILTER_ALL_THREADS = 1
_SET_MODE_FILTER = 1

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_IS_TERMINAL, _CLOSE_ON_EXEC = 0x5401, 0x5451
_TELL_WHOM = (0x8901, 0x8902, 0x5452)
"""FIOSETOWN, SIOCSPGRP, FIOASYNC: whom the kernel signals when something happens to a file."""
_TYPES_FOR_OTHERS = (0x5412, 0x541C)
"""TIOCSTI, TIOCLINUX: as if it had been typed at the terminal."""
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE = 1, 1, 0xF
_DUPLICATE, _GET_FLAGS_OF_FD, _SET_FLAGS_OF_FD, _GET_FLAGS, _DUPLICATE_CLOSED_ON_EXEC = 0, 1, 2, 3, 1030
_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX = 8, 10, 15
_PRIO_PROCESS, _IOPRIO_WHO_PROCESS = 0, 1

_Call = tuple[int | None, int | None]
"""The number on x86_64 and on aarch64; None where there is no such call."""

_READ: dict[str, _Call] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "stat": (4, None), "fstat": (5, 80), "lstat": (6, None),
    "poll": (7, None), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215),
    "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "pread64": (17, 67), "readv": (19, 65), "writev": (20, 66), "access": (21, None), "select": (23, None),
    "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233), "dup": (32, 23), "nanosleep": (35, 101),
    "getpid": (39, 172), "exit": (60, 93), "uname": (63, 160), "getcwd": (79, 17),
    "readlink": (89, None), "gettimeofday": (96, 169), "getrlimit": (97, 163), "getrusage": (98, 165),
    "sysinfo": (99, 179), "times": (100, 153), "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175),
    "getegid": (108, 177), "getppid": (110, 173), "sigaltstack": (131, 132), "statfs": (137, 43), "fstatfs": (138, 44),
    "gettid": (186, 178), "futex": (202, 98), "sched_getaffinity": (204, 123), "getdents64": (217, 61),
    "fadvise64": (221, 223), "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),
    "exit_group": (231, 94), "newfstatat": (262, 79), "pselect6": (270, 72), "readlinkat": (267, 78),
    "faccessat": (269, 48), "ppoll": (271, 73), "set_robust_list": (273, 99), "getrandom": (318, 278),
    "membarrier": (324, 283), "statx": (332, 291), "rseq": (334, 293), "faccessat2": (439, 439),
}  # fmt: skip
_OPEN: _Call = (2, None)
_OPENAT: _Call = (257, 56)
_IOCTL: _Call = (16, 29)
_CLONE: _Call = (56, 220)
_CLONE3: _Call = (435, 435)
_FCNTL: _Call = (72, 25)
_TGKILL: _Call = (234, 131)
_PRLIMIT: _Call = (302, 261)

_SOCKET: _Call = (41, 198)
_SOCKETPAIR: _Call = (53, 199)
_SET_PRIORITY: _Call = (141, 140)
_SET_IO_PRIORITY: _Call = (251, 30)
_NEVER: dict[str, _Call] = {
    "connect": (42, 203), "sendto": (44, 206), "sendmmsg": (307, 269), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "kexec_load": (246, 104), "init_module": (175, 105),
    "finit_module": (313, 273), "open_by_handle_at": (304, 265), "pidfd_getfd": (438, 438), "swapon": (167, 224),
    "fsopen": (430, 430), "move_mount": (429, 429), "open_tree": (428, 428), "seccomp": (317, 277),
    # Signals to anybody, by whatever name, and a session in which the end of all that was started is not noticed.
    "kill": (62, 129), "tkill": (200, 130), "tgkill": _TGKILL, "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "setsid": (112, 157), "setpgid": (109, 154),
    # What else is done to another process of the same account.
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272), "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # Memory, semaphores and messages that processes of one account share by a number or a name.
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    # Landlock does not look at these, or only since Linux 6.2: done to a file by its name, without opening it.
    "truncate": (76, 45), "chown": (92, None), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "removexattrat": (466, 466),
}  # fmt: skip
_SEEMS_DONE: dict[str, _Call] = {
    "chmod": (90, None), "fchmodat": (268, 53), "fchmodat2": (452, 452), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
"""Of the same kind. A program that does this to its own files takes a refusal for a failure, and needs none of it."""
_OF_ITSELF: dict[str, _Call] = {
    "prlimit64": _PRLIMIT, "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
}  # fmt: skip
"""Whose first argument is a process, 0 for the caller: a limit of processor time is a kill, too."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """A program for the kernel, made before it is needed: a child between fork and exec only installs it."""

    program: bytes

    def install(self) -> None:
        """For this process and all its threads, and for what it starts; `OSError` when the kernel refuses."""
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "no_new_privs is refused")
        code = ctypes.create_string_buffer(self.program, len(self.program))
        # struct sock_fprog: how many instructions, and where.
        description = struct.pack("HxxxxxxQ", len(self.program) // 8, ctypes.addressof(code))
        number = _SECCOMP_CALL[platform.machine()]
        if library.syscall(number, _SET_MODE_FILTER, _FILTER_ALL_THREADS, description) != 0:
            raise OSError(ctypes.get_errno(), "seccomp is refused")


def is_known() -> bool:
    """Whether a filter can be made on this machine."""
    return platform.machine() in _ARCHITECTURES


def reader_filter(pid: int) -> CallFilter:
    """For a process that reads: it opens nothing to write, starts nothing, reaches nobody, and signals itself only.

    Of its descriptors it sees and copies what they are; whom the kernel signals about one is not its to say.
    """
    out = _Writer()
    for call in _READ.values():
        out.on(call, [_returns(_ALLOW)])
    for call, at in ((_OPEN, 1), (_OPENAT, 2)):
        out.on(call, [_loads(at), (_ANY_BIT, 1, 0, _WRITES), _returns(_ALLOW), _returns(_ERRNO | errno.EACCES)])
    kinds = (_DUPLICATE, _GET_FLAGS_OF_FD, _SET_FLAGS_OF_FD, _GET_FLAGS, _DUPLICATE_CLOSED_ON_EXEC)
    out.on(_FCNTL, _among(1, kinds, _ALLOW, _ERRNO | errno.EPERM))
    out.on(_IOCTL, _among(1, (_IS_TERMINAL, _CLOSE_ON_EXEC), _ALLOW, _ERRNO | errno.EPERM))
    out.on(_CLONE, [_loads(0), (_ANY_BIT, 0, 1, _CLONE_THREAD), _returns(_ALLOW), _returns(_ERRNO | errno.EPERM)])
    out.on(_CLONE3, [_returns(_ERRNO | errno.ENOSYS)])  # its flags cannot be seen; the library then asks by clone
    out.on(_TGKILL, _among(0, (pid,), _ALLOW, _ERRNO | errno.EPERM))
    limits = [_loads(2), (_EQUAL, 0, 3, 0), _loads(2, high=True), (_EQUAL, 0, 1, 0), _returns(_ALLOW)]
    out.on(_PRLIMIT, [*limits, _returns(_ERRNO | errno.EPERM)])
    return out.made(_ERRNO | errno.EPERM)


def converter_filter() -> CallFilter:
    """For a foreign program and what it starts: no socket but streams of its own kind, none that reaches anybody, and
    nothing done to a process but itself. It ends what it started by closing its pipes."""
    out = _Writer()
    for call in _NEVER.values():
        out.on(call, [_returns(_ERRNO | errno.EPERM)])
    for call in _SEEMS_DONE.values():
        out.on(call, [_returns(_ERRNO)])
    for call in _OF_ITSELF.values():
        out.on(call, _among(0, (0,), _ALLOW, _ERRNO | errno.EPERM))
    for call, kind in ((_SET_PRIORITY, _PRIO_PROCESS), (_SET_IO_PRIORITY, _IOPRIO_WHO_PROCESS)):
        itself = [_loads(0), (_EQUAL, 0, 3, kind), _loads(1), (_EQUAL, 0, 1, 0), _returns(_ALLOW)]
        out.on(call, [*itself, _returns(_ERRNO | errno.EPERM)])
    # A datagram needs no connection, not even one of a pair: it goes to whatever address its message names.
    streams = [_loads(0), (_EQUAL, 0, 4, _AF_UNIX), _loads(1), (_AND, 0, 0, _SOCK_TYPE), (_EQUAL, 0, 1, _SOCK_STREAM)]
    for call in (_SOCKET, _SOCKETPAIR):
        out.on(call, [*streams, _returns(_ALLOW), _returns(_ERRNO | errno.EACCES)])
    out.on(_FCNTL, _among(1, (_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX), _ERRNO | errno.EPERM, _ALLOW))
    out.on(_IOCTL, _among(1, (*_TELL_WHOM, *_TYPES_FOR_OTHERS), _ERRNO | errno.EPERM, _ALLOW))
    out.on(_CLONE, [_loads(0), (_ANY_BIT, 0, 1, _CLONE_NAMESPACES), _returns(_ERRNO | errno.EPERM), _returns(_ALLOW)])
    out.on(_CLONE3, [_returns(_ERRNO | errno.ENOSYS)])
    return out.made(_ALLOW)


_Step = tuple[int, int, int, int]
"""One instruction: code, jump if so, jump if not, number."""


def _loads(argument: int, *, high: bool = False) -> _Step:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument + (4 if high else 0))


def _returns(value: int) -> _Step:
    return (_RETURN, 0, 0, value)


def _among(argument: int, values: Sequence[int], then: int, otherwise: int) -> list[_Step]:
    """What is answered when an argument (its lower 32 bits, which is all that the kernel takes of these) is one of
    `values`, and when it is none."""
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_loads(argument), *tests, _returns(otherwise), _returns(then)]


class _Writer:
    """Writes a filter: for each call what is done, then for all others."""

    def __init__(self) -> None:
        machine = platform.machine()
        self._at = list(_ARCHITECTURES).index(machine)
        self._steps: list[_Step] = [
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
            _returns(_KILL),
            (_LOAD, 0, 0, _NUMBER),
        ]
        if machine == "x86_64":
            self._steps += [(_AT_LEAST, 0, 1, _X32), _returns(_ERRNO | errno.EPERM)]

    def on(self, call: _Call, steps: Sequence[_Step]) -> None:
        number = call[self._at]
        if number is not None:
            # Each of `steps` ends with a return, so the number is still loaded for the next call.
            self._steps += [(_EQUAL, 0, len(steps), number), *steps]

    def made(self, otherwise: int) -> CallFilter:
        steps = [*self._steps, _returns(otherwise)]
        return CallFilter(b"".join(struct.pack("HBBI", *step) for step in steps))
