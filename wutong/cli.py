"""The command line. Each command imports what it needs when it is called, so `wutong --help` is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sync.errors import WutongError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
room = typer.Typer(no_args_is_help=True, help="The services of one courtroom, each a process of its own.")
bench = typer.Typer(no_args_is_help=True, help="Figures, measured through the real parts.")
app.add_typer(room, name="room")
app.add_typer(bench, name="bench")

ProfileOption = Annotated[Path, typer.Option("--profile", help="the courtroom's TOML profile")]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object")]


@room.command()
def recorder(profile: ProfileOption) -> None:
    """Record: sources -> fragments -> segments."""
    from hardware.profile import load_profile
    from recorder.service import serve
    from sync.service import run_service

    loaded = load_profile(profile)
    raise typer.Exit(run_service("recorder", lambda lifeline: serve(loaded, lifeline)))


@room.command()
def transcriber(profile: ProfileOption) -> None:
    """Turn speech into captions and utterances."""
    from hardware.profile import load_profile
    from sync.service import run_service
    from transcriber.service import serve

    loaded = load_profile(profile)
    raise typer.Exit(run_service("transcriber", lambda lifeline: serve(loaded, lifeline)))


@room.command()
def edge(profile: ProfileOption) -> None:
    """Serve the panel and the display, and keep the hearing's state."""
    from edge.service import serve
    from hardware.profile import load_profile
    from sync.service import run_service

    loaded = load_profile(profile)
    raise typer.Exit(run_service("edge", lambda lifeline: serve(loaded, lifeline)))


@room.command()
def uplink(profile: ProfileOption) -> None:
    """Carry everything to the center: events, segments, exhibits and live media."""
    from edge.uplink import serve
    from hardware.profile import load_profile
    from sync.service import run_service

    loaded = load_profile(profile)
    raise typer.Exit(run_service("uplink", lambda lifeline: serve(loaded, lifeline)))


@app.command()
def server(config: Annotated[Path, typer.Option("--config", help="the center's TOML file")]) -> None:
    """Run the center."""
    from server.config import load_config
    from server.service import serve
    from sync.service import run_service

    loaded = load_config(config)
    raise typer.Exit(run_service("server", lambda lifeline: serve(loaded, lifeline)))


def main() -> None:
    """Entry point: errors that a person can act on are one line and exit code 2, never a traceback."""
    try:
        app()
    except WutongError as error:
        print(f"wutong: {error.message}", file=sys.stderr)
        sys.exit(2)
