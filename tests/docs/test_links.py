"""What the documents point to is there: links, anchors, files, modules, make targets and commands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from tests.support.paths import ROOT
from wutong.cli import app

TRACKED = set(subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
FOLDERS = {str(parent) for name in TRACKED for parent in Path(name).parents}
DOCUMENTS = sorted(name for name in TRACKED if name.endswith(".md") and not name.startswith("tests/"))
PACKAGES = "edge|recorder|transcriber|sync|server|hardware|wutong|web|tests|tools|systemd|docs|locks"
MADE = {"web/dist", "wutong/web", "wutong/systemd"}
"""Named in the documents, and made by a build: the pages, and what lies in the wheel."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(name: str) -> set[str]:
    """As GitHub and GitLab make them of headings."""
    found = set()
    for heading in re.findall(r"^#+ +(.+)$", text_of(name), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = str((Path(name).parent / path).as_posix()) if path else name
        file = re.sub(r"[^/]+/\.\./", "", file)
        there = file in TRACKED or file.rstrip("/") in FOLDERS
        if not there or (anchor and file.endswith(".md") and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("name", [n for n in DOCUMENTS if n != "CHANGELOG.md"])
def test_every_file_and_module_that_is_named_is_there(name: str) -> None:
    missing = []
    for path in re.findall(rf"`((?:{PACKAGES})/[\w./-]*)`", text_of(name)):
        plain = path.rstrip("/")
        if plain not in TRACKED and plain not in FOLDERS and plain not in MADE:
            missing.append(path)
    for dotted in re.findall(r"`((?:edge|recorder|transcriber|sync|server|hardware|wutong)(?:\.\w+)+)`", text_of(name)):
        parts = dotted.split(".")
        known = any(
            "/".join(parts[:i]) + ".py" in TRACKED or "/".join(parts[:i]) in FOLDERS for i in range(len(parts), 1, -1)
        )
        if not known and not (ROOT / "wutong" / f"{dotted}").exists():
            missing.append(dotted)
    assert missing == []


@pytest.mark.parametrize("name", [n for n in DOCUMENTS if n.startswith("docs/architecture")])
def test_the_walks_name_what_is_defined(name: str) -> None:
    """Whoever reads "`a/b.py`: `Class.method`" can go to its definition."""
    missing = []
    for path, names in re.findall(r"`([\w/]+\.(?:py|ts))`:\s+((?:`[\w.]+`(?:,\s+| and )?)+)", text_of(name)):
        source = text_of(path)
        for dotted in re.findall(r"`([\w.]+)`", names):
            for part in dotted.split("."):
                if not re.search(rf"(?:class|def|function|const) {part}\b|^  {part}\(", source, re.MULTILINE):
                    missing.append(f"{path}: {dotted}")
    assert missing == []


def test_every_make_target_that_is_named_is_there() -> None:
    targets = {
        target for rule in re.findall(r"^([a-z -]+):", text_of("Makefile"), re.MULTILINE) for target in rule.split()
    }
    named = set()
    for name in DOCUMENTS:
        shells = "\n".join(re.findall(r"```sh\n(.*?)```", text_of(name), re.DOTALL))
        named |= {*re.findall(r"`make ([a-z-]+)", text_of(name)), *re.findall(r"^make ([a-z-]+)", shells, re.MULTILINE)}
    assert named - targets == set()


def test_every_command_that_is_named_is_there() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group has them
    named = {c for name in DOCUMENTS for c in re.findall(r"`wutong ([a-z][a-z-]+)", text_of(name))}
    assert named - commands == set()


def test_every_class_that_the_glossary_names_is_there() -> None:
    code = "\n".join(text_of(name) for name in TRACKED if name.endswith(".py") and not name.startswith("tests/"))
    classes = set(re.findall(r"^class (\w+)", code, re.MULTILINE))
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]*)*)`", text_of("docs/glossary.md")))
    assert named - classes == set()
    assert len(named) > 30, "the glossary says which class carries a word"
