"""Ask the package indexes that this machine uses whether anything that is pinned has a known vulnerability.

`make audit` (ARGS='NAME…': these Python packages alone). For every pin of locks/ the index's JSON is asked
(`/pypi/NAME/VERSION/json`, which says what the Python advisory database knows), for the pages `npm audit`. Exit code 0:
nothing known; 1: something, named with the version that mends it; 3: not everything could be asked, which is said and
is no finding. What was looked at and does not concern us stands in `ACCEPTED` with its reason. `make test` does not run
it: its answer changes without any change here.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.+!_-]+)", re.MULTILINE)
AT_ONCE = 8
NONE, FOUND, NOT_ASKED = 0, 1, 3

ACCEPTED: Mapping[str, str] = {}
"""Id of an advisory -> why it does not concern Wutong."""


@dataclass(frozen=True, slots=True, order=True)
class Advisory:
    """A known vulnerability of something that is pinned."""

    package: str
    version: str
    id: str
    fixed: str
    summary: str

    def __str__(self) -> str:
        mended = f"mended in {self.fixed}" if self.fixed else "not mended yet"
        return f"{self.package} {self.version}: {self.id} ({mended}) {self.summary}".rstrip()


def pins(locks: Iterable[Path]) -> list[tuple[str, str]]:
    """(package, version) of every line of the locks, each once."""
    return sorted({(m[1].lower(), m[2]) for lock in locks for m in PIN.finditer(lock.read_text(encoding="utf-8"))})


def advisories(package: str, version: str, answer: Mapping[str, Any]) -> Iterator[Advisory]:
    """What an index says of one release, but for what was withdrawn or accepted."""
    for said in answer.get("vulnerabilities") or []:
        names = {str(said.get("id", "")), *map(str, said.get("aliases") or [])}
        if said.get("withdrawn") or names & ACCEPTED.keys():
            continue
        text = str(said.get("summary") or said.get("details") or "").split("\n")[0]
        yield Advisory(package, version, str(said.get("id", "")), ", ".join(said.get("fixed_in") or []), text[:160])


def json_address(index: str, package: str, version: str) -> str:
    """Where an index that is asked at `index` (…/simple) has its JSON."""
    return f"{re.sub(r'/simple/?$', '', index.rstrip('/'))}/pypi/{package}/{version}/json"


def _pip_setting(name: str) -> str:
    python = ROOT / ".setup/tools/bin/python"
    words = [str(python if python.exists() else sys.executable), "-m", "pip", "config", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = re.findall(rf"^(?:global|install|:env:)\.{name}='(.*)'$", done.stdout, re.MULTILINE)
    return found[-1] if found else ""


def _index() -> str:
    """As tools/mirror.sh finds it; without a setting pip's own."""
    said = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or _pip_setting("index-url")
    if said:
        return said
    python = str(ROOT / ".setup/tools/bin/python")
    words = [python, "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def of_newest(version: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an index says of a package's newest release, where it is the one that is pinned; `ValueError` else.

    Some mirrors have the newest alone.
    """
    newest = str((answer.get("info") or {}).get("version", ""))
    if newest != version:
        raise ValueError(f"only {newest or 'nothing'} is known there")
    return answer


def _ask(http: httpx.Client, index: str, package: str, version: str) -> Mapping[str, Any]:
    answer = http.get(json_address(index, package, version))
    if answer.status_code != httpx.codes.NOT_FOUND:
        return dict(answer.raise_for_status().json())
    newest = http.get(json_address(index, package, "").replace("//json", "/json"))
    return of_newest(version, newest.raise_for_status().json())


def python_packages(only: Collection[str] = ()) -> int:
    """Ask for every pin, or for those of `only`; prints what is known."""
    wanted = [pin for pin in pins(sorted((ROOT / "locks").glob("*.lock"))) if not only or pin[0] in only]
    index = _index()
    certificates = os.environ.get("SSL_CERT_FILE") or _pip_setting("cert")
    context = ssl.create_default_context(cafile=certificates or None)
    found: list[Advisory] = []
    not_asked: list[str] = []
    with httpx.Client(verify=context, timeout=30, follow_redirects=True) as http, ThreadPoolExecutor(AT_ONCE) as pool:

        def ask(pin: tuple[str, str]) -> None:
            try:
                found.extend(advisories(*pin, _ask(http, index, *pin)))
            except (httpx.HTTPError, ValueError) as error:
                not_asked.append(f"{pin[0]} {pin[1]}: {str(error).split(' for url')[0]}")

        list(pool.map(ask, wanted))
    for advisory in sorted(found):
        print(advisory)
    print(f"Python: {len(wanted)} packages, {len(found)} known vulnerabilities, {len(not_asked)} could not be asked")
    for line in not_asked[:5]:
        print(f"  {line}", file=sys.stderr)
    return FOUND if found else NOT_ASKED if not_asked else NONE


def pages() -> int:
    """`npm audit` of what the pages are made from."""
    words = 'cd "$0" && . tools/node.sh && npm --prefix web audit --json'
    done = subprocess.run(["bash", "-c", words, str(ROOT)], capture_output=True, text=True, check=False)
    try:
        said = json.loads(done.stdout)
        counts = said["metadata"]["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        print(
            f"pages: npm audit could not be asked ({done.stdout.strip()[:200]} {done.stderr.strip()[:200]})",
            file=sys.stderr,
        )
        return NOT_ASKED
    for name, one in sorted(said.get("vulnerabilities", {}).items()):
        via = [v["title"] if isinstance(v, dict) else str(v) for v in one.get("via", [])]
        print(f"{name} {one.get('range', '')}: {one.get('severity', '')}: {'; '.join(via)[:200]}")
    print(f"pages: {said['metadata']['dependencies']['total']} packages, {counts['total']} known vulnerabilities")
    return FOUND if counts["total"] else NONE


def main() -> int:
    """Both; the worse of their exit codes. Names on the command line: these Python packages alone."""
    only = sys.argv[1:]
    codes = {python_packages(only)} if only else {python_packages(), pages()}
    if NOT_ASKED in codes:
        print(
            "an index could not be asked: that is no finding and no all-clear; is this machine online?", file=sys.stderr
        )
    return FOUND if FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
