"""Fuzz the readers of foreign bytes: `python -m tests.fuzz.run [--seconds N] [--keep DIR] [TARGET…]`.

Every file of tests/fuzz/targets is a target: `target(data)` takes any bytes and raises only where the reader broke a
promise, `seeds()` gives what honest programs write. Each target runs in a process of its own, two at a time; --seconds
is for all of them together. atheris (libFuzzer) leads it to new branches; where atheris has no wheel, this says so
loudly and hypothesis changes the seeds unguided. Bytes that broke a target are kept in DIR (.setup/fuzz) and printed:
they become a line of `FOUND` in the target, which tests/fuzz/test_targets.py runs for ever. Exit code 1 when any broke.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.paths import ROOT

TARGETS = tuple(sorted(path.stem for path in (ROOT / "tests/fuzz/targets").glob("[a-z]*.py")))
AT_ONCE = 2
MAX_BYTES = 8192
ONE_S = 10
"""An input that takes longer breaks the promise that work is in proportion to bytes."""
MEMORY_MIB = 1024
OURS = ("sync", "server", "edge", "wutong")
GUIDED = importlib.util.find_spec("atheris") is not None


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", default=[], metavar="TARGET", help=f"of {', '.join(TARGETS)}; all")
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together (600)")
    parser.add_argument("--keep", type=Path, default=ROOT / ".setup/fuzz", help="corpus and findings (.setup/fuzz)")
    parser.add_argument("--one", choices=TARGETS, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.one:
        return run_here(said.one, said.seconds, said.keep)
    unknown = set(said.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; they are {', '.join(TARGETS)}")
    if not GUIDED:
        print(
            "!! atheris has no wheel for this Python or machine: fuzzing is NOT guided by coverage here; hypothesis\n"
            "!! changes the seeds at random instead. For the real thing take x86-64 with Python 3.11, 3.12 or 3.13.",
            file=sys.stderr,
        )
    targets = said.targets or list(TARGETS)
    each_s = max(1.0, said.seconds * AT_ONCE / len(targets))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        broken = [name for name, code in zip(targets, pool.map(lambda n: _run(n, each_s, said.keep), targets)) if code]  # noqa: B905
    if broken:
        print(f"\nbroken: {', '.join(broken)}; what broke them lies in {said.keep}", file=sys.stderr)
    return 1 if broken else 0


def _run(name: str, seconds: float, keep: Path) -> int:
    began = time.monotonic()
    words = [sys.executable, "-m", "tests.fuzz.run", "--one", name, "--seconds", f"{seconds:.1f}", "--keep", str(keep)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stderr + done.stdout
    runs = next((line for line in reversed(said.splitlines()) if line.startswith(("Done ", "hypothesis:"))), "")
    print(f"{name:18} {'BROKEN' if done.returncode else 'held'} {time.monotonic() - began:5.1f} s  {runs}", flush=True)
    if done.returncode:
        print(said[-6000:], file=sys.stderr)
    return done.returncode


def run_here(name: str, seconds: float, keep: Path) -> int:
    """One target in this process, which atheris ends by itself."""
    corpus, found = keep / "corpus" / name, keep / "found" / name
    if not GUIDED:
        module = importlib.import_module(f"tests.fuzz.targets.{name}")
        return unguided(module.target, [*module.seeds()], seconds)
    import atheris

    with atheris.instrument_imports(include=list(OURS), enable_loader_override=False):
        module = importlib.import_module(f"tests.fuzz.targets.{name}")
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    seeds = Path(tempfile.mkdtemp(prefix=f"wutong-fuzz-{name}-"))
    for number, data in enumerate(module.seeds()):
        (seeds / str(number)).write_bytes(data)
    options = (
        f"-max_total_time={int(seconds)}", f"-timeout={ONE_S}", f"-rss_limit_mb={MEMORY_MIB}", f"-max_len={MAX_BYTES}",
        f"-artifact_prefix={found}/", "-verbosity=1", "-print_final_stats=0",
    )  # fmt: skip

    def once(data: bytes) -> None:
        module.target(data)

    atheris.Setup([sys.argv[0], *options, str(corpus), str(seeds)], once)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(seeds, ignore_errors=True)
    return 0


def unguided(target: object, seeds: list[bytes], seconds: float) -> int:
    """The same by hypothesis: seeds with pieces replaced, cut, repeated, and bytes at random, while there is time."""
    from hypothesis import HealthCheck, given, settings

    from tests.fuzz.mutations import mutated

    assert callable(target)
    ends = time.monotonic() + seconds
    count = 0
    while time.monotonic() < ends:

        @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(mutated(seeds, MAX_BYTES))
        def held(data: bytes) -> None:
            nonlocal count
            count += 1
            target(data)

        held()
    print(f"hypothesis: {count} runs")
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
