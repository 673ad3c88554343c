"""What holds for every file of the tree: names, sizes, imports, spelling. What differs is listed with its reason."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import grimp

from tests.support.paths import ROOT

PACKAGES = ("edge", "recorder", "transcriber", "sync", "server", "hardware", "wutong")
CODE = (".py", ".ts", ".svelte", ".js", ".mjs", ".sh")
PROSE = (*CODE, ".md", ".toml", ".css", ".html", ".service", ".example")

MOST_LINES = 400
MOST_LINES_OF_TESTS = 450
LONGER = {
    "web/src/lib/contract/bodies.ts": "written by tools/make_contract.py",
    "web/src/lib/contract/room.ts": "written by tools/make_contract.py",
}
"""Files of code that are longer, and why."""
MOST_IN_A_FOLDER = 16
FULLER = {"server/migrations/versions": "one for each change of the schema, found by its number"}
"""Folders that hold more, and why."""

BRITISH = re.compile(
    r"(colour|behaviour|favour|neighbour|honour|labour|catalogue|enrolment|fulfil\b|centre|metres?\b|grey|licence|defence"
    r"|offence|labelled(?!by)|labelling|modelled|modelling|signalled|travelled|(organ|recogn|real|normal|serial|synchron"
    r"|author|final|initial|minim|maxim|summar|util|optim|special|custom|emphas)is(e|ed|es|ing|ation)s?\b)",
    re.IGNORECASE,
)
OF_OTHERS = {
    "recorder/clock/chrony.py": "synchronised",  # chrony's own words
    "tests/recorder/monitoring/test_pictures_and_levels.py": "synchronised",
    "tests/transcriber/correction/vocabulary/test_corrector.py": "honour",  # heard, not written by us
    "server/migrations/versions/0002_witness.py": "enrolments",  # a table, whose name is in databases
    "server/store/tables.py": "enrolments",
    "transcriber/diarization/voices.py": "centre",  # a key of a file that rooms keep
    "tests/transcriber/diarization/test_voices.py": "centre",
}
"""British forms that stay where they are, and whose they are."""


@cache
def _files() -> tuple[Path, ...]:
    """What is in the tree or would be added to it, and is there."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return tuple(path for name in sorted(set(names)) if name and (path := ROOT / name).is_file())


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _is_british(word: str) -> bool:
    return BRITISH.search(word) is not None


def _python(*tops: str) -> list[Path]:
    return [p for p in _files() if p.suffix == ".py" and (not tops or p.relative_to(ROOT).parts[0] in tops)]


def test_no_two_classes_have_one_name() -> None:
    """Private ones included: who reads a name in a log or a trace finds one place."""
    places = defaultdict(list)
    for path in _python(*PACKAGES):
        for node in ast.parse(_text(path)).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(_named(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    long = []
    for path in _files():
        most = MOST_LINES_OF_TESTS if path.is_relative_to(ROOT / "tests") else MOST_LINES
        if path.suffix in CODE and _named(path) not in LONGER and len(_text(path).splitlines()) > most:
            long.append(_named(path))
    assert long == []


def test_no_folder_is_so_full_that_its_modules_must_be_searched() -> None:
    modules = Counter(_named(path.parent) for path in _python(*PACKAGES) if path.name != "__init__.py")
    full = {folder: count for folder, count in modules.items() if count > MOST_IN_A_FOLDER and folder not in FULLER}
    assert full == {}, "a folder is a concern: cut it by the concerns that are in it"


def test_nobody_changes_where_modules_are_found() -> None:
    written = re.compile(r"\bsys\.path\s*(\[|=|\.(append|insert|extend))|\bsite\.addsitedir\b")
    assert [_named(p) for p in _python() if written.search(_text(p))] == []


def test_no_import_goes_up_by_dots() -> None:
    """A relative name of what lies beside is short; one that climbs hides where it leads."""
    may = re.compile(r"\bfrom[\s\\]*\.\s*\.")
    up = [
        f"{_named(path)}:{node.lineno}"
        for path in _python()
        if may.search(_text(path))  # prose, too; only such a file is worth reading as code
        for node in ast.walk(ast.parse(_text(path)))
        if isinstance(node, ast.ImportFrom) and node.level > 1
    ]
    assert up == []


def test_no_module_imports_itself_by_a_detour() -> None:
    """A circle would raise `CycleError`, which names its modules."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(list(graphlib.TopologicalSorter(imports).static_order())) == len(graph.modules) > 300


def test_every_package_says_what_it_is_for() -> None:
    """Folders of tests are no packages: pytest and mypy name a test's module by its path (pyproject.toml)."""
    folders = {p.parent for p in _python(*PACKAGES)} | {p.parent for p in _python("tests") if "support" in p.parts}
    silent = []
    for folder in sorted(folders):
        file = folder / "__init__.py"
        if not file.is_file() or not ast.get_docstring(ast.parse(_text(file))):
            silent.append(_named(folder))
    assert silent == []


def test_no_file_names_a_place_of_one_machine_or_a_host_of_packages() -> None:
    """Where packages come from is the machine's setting; pip's and npm's own are asked where it has none."""
    # In pieces, so that this file does not name them itself.
    hosts = r"files\.python" + r"hosted\.org|pypi\." + r"org/simple|registry\.npm" + r"js\.org|(?<=[\w.-])/artifactory/"
    homes = r"(?<![\w.])/(home|Users)/[a-z]\w*/" + r"|(?<![\w.])/wo" + r"rk/"
    wrong = re.compile(f"{hosts}|{homes}")
    found = {}
    for path in _files():
        text = path.read_bytes().decode("utf-8", "replace")
        if hits := {match[0] for match in wrong.finditer(text)}:
            found[_named(path)] = hits
    assert found == {}


def test_our_own_words_are_spelt_as_in_america() -> None:
    found = defaultdict(set)
    for path in _files():
        if path.suffix not in PROSE or path == Path(__file__):
            continue
        for word in re.findall(r"[A-Za-z_]+", _text(path)):
            if _is_british(word) and word != OF_OTHERS.get(_named(path)):
                found[_named(path)].add(word)
    assert found == {}
