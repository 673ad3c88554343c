"""Ask the package indexes that this machine uses whether anything that is pinned has a known vulnerability.

`make audit` (ARGS='NAME…': these Python packages alone; `--seconds N`: at most so long, 600 by itself; `--fresh`: ask
again what was answered today). For every pin of locks/ the index's JSON is asked (`/pypi/NAME/VERSION/json`, which says
what the Python advisory database knows), for the pages `npm audit`. Each answer is kept in .setup/audit for a day, so a
run that was cut short goes on where it was.

Exit code 0: all was asked and nothing is known; 1: something is, named with the version that mends it; 3: not
everything could be asked, which is no all-clear: each pin that was not asked is named. What was looked at and does not
concern us stands in tools/audit_accepted.toml, with its reason and the day on which it is looked at again. `make test`
does not run it: its answer changes without any change here.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.+!_-]+)", re.MULTILINE)
AT_ONCE = 8
ANSWER_S = 20.0
"""Of one question, its second try included."""
ANSWER_BYTES = 32 * 1024 * 1024
KEPT_S = 24 * 3600
NPM_S = 120
NONE, FOUND, NOT_ASKED = 0, 1, 3
ACCEPTED = ROOT / "tools" / "audit_accepted.toml"
ANSWERS = ROOT / ".setup" / "audit"

Pin = tuple[str, str]


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


def pins(locks: Iterable[Path]) -> list[Pin]:
    """(package, version) of every line of the locks, each once."""
    return sorted({(m[1].lower(), m[2]) for lock in locks for m in PIN.finditer(lock.read_text(encoding="utf-8"))})


def accepted(path: Path, today: dt.date) -> dict[str, str]:
    """`package id` -> why it does not concern us, of what is accepted today; `ValueError` for an entry without reason
    or end."""
    found: dict[str, str] = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("accepted", []):
        until, reason = entry.get("until"), str(entry.get("reason", ""))
        if not isinstance(until, dt.date) or isinstance(until, dt.datetime) or len(reason) < 20:
            raise ValueError(f"{path.name}: {entry.get('id')} needs a reason in a sentence and a day `until`")
        if today < until:
            found[f"{entry['package'].lower()} {entry['id']}"] = reason
    return found


def advisories(pin: Pin, answer: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Advisory]:
    """What an index says of one release, but for what was withdrawn or is accepted in `known`."""
    package, version = pin
    for said in answer.get("vulnerabilities") or []:
        names = {str(said.get("id", "")), *map(str, said.get("aliases") or [])}
        if said.get("withdrawn") or any(f"{package} {name}" in known for name in names):
            continue
        text = str(said.get("summary") or said.get("details") or "").split("\n")[0]
        yield Advisory(package, version, str(said.get("id", "")), ", ".join(said.get("fixed_in") or []), text[:160])


def json_address(index: str, package: str, version: str) -> str:
    """Where an index that is asked at `index` (…/simple) has its JSON."""
    return f"{re.sub(r'/simple/?$', '', index.rstrip('/'))}/pypi/{package}/{version}/json"


def of_newest(version: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an index says of a package's newest release, where it is the one that is pinned; `ValueError` else.

    Some mirrors have the newest alone.
    """
    newest = str((answer.get("info") or {}).get("version", ""))
    if newest != version:
        raise ValueError(f"only {newest or 'nothing'} is known there")
    return answer


@dataclass(slots=True)
class AskedIndexes:
    """What became of all pins."""

    found: list[Advisory] = field(default_factory=list)
    not_asked: dict[Pin, str] = field(default_factory=dict)
    """Why."""

    @property
    def code(self) -> int:
        """The exit code."""
        return FOUND if self.found else NOT_ASKED if self.not_asked else NONE


class Answers:
    """What an index said today of each pin, in a folder."""

    def __init__(self, folder: Path, now_s: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._now_s = now_s

    def of(self, pin: Pin) -> Mapping[str, Any] | None:
        """Today's answer, if there is one."""
        try:
            kept = json.loads(self._path(pin).read_text(encoding="utf-8"))
            return dict(kept["answer"]) if 0 <= self._now_s() - kept["asked_s"] < KEPT_S else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, pin: Pin, answer: Mapping[str, Any]) -> None:
        """Keep what matters of an answer."""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = {"asked_s": self._now_s(), "answer": {"vulnerabilities": answer.get("vulnerabilities") or []}}
        draft = self._path(pin).with_suffix(".new")
        draft.write_text(json.dumps(kept), encoding="utf-8")
        draft.replace(self._path(pin))

    def _path(self, pin: Pin) -> Path:
        return self._folder / f"{pin[0]}-{pin[1]}.json"


def ask_all(
    wanted: list[Pin],
    ask: Callable[[Pin], Mapping[str, Any]],
    answers: Answers,
    known: Mapping[str, str],
    *,
    seconds: float,
    fresh: bool = False,
    say: Callable[[int, int], None] = lambda done, of: None,
) -> AskedIndexes:
    """Ask for every pin, `AT_ONCE` at a time, for at most `seconds`; `say` is told how far it is."""
    asked = AskedIndexes()
    end_s = time.monotonic() + seconds

    def one(pin: Pin) -> tuple[Pin, Mapping[str, Any] | str]:
        kept = None if fresh else answers.of(pin)
        if kept is not None:
            return pin, kept
        if time.monotonic() >= end_s:
            return pin, "there was no time left; run it again, it goes on from here"
        try:
            answer = ask(pin)
        except (httpx.HTTPError, ValueError) as error:
            return pin, str(error).split(" for url")[0] or type(error).__name__
        answers.keep(pin, answer)
        return pin, answer

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, (pin, answer) in enumerate(pool.map(one, wanted), 1):
            if isinstance(answer, str):
                asked.not_asked[pin] = answer
            else:
                asked.found.extend(advisories(pin, answer, known))
            say(done, len(wanted))
    asked.found.sort()
    return asked


class AdvisoryIndex:
    """The index that pip uses on this machine."""

    def __init__(self, http: httpx.Client, address: str) -> None:
        self._http = http
        self._address = address

    def ask(self, pin: Pin) -> Mapping[str, Any]:
        """What it says of one release; `ValueError` or `httpx.HTTPError` when it says nothing."""
        end_s = time.monotonic() + ANSWER_S
        for last in (False, True):
            try:
                return self._ask(pin, end_s)
            except httpx.TransportError:
                if last or time.monotonic() >= end_s:
                    raise
        raise AssertionError("the last try returns or raises")

    def _ask(self, pin: Pin, end_s: float) -> Mapping[str, Any]:
        package, version = pin
        answer = self._read(json_address(self._address, package, version), end_s)
        if answer is not None:
            return answer
        newest = self._read(json_address(self._address, package, "").replace("//json", "/json"), end_s)
        if newest is None:
            raise ValueError("the package is not known there")
        return of_newest(version, newest)

    def _read(self, address: str, end_s: float) -> Mapping[str, Any] | None:
        """The JSON at an address, None where there is none; no more of it than an honest one has, and in time."""
        data = bytearray()
        with self._http.stream("GET", address) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > ANSWER_BYTES or time.monotonic() > end_s:
                    raise ValueError("the answer is too long, or takes too long")
        value = json.loads(data)
        if not isinstance(value, dict):
            raise ValueError("the answer is no object")
        return value


def _pip_setting(name: str) -> str:
    python = ROOT / ".setup/tools/bin/python"
    words = [str(python if python.exists() else sys.executable), "-m", "pip", "config", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    found = re.findall(rf"^(?:global|install|:env:)\.{name}='(.*)'$", done.stdout, re.MULTILINE)
    return found[-1] if found else ""


def _index() -> str:
    """As tools/mirror.sh finds it; without a setting pip's own."""
    said = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or _pip_setting("index-url")
    if said:
        return said
    python = str(ROOT / ".setup/tools/bin/python")
    words = [python, "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def _say(done: int, of: int) -> None:
    if sys.stderr.isatty():
        filled = 30 * done // of
        print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{of}", end="\n" if done == of else "", file=sys.stderr)
    elif done == of or done % 25 == 0:
        print(f"{done}/{of} packages", file=sys.stderr)


def python_packages(only: Iterable[str], seconds: float, *, fresh: bool) -> int:
    """Ask for every pin, or for those of `only`; prints what is known, and every pin that was not asked."""
    names = {name.lower() for name in only}
    wanted = [pin for pin in pins(sorted((ROOT / "locks").glob("*.lock"))) if not names or pin[0] in names]
    unknown = names - {package for package, _ in wanted}
    known = accepted(ACCEPTED, dt.datetime.now(dt.UTC).date())
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or _pip_setting("cert") or None)
    limits = httpx.Timeout(10, connect=5)
    with httpx.Client(verify=context, timeout=limits, follow_redirects=True) as http:
        index = AdvisoryIndex(http, _index())
        asked = ask_all(wanted, index.ask, Answers(ANSWERS), known, seconds=seconds, fresh=fresh, say=_say)
    for advisory in asked.found:
        print(advisory)
    for (package, version), why in sorted(asked.not_asked.items()):
        print(f"not asked: {package} {version}: {why}", file=sys.stderr)
    for name in sorted(unknown):
        print(f"not asked: {name}: no lock pins it", file=sys.stderr)
    print(
        f"Python: {len(wanted)} packages, {len(asked.found)} known vulnerabilities, "
        f"{len(asked.not_asked) + len(unknown)} not asked, {len(known)} accepted"
    )
    return max(asked.code, NOT_ASKED) if unknown and asked.code != FOUND else asked.code


def pages() -> int:
    """`npm audit` of what the pages are made from."""
    words = 'cd "$0" && . tools/node.sh && npm --prefix web audit --json'
    try:
        done = subprocess.run(
            ["bash", "-c", words, str(ROOT)], capture_output=True, text=True, check=False, timeout=NPM_S
        )
        said = json.loads(done.stdout)
        counts = said["metadata"]["vulnerabilities"]
    except subprocess.TimeoutExpired:
        print(f"not asked: the pages: npm audit took more than {NPM_S} s", file=sys.stderr)
        return NOT_ASKED
    except (ValueError, KeyError, TypeError):
        why = re.sub(r"\s+", " ", done.stderr.strip() or done.stdout.strip())[:200]
        print(f"not asked: the pages: npm audit has no answer ({why})", file=sys.stderr)
        return NOT_ASKED
    for name, one in sorted(said.get("vulnerabilities", {}).items()):
        via = [v["title"] if isinstance(v, dict) else str(v) for v in one.get("via", [])]
        print(f"{name} {one.get('range', '')}: {one.get('severity', '')}: {'; '.join(via)[:200]}")
    print(f"pages: {said['metadata']['dependencies']['total']} packages, {counts['total']} known vulnerabilities")
    return FOUND if counts["total"] else NONE


def main() -> int:
    """Both; the worse of their exit codes. Names on the command line: these Python packages alone."""
    parser = argparse.ArgumentParser(description="known vulnerabilities of everything that is pinned")
    parser.add_argument("names", nargs="*", help="these Python packages alone")
    parser.add_argument("--seconds", type=float, default=600, help="ask for at most so long (600)")
    parser.add_argument("--fresh", action="store_true", help="ask again what was answered today")
    given = parser.parse_args()
    try:
        codes = {python_packages(given.names, given.seconds, fresh=given.fresh)}
        codes |= set() if given.names else {pages()}
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"the audit could not begin: {error}", file=sys.stderr)
        return NOT_ASKED
    if NOT_ASKED in codes:
        print("what was not asked is no finding and no all-clear", file=sys.stderr)
    return FOUND if FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
