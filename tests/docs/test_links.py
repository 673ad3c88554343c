"""What the pages name is there: links and their anchors, files, modules, classes, `make` targets and commands.

Files are looked for in the tree as it lies here, names in Python by reading the sources: nothing but the command line
is imported. A page may name what a build makes only if `pyproject.toml` or `BUILT` says that it is made. The changelog
tells of what was, so nothing is asked of the names in it but its links.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.support.paths import ROOT
from wutong.cli import app

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OF_NOW = [page for page in PAGES if page.name != "CHANGELOG.md"]
GLOSSARY = ROOT / "docs" / "glossary.md"
PACKAGES = ("edge", "hardware", "recorder", "server", "sync", "transcriber", "wutong")
FOLDERS = (*PACKAGES, "deploy", "docs", "locks", "systemd", "tests", "tools", "web")
BUILT = {"web/dist", "web/node_modules"}
"""What `make setup` leaves in the tree."""
SOURCES = (".py", ".ts", ".svelte", ".sh", ".js")
FOREIGN = {
    *("DeviceAllow", "ExecStart", "IPAddressAllow", "IPAddressDeny", "PrivateDevices", "ReadWritePaths"),
    *("RestrictRealtime", "MediaStreamTrackGenerator"),
}
"""Settings of systemd look like classes; and what browsers have."""

_FENCE = re.compile(r"^ {0,3}```.*?^ {0,3}```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?\s*\)")
_HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _spans(page: Path) -> list[str]:
    """What stands between backticks, each on one line."""
    return [" ".join(span.split()) for span in _SPAN.findall(_prose(page))]


def _commands(page: Path) -> Iterator[str]:
    """Lines that a reader may type: in fences, indented blocks and backticks."""
    text = page.read_text(encoding="utf-8")
    for block in _FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    yield from (line.strip() for line in text.splitlines() if line.startswith("    "))
    yield from _spans(page)


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings: lower case, no marks, a hyphen for each blank, numbered where they repeat."""
    seen: dict[str, int] = {}
    anchors = set()
    for heading in _HEADING.findall(_prose(page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        times = seen.get(slug, 0)
        seen[slug] = times + 1
        anchors.add(slug if times == 0 else f"{slug}-{times}")
    return anchors


@functools.cache
def _in_wheel() -> tuple[str, ...]:
    """Paths that are in the wheel alone."""
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    return tuple(hatch["build"]["targets"]["wheel"]["force-include"].values())


@functools.cache
def _file_names() -> frozenset[str]:
    """Names of all sources, without what was installed or built."""
    return frozenset(path.name for folder in FOLDERS for path in _sources(ROOT / folder))


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in ("node_modules", "dist", "__pycache__"):
            yield from _sources(path)
        elif path.suffix in SOURCES:
            yield path


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _members(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """What a module or a class defines, by its name."""
    found: dict[str, ast.stmt] = {}
    for one in body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[one.name] = one
        elif isinstance(one, ast.Assign):
            found |= {target.id: one for target in one.targets if isinstance(target, ast.Name)}
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            found[one.target.id] = one
        elif isinstance(one, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name): one for alias in one.names}
    return found


def _has(owner: ast.ClassDef, name: str) -> bool:
    """A method, a field, or an attribute that one of its methods sets."""
    if name in _members(owner.body):
        return True
    attributes = (node for node in ast.walk(owner) if isinstance(node, ast.Attribute))
    return any(a.attr == name and isinstance(a.value, ast.Name) and a.value.id == "self" for a in attributes)


@functools.cache
def _classes() -> dict[str, tuple[ast.ClassDef, ...]]:
    """All classes of the packages."""
    found: dict[str, tuple[ast.ClassDef, ...]] = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(_tree(path)):
                if isinstance(node, ast.ClassDef):
                    found[node.name] = (*found.get(node.name, ()), node)
    return found


@functools.cache
def _types() -> frozenset[str]:
    """All classes, interfaces, types and components of the pages."""
    found = set()
    for path in _sources(ROOT / "web" / "src"):
        found.add(path.stem)
        found |= set(re.findall(r"\b(?:class|interface|type|enum) (\w+)", path.read_text(encoding="utf-8")))
    return frozenset(found)


def _resolves(dotted: str) -> bool:
    """A module, or what a module defines: `sync.media.fmp4.retime`, `sync.record.hearing.Hearing.to_json`."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:cut])
        file = base.with_suffix(".py") if base.with_suffix(".py").is_file() else base / "__init__.py"
        if not file.is_file():
            continue
        rest = parts[cut:]
        if not rest:
            return True
        owner = _members(_tree(file).body).get(rest[0])
        if len(rest) == 1 or not isinstance(owner, ast.ClassDef):
            return owner is not None and len(rest) == 1
        return len(rest) == 2 and _has(owner, rest[1])
    return False


def _is_foreign(name: str) -> bool:
    """Python's own, a setting of systemd, or a part of browsers."""
    return name in FOREIGN or hasattr(builtins, name) or hasattr(typing, name)


def _is_defined(file: Path, dotted: str) -> bool:
    """Whether this very file defines the name."""
    first, _, member = dotted.partition(".")
    if file.suffix == ".ts":
        found = re.search(rf"\b(?:class|function|const|interface|type) {first}\b", file.read_text(encoding="utf-8"))
        return found is not None
    owner = _members(_tree(file).body).get(first)
    if owner is None or isinstance(owner, (ast.Import, ast.ImportFrom)):
        return False
    return not member or (isinstance(owner, ast.ClassDef) and _has(owner, member))


def _is_there(path: str) -> bool:
    plain = path.rstrip("/")
    if plain in BUILT or plain.startswith(_in_wheel()):
        return True
    if "*" in plain:
        return any(ROOT.glob(plain))
    return (ROOT / plain).exists()


def _name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name_of)
def test_every_relative_link_and_anchor_leads_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page if not path else (page.parent / path).resolve()
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", OF_NOW, ids=_name_of)
def test_every_file_that_is_named_exists(page: Path) -> None:
    missing = []
    for span in _spans(page):
        if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})/[\w./*-]*", span):
            missing += [] if _is_there(span) else [span]
        elif re.fullmatch(r"[\w-]+\.(?:py|ts|svelte|sh|js)", span) and span not in _file_names():
            missing.append(span)
    assert missing == []


@pytest.mark.parametrize("page", OF_NOW, ids=_name_of)
def test_every_module_and_what_is_named_in_it_exists(page: Path) -> None:
    dotted = [span for span in _spans(page) if re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+", span)]
    assert [name for name in dotted if not _resolves(name)] == []


@pytest.mark.parametrize("page", OF_NOW, ids=_name_of)
def test_every_class_and_method_that_is_named_exists(page: Path) -> None:
    missing = []
    for span in _spans(page):
        found = re.fullmatch(r"([A-Z][a-z0-9]+(?:[A-Z]+[a-z0-9]*)*)(?:\.(\w+))?(?:\(\))?", span)
        if found is None or _is_foreign(found[1]) or (not found[2] and found[1][1:].islower()):
            continue
        owners = _classes().get(found[1], ())
        if found[2] and owners:
            missing += [] if any(_has(owner, found[2]) for owner in owners) else [span]
        elif not owners and found[1] not in _types():
            missing.append(span)
    assert missing == []


@pytest.mark.parametrize("page", OF_NOW, ids=_name_of)
def test_a_file_defines_what_stands_behind_it(page: Path) -> None:
    """`a/b.py`: `Class.method` leads to a definition."""
    missing = []
    named = re.findall(r"`([\w./]+\.(?:py|ts))`:\s+((?:`[\w.]+`(?:,\s+|\s+and\s+)?)+)", _prose(page))
    for path, names in named:
        for dotted in re.findall(r"`([\w.]+)`", names):
            missing += [] if _is_defined(ROOT / path, dotted) else [f"{path}: {dotted}"]
    assert missing == []


def test_the_walks_name_what_they_pass() -> None:
    walks = _prose(ROOT / "docs" / "architecture.md")
    assert len(re.findall(r"`[\w./]+\.(?:py|ts)`:\s+`", walks)) > 40


def test_every_class_in_the_glossary_exists() -> None:
    terms = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    named = [name for term in terms for name in re.findall(r"`([A-Z][a-z]\w*)`", term)]
    assert [name for name in named if name not in _classes() and name not in _types()] == []
    assert len(named) > 30, "the glossary says which class carries a word"


@pytest.mark.parametrize("page", OF_NOW, ids=_name_of)
def test_every_make_target_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {name for line in re.findall(r"^([a-z][a-z -]*):", makefile, re.MULTILINE) for name in line.split()}
    named = {name for line in _commands(page) for name in re.findall(r"\bmake ([a-z][a-z-]*)", line)}
    assert named - targets == set()


@pytest.mark.parametrize("page", OF_NOW, ids=_name_of)
def test_every_command_and_option_of_wutong_exists(page: Path) -> None:
    wrong = []
    for line in _commands(page):
        for call in re.findall(r"(?:^|[\s;&|/])wutong (?!wutong\b)((?:[a-z].*)|--\w.*)", line):
            wrong += [] if _is_command(call) else [call]
    assert wrong == []


def _is_command(call: str) -> bool:
    """What stands behind `wutong`: the command, what is below it, and its options up to the end of the command."""
    words = re.split(r"[;&#>]| \| | -- |\s{2,}", call)[0].replace("|", " ").split()
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        if name.isupper():  # stands for any of them
            return True
        if name not in command.commands:
            return False
        command = command.commands[name]
    known = {"--help"} | {name for parameter in command.params for name in parameter.opts}
    return all(word.split("=")[0].rstrip(",.)]") in known for word in words if word.startswith("--"))


def test_the_pages_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {page.name for page in PAGES}
