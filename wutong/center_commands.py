"""`wutong center …`: what is done to a center's store by its administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

center = typer.Typer(no_args_is_help=True, help="Move what a center keeps.")


@center.command()
def migrate(
    context: typer.Context,
    config: Annotated[Path, typer.Option("--config", help="the center's TOML file")],
    to: Annotated[
        str, typer.Option("--to", envvar="WUTONG_CENTER_TO", help="postgresql://USER@HOST/NAME, without a password")
    ],
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="file (mode 0600) with that user's password")
    ] = None,
) -> None:
    """Move the center's store from SQLite to PostgreSQL; interrupted, it is run again and goes on."""
    from server.database_address import read_url
    from sync.errors import ConfigError
    from wutong.center.migrate import migrate
    from wutong.terminal import terminal

    given = context.get_parameter_source("to")
    if given is not None and given.name == "COMMANDLINE" and read_url(to).password is not None:
        raise ConfigError(
            "命令行上的口令会被本机其他人看到 (a password on the command line is seen by everybody on this machine): "
            "leave it out and name --password-file, or put the URL into WUTONG_CENTER_TO"
        )
    migrate(config, to, password_file, terminal(stderr=True))


@center.command("administrator-code")
def administrator_code(
    config: Annotated[Path, typer.Option("--config", help="the center's TOML file")],
    anew: Annotated[bool, typer.Option("--anew", help="another code in place of the one that is there")] = False,
    login: Annotated[
        str, typer.Option("--login", help="an administrator who has lost the second factor, and has nobody to help")
    ] = "",
) -> None:
    """Print the one-time code that makes the center's first administrator; refused once there is one.

    With --login: take that administrator's factors away, and print a code with which they come in anew."""
    from wutong.center.administrator_code import administrator_code, code_for_administrator

    print(code_for_administrator(config, login) if login else administrator_code(config, anew=anew))


@center.command("move-objects")
def move_objects(
    config: Annotated[Path, typer.Option("--config", help="the center's TOML file")],
    to: Annotated[Literal["s3", "folder"], typer.Option("--to", help="where all files of the record shall be")],
    remove: Annotated[
        bool, typer.Option("--remove", help="delete from the folder what was read back from the bucket")
    ] = False,
) -> None:
    """Move the record's files into the bucket of [s3], or back; interrupted, it is run again and goes on."""
    from wutong.center.move_objects import move_objects
    from wutong.terminal import terminal

    move_objects(config, to, remove=remove, console=terminal(stderr=True))
