"""The command line. Each command imports what it needs when it is called, so `wutong --help` is quick."""

from __future__ import annotations

import datetime as dt
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from sync.errors import WutongError
from sync.runtime.process.order import take_place
from sync.text.printable import printable
from wutong.bench.commands import OF_BENCH, JsonOption, bench
from wutong.center_commands import center
from wutong.room_commands import room

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    help=__doc__,
)
app.add_typer(room, name="room")
app.add_typer(bench, name="bench")
app.add_typer(center, name="center")

CertificateOption = Annotated[
    Path | None, typer.Option("--certificate", help="for HTTPS (PEM, with its chain), read again when it is replaced")
]
KeyOption = Annotated[Path | None, typer.Option("--key", help="its key (PEM, mode 0600)")]
PlainUntilOption = Annotated[
    dt.datetime | None,
    typer.Option("--plain-until", formats=["%Y-%m-%d"], help="a day until which plain HTTP is served, too"),
]

MetricsPortOption = Annotated[
    int,
    typer.Option("--metrics-port", min=0, max=65535, help="port on 127.0.0.1 for /metrics, /healthz, /readyz; 0: none"),
]
MetricsTokenOption = Annotated[
    Path | None,
    typer.Option("--metrics-token-file", help="token (mode 0600) for whom they are also on the server's own port"),
]


def _pair(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    from sync.errors import ConfigError

    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigError("--certificate and --key belong together; name both or none")
    return certificate, key


class Language(StrEnum):
    """Of what is said to people."""

    ZH = "zh"
    EN = "en"


@app.command()
def server(
    config: Annotated[Path, typer.Option("--config", help="the center's TOML file")],
    process: Annotated[
        int | None, typer.Option("--process", help="one of several on one PostgreSQL: listens at web.port + this")
    ] = None,
    reach: Annotated[
        str, typer.Option("--reach", help="host by which the other processes reach this one, if not by web.host")
    ] = "",
    gateway: Annotated[
        bool, typer.Option("--gateway", help="with --process: owns no room, serves only those who look")
    ] = False,
) -> None:
    """Run the center, or one of several processes of it."""
    take_place("center")
    from server.config import load_config
    from server.leases.center_process import as_process
    from server.service import serve
    from sync.errors import ConfigError
    from sync.runtime.process.service import run_service

    loaded, mine = load_config(config), None
    if process is not None:
        loaded, mine = as_process(loaded, process, reach, is_gateway=gateway)
    elif gateway:
        raise ConfigError("a gateway is one of several processes of a center: give it a number by --process")
    raise typer.Exit(run_service("server", lambda lifeline: serve(loaded, lifeline, mine)))


@app.command()
def copyserver(
    data: Annotated[Path, typer.Option("--data", help="where the copies are kept")],
    token_file: Annotated[Path, typer.Option("--token-file", help="'court/room TOKEN [KEY]' a line, mode 0600")],
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8870,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    plain_until: PlainUntilOption = None,
    metrics_port: MetricsPortOption = 0,
    metrics_token_file: MetricsTokenOption = None,
) -> None:
    """Keep a second copy of rooms' records on a plain machine (storage.copy in a room's profile)."""
    from server.copyserver import serve
    from sync.http.monitoring.settings import MetricsSettings
    from sync.runtime.process.service import run_service

    tls, day = _pair(certificate, key), None if plain_until is None else plain_until.date()
    metrics = MetricsSettings(port=metrics_port, token_file=metrics_token_file)
    service = partial(serve, data, token_file, host, port, tls, day, metrics)
    raise typer.Exit(run_service("copyserver", service))


@app.command()
def speech_server(
    model: Annotated[str, typer.Option("--model", help="'base', or a model's folder")] = "base",
    engine: Annotated[str, typer.Option("--engine", help="faster-whisper or sherpa-onnx")] = "faster-whisper",
    language: Annotated[str, typer.Option("--language", help="zh, en or auto")] = "auto",
    device: Annotated[str, typer.Option("--device", help="cpu or cuda")] = "cpu",
    threads: Annotated[int, typer.Option("--threads", min=1, max=16, help="of each process")] = 2,
    processes: Annotated[int, typer.Option("--processes", min=1, max=16, help="questions answered at a time")] = 1,
    waiting: Annotated[int, typer.Option("--waiting", min=1, max=1000, help="questions that may wait")] = 64,
    token_file: Annotated[Path | None, typer.Option("--token-file", help="who may ask (mode 0600)")] = None,
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8880,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    plain_until: PlainUntilOption = None,
    metrics_port: MetricsPortOption = 0,
    metrics_token_file: MetricsTokenOption = None,
) -> None:
    """Turn speech into words for many rooms, by the OpenAI interface (the engine openai in a room's profile)."""
    from hardware.speech_settings import speech_settings
    from sync.http.monitoring.settings import MetricsSettings
    from sync.runtime.process.service import run_service
    from transcriber.speech_server import serve

    settings = speech_settings(engine=engine, model=model, language=language, device=device, threads=threads)
    service = partial(
        serve,
        settings,
        host=host,
        port=port,
        token_file=token_file,
        processes=processes,
        waiting=waiting,
        tls=_pair(certificate, key),
        plain_until=None if plain_until is None else plain_until.date(),
        metrics=MetricsSettings(port=metrics_port, token_file=metrics_token_file),
    )
    raise typer.Exit(run_service("speech-server", service))


@app.command()
def enroll(
    config: Annotated[Path | None, typer.Option("--config", help="at the center: its TOML file")] = None,
    room: Annotated[str | None, typer.Option("--room", help="at the center: print a code for court/room")] = None,
    listed: Annotated[bool, typer.Option("--list", help="at the center: show all devices")] = False,
    revoke: Annotated[
        str | None, typer.Option("--revoke", help="at the center: revoke the device of court/room")
    ] = None,
    profile: Annotated[Path | None, typer.Option("--profile", help="in the room: its TOML profile")] = None,
    code: Annotated[str | None, typer.Option("--code", help="in the room: the code that the center printed")] = None,
) -> None:
    """Make a room's device known to the center, which then witnesses what it signs."""
    from sync.errors import ConfigError
    from wutong import enroll
    from wutong.terminal import terminal

    if (config is None) == (profile is None):
        raise ConfigError("say --config at the center, or --profile in the room")
    if config is not None:
        enroll.at_center(config, room, revoke, listed=listed, console=terminal())
    elif profile is not None:
        enroll.in_room(profile, code, terminal())


@app.command()
def authority(
    config: Annotated[Path, typer.Option("--config", help="at the center: its TOML file")],
    issue: Annotated[str | None, typer.Option("--issue", help="a certificate for this host, a copyserver's")] = None,
    out: Annotated[Path, typer.Option("--out", help="the folder for it and its key")] = Path(),
) -> None:
    """Show where browsers get the court's TLS authority, with its fingerprint and a QR code of both."""
    from wutong import authority
    from wutong.terminal import terminal

    if issue is None:
        authority.show(config, terminal())
    else:
        authority.issue(config, issue, out, terminal())


@app.command()
def export(
    hearing: Annotated[str | None, typer.Argument(help="the hearing's id")] = None,
    *,
    out: Annotated[Path, typer.Option("--out", help="the folder to make")],
    config: Annotated[Path | None, typer.Option("--config", help="the center's TOML file: at the center")] = None,
    profile: Annotated[Path | None, typer.Option("--profile", help="the courtroom's TOML profile: in the room")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="a room's data folder, without its profile")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="an excerpt: seconds or h:mm:ss after opening; of --audit: a day")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="the excerpt's end, likewise")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a folder that is there")] = False,
    despite_level: Annotated[
        str, typer.Option("--despite-level", metavar="REASON", help="why a restricted or sealed hearing is taken out")
    ] = "",
    audit: Annotated[bool, typer.Option("--audit", help="the center's audit log, and no hearing")] = False,
) -> None:
    """Write a hearing as a folder that plays and verifies without any server."""
    from sync.errors import ConfigError
    from wutong.export.command import run

    if audit:
        from wutong.audit.command import export as export_audit

        if config is None or hearing is not None:
            raise ConfigError("the audit log is the center's: wutong export --audit --config FILE --out DIR")
        export_audit(out, config=config, begin=begin, end=end)
        return
    if hearing is None:
        raise ConfigError("say which hearing, or --audit")
    run(
        hearing,
        out,
        config=config,
        profile=profile,
        data=data,
        begin=begin,
        end=end,
        force=force,
        reason=despite_level,
    )


@app.command()
def verify(
    what: Annotated[
        str | None, typer.Argument(metavar="DIR|HEARING", help="an exported folder, or a hearing of here")
    ] = None,
    center_key: Annotated[Path | None, typer.Option("--center-key", help="the center's public key (PEM)")] = None,
    tsa_root: Annotated[Path | None, typer.Option("--tsa-root", help="root of the time-stamp authority (PEM)")] = None,
    tsa_policy: Annotated[str | None, typer.Option("--tsa-policy", help="demand this policy (dotted)")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="HEARING is in this center's store")] = None,
    profile: Annotated[Path | None, typer.Option("--profile", help="HEARING is in this room")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="HEARING is in this room's data folder")] = None,
    lang: Annotated[Language, typer.Option("--lang", help="zh or en")] = Language.ZH,
    as_json: JsonOption = False,
    audit: Annotated[bool, typer.Option("--audit", help="the center's audit log: DIR, or that of --config")] = False,
    room: Annotated[
        list[Path] | None, typer.Option("--room", help="with --audit: a room's data folder, which holds heads of it")
    ] = None,
) -> None:
    """Say whether a hearing is what the room recorded: exit code 0, 10, 20, 30 or 40 (docs/integrity.md)."""
    from sync.errors import ConfigError
    from wutong.verify.command import read_key, read_root_certificates, run

    if audit:
        from wutong.audit.command import verify as verify_audit

        code = verify_audit(
            what,
            config=config,
            key=None if center_key is None else read_key(center_key),
            roots=[] if tsa_root is None else read_root_certificates(tsa_root),
            rooms=room or [],
            as_json=as_json,
            lang=lang.value,
        )
        raise typer.Exit(code)
    if what is None:
        raise ConfigError("say which folder or hearing, or --audit")
    raise typer.Exit(
        run(
            what,
            center_key=center_key,
            tsa_root=tsa_root,
            tsa_policy=tsa_policy,
            config=config,
            profile=profile,
            data=data,
            as_json=as_json,
            lang=lang.value,
        )
    )


@app.command()
def demo(
    hearing: Annotated[
        Path | None, typer.Option("--hearing", help="a hearing folder; default: the bundled one")
    ] = None,
    case: Annotated[
        Literal["civil", "criminal"], typer.Option("--case", help="which bundled hearing: a loan, or theft")
    ] = "civil",
    rooms: Annotated[int, typer.Option("--rooms", min=1, max=16)] = 1,
    seconds: Annotated[float | None, typer.Option("--seconds", min=1, help="stop by itself after so long")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="do not open a browser")] = False,
    manual: Annotated[bool, typer.Option("--manual", help="you are the clerk: open the hearing on the panel")] = False,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8800,
    data: Annotated[Path, typer.Option("--data", help="where the record and the keys are kept")] = Path("data"),
    tls: Annotated[bool, typer.Option("--tls", help="center and panels by HTTPS, with the authority it makes")] = False,
) -> None:
    """Run a broker, the center and a courtroom on this machine, and hold a hearing."""
    from hardware.simulation.scenario import BUNDLED_HEARING, CRIMINAL_HEARING
    from wutong.demo.command import DemoOptions, run

    folder = hearing or (CRIMINAL_HEARING if case == "criminal" else BUNDLED_HEARING)
    options = DemoOptions(folder, rooms, seconds, headless, manual, port_base, data, tls)
    raise typer.Exit(run(options))


@app.command()
def doctor(
    profile: Annotated[Path | None, typer.Argument(help="also check this courtroom's TOML profile")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="show the running room instead, until q")] = False,
    once: Annotated[bool, typer.Option("--once", help="with --watch: print one picture of it and end")] = False,
) -> None:
    """Say what this machine has, and what is wrong with a profile; or watch a room at work."""
    from wutong.terminal import terminal

    if watch:
        from hardware.profile import load_profile
        from sync.errors import ConfigError
        from wutong import watch as watching

        if profile is None:
            raise ConfigError("--watch needs the profile of the room to watch: wutong doctor ROOM.toml --watch")
        raise typer.Exit(watching.run(load_profile(profile), terminal(), once=once))

    from wutong.doctor import run

    raise typer.Exit(run(profile, terminal()))


@app.command()
def report(
    config: Annotated[Path, typer.Option("--config", help="the center's TOML file")], as_json: JsonOption = False
) -> None:
    """Say what the center holds, what is missing of it and who looked at it, day by day."""
    from server.config import load_config
    from wutong.report import run
    from wutong.terminal import terminal

    run(load_config(config), terminal(), as_json=as_json)


def main() -> None:
    """Entry point: errors that a person can act on are one line and exit code 2, never a traceback."""
    try:
        app()
    except WutongError as error:
        from sync.runtime.process.service import say_why

        sys.exit(say_why(error))
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in OF_BENCH:
            raise
        words = f"the bench needs {library}; run `make setup SET=bench`, or pip install 'wutong[bench]'"
        print(printable(f"wutong: {words}", lines=True), file=sys.stderr)
        sys.exit(2)
