"""What a command's help says is what its author wrote, brackets and all."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import typer
from rich.table import Table
from typer._click.core import Command
from typer.main import get_command
from typer.testing import CliRunner

from wutong.cli import app
from wutong.terminal import terminal


def _commands(command: Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Command]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, (*path, name))


COMMANDS = dict(_commands(get_command(app)))


def _plain(text: str) -> str:
    """The words alone: without frames, line breaks, and the back quotes that set code apart."""
    return re.sub(r"[\s│`]+", "", text)


def _help(of: typer.Typer, *path: str) -> str:
    shown = CliRunner().invoke(of, [*path, "--help"], env={"COLUMNS": "400", "TERM": "dumb"})
    assert shown.exit_code == 0
    return _plain(shown.output)


def test_every_command_is_looked_at() -> None:
    assert {("demo",), ("bench", "captions"), ("room", "recorder")} <= set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_says_every_word_that_was_written(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    said = _help(app, *path)
    assert _plain(command.help or "") in said
    for parameter in command.params:
        assert _plain(getattr(parameter, "help", None) or "") in said, parameter.name


def test_the_table_of_the_profile_keeps_its_brackets() -> None:
    assert "[transcriber]" in _help(app, "bench", "captions")


@pytest.mark.parametrize("text", ["[bold]第一法庭[/bold]", "a[/]b", "[transcriber] voices", "[link=x]y", "\\[x]"])
def test_no_name_that_is_printed_is_taken_for_markup(text: str) -> None:
    out = StringIO()
    console = terminal(file=out, width=200)
    console.print(text)
    table = Table("name", title=text)
    table.add_row(text)
    console.print(table)
    assert out.getvalue().count(text) == 3


@pytest.mark.parametrize("library", ["jiwer", "rapidfuzz", "cn2an"])
def test_a_bench_without_its_libraries_says_how_to_get_them(library: str) -> None:
    without = f"import sys; sys.modules[{library!r}] = None; sys.argv = ['wutong', 'bench', 'captions']"
    command = [sys.executable, "-c", f"{without}; from wutong.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.strip().splitlines()
    assert line.startswith(f"wutong: the bench needs {library}; ")
    assert "make setup SET=bench" in line
