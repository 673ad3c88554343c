"""What code in a process that reads a foreign file tries, each thing with arguments that the kernel would take.

It is text, because it is put into programs of their own: an exhibit's reader, and a stand-in for an office program that
the machine's own Python runs. `tries` gives one thing to do by its name; `attempt` says "done", or which error.
"""

SOURCE = r'''
import ctypes, fcntl, os, platform, resource, signal, socket, struct, subprocess, sys

def attempt(act):
    try:
        act()
        return "done"
    except BaseException as error:
        return f"{type(error).__name__}: {getattr(error, 'errno', '')}"

ARM = platform.machine() == "aarch64"
NUMBERS = {
    "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "ioprio_set": (251, 30), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "io_uring_setup": (425, 425), "unshare": (272, 97), "clone": (56, 220),
    "seccomp": (317, 277), "shmget": (29, 194), "shmctl": (31, 195), "prctl": (157, 167),
}
library = ctypes.CDLL(None, use_errno=True)
library.syscall.restype = ctypes.c_long

def syscall(name, *arguments):
    made = library.syscall(ctypes.c_long(NUMBERS[name][ARM]), *(
        ctypes.c_long(one) if isinstance(one, int) else one for one in arguments
    ))
    if made < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return made

def in_a_new_namespace():
    child = syscall("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

def filtered_anew():
    syscall("prctl", 38, 1, 0, 0, 0)
    allow = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000), 8)
    syscall("seccomp", 1, 0, struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)))

def read_memory(victim, address):
    here = ctypes.create_string_buffer(8)
    own, other = struct.pack("QQ", ctypes.addressof(here), 8), struct.pack("QQ", address, 8)
    syscall("process_vm_readv", victim, own, 1, other, 1, 0)

def by_a_folder_of_proc(victim):
    syscall("pidfd_send_signal", os.open(f"/proc/{victim}", os.O_RDONLY | os.O_DIRECTORY), 9, 0, 0)

def shared_memory():
    syscall("shmctl", syscall("shmget", 0, 4096, 0o1600), 0, 0)

def send(made, address):
    made.sendmsg([b"MESSAGE=forged"], [], 0, address)

SIGNAL_INFO = struct.pack("iii", signal.SIGTERM, 0, -1).ljust(128, b"\0")

def tries(victim, address, datagrams, file):
    """`victim`: a process of this account; `address`: where it has readable memory; `datagrams`: where a socket like
    the journal's is bound; `file`: a file of this account that the process was not given."""
    return {
        "kill": lambda: os.kill(victim, signal.SIGKILL),
        "kill a group": lambda: os.kill(-victim, signal.SIGKILL),
        "tkill": lambda: syscall("tkill", victim, 9),
        "tgkill": lambda: syscall("tgkill", victim, victim, 9),
        "queue a signal": lambda: syscall("rt_sigqueueinfo", victim, signal.SIGTERM, SIGNAL_INFO),
        "queue it for a thread": lambda: syscall("rt_tgsigqueueinfo", victim, victim, signal.SIGTERM, SIGNAL_INFO),
        "pidfd": lambda: syscall("pidfd_open", victim, 0),
        "pidfd of proc": lambda: by_a_folder_of_proc(victim),
        "owner of a file": lambda: fcntl.fcntl(0, 8, victim),
        "its signal": lambda: fcntl.fcntl(0, 10, signal.SIGKILL),
        "its owner, the newer way": lambda: fcntl.fcntl(0, 15, struct.pack("ii", 1, victim)),
        "limits of another": lambda: resource.prlimit(victim, resource.RLIMIT_CPU, (1, 1)),
        "another's rank": lambda: os.setpriority(os.PRIO_PROCESS, victim, 19),
        "another's schedule": lambda: os.sched_setscheduler(victim, os.SCHED_IDLE, os.sched_param(0)),
        "another's processors": lambda: os.sched_setaffinity(victim, {0}),
        "another's place at the disk": lambda: syscall("ioprio_set", 1, victim, 3 << 13),
        "trace": lambda: syscall("ptrace", 16, victim, 0, 0),
        "memory": lambda: open(f"/proc/{victim}/mem", "rb"),
        "environment": lambda: open(f"/proc/{victim}/environ", "rb").read(),
        "read memory": lambda: read_memory(victim, address),
        "rings": lambda: syscall("io_uring_setup", 4, ctypes.create_string_buffer(120)),
        "namespace": lambda: syscall("unshare", 0x10000000),
        "child in a namespace": lambda: in_a_new_namespace(),
        "another filter": lambda: filtered_anew(),
        "shared memory": lambda: shared_memory(),
        "datagram": lambda: send(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), datagrams),
        "raw datagram": lambda: send(socket.socket(socket.AF_UNIX, socket.SOCK_RAW), datagrams),
        "datagram of a pair": lambda: send(socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0], datagrams),
        "internet": lambda: socket.socket(),
        "key": lambda: open(file, "rb").read(),
        "overwrite": lambda: open(file, "r+b"),
        "cut off": lambda: os.truncate(file, 0),
        "give away": lambda: os.chown(file, os.getuid(), os.getgid()),
        "mark": lambda: os.setxattr(file, "user.mark", b"x"),
        "take away": lambda: os.unlink(file),
        "rename": lambda: os.rename(file, file + ".other"),
        "rights": lambda: os.chmod(file, 0),
        "times": lambda: os.utime(file, (1, 1)),
    }
'''
MAY_BE_REFUSED_TO_ALL = frozenset(
    {"rings", "namespace", "child in a namespace", "trace", "memory", "environment", "read memory", "mark"}
)
"""What a machine, or the container that the tests run in, may not let anybody do."""
SEEMS_DONE = frozenset({"rights", "times"})
"""What an office program is told to have done, and has not."""
_SPACE: dict[str, object] = {}
exec(SOURCE, _SPACE)  # the names alone; nothing of it is done here
NAMES = tuple(_SPACE["tries"](0, 0, "", ""))  # type: ignore[operator]
