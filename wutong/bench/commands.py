"""`wutong bench …`: figures, measured through the real parts. Each command imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

bench = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Figures, measured through the real parts.")

OF_BENCH = frozenset({"cn2an", "jiwer", "matplotlib", "playwright", "rapidfuzz"})
"""What is imported of the extra `bench` of the package; a room and a center have none of it."""

TlsOption = Annotated[
    bool, typer.Option("--tls", help="center and panels by HTTPS, uploads by certificate: what TLS costs")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object")]


@bench.command(name="verify")
def bench_verify(
    megabytes: Annotated[int, typer.Option("--megabytes", min=50, help="how much media the folder holds")] = 600,
    as_json: JsonOption = False,
) -> None:
    """How fast a folder is verified."""
    from wutong.bench.report import run
    from wutong.bench.verify import measure

    run("verify", lambda folder, console: measure(folder, megabytes, console), as_json=as_json)


@bench.command()
def live(
    seconds: Annotated[float, typer.Option("--seconds", min=10)] = 60,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    tls: TlsOption = False,
    path: Annotated[
        str, typer.Option("--path", help="how the page shows pictures: webcodecs or mse; there is no wasm (ADR 42)")
    ] = "webcodecs",
    network: Annotated[
        str, typer.Option("--network", help="lan, or poor: 2 Mbit/s, 50 ± 30 ms each way, 1 % of packets lost")
    ] = "lan",
    page: Annotated[str, typer.Option("--page", help="inspect: a room at the center; panel: the clerk's")] = "inspect",
    rooms: Annotated[int, typer.Option("--rooms", min=1, max=10, help="with --tiles: how many fill the wall")] = 4,
    tiles: Annotated[int, typer.Option("--tiles", min=0, max=16, help="measure a wall of so many live tiles")] = 0,
    as_json: JsonOption = False,
) -> None:
    """How old the picture on an inspector's screen is, or on the clerk's.

    It also says by stretches whether the delay, or the memory of anything, creeps: with --seconds 36000 for ten hours.
    """
    from wutong.bench.live.measure import measure
    from wutong.bench.live.viewed import LineKind, LivePage, LivePath, Viewed
    from wutong.bench.report import run

    if tiles:
        from wutong.bench.live.tiles import measure as measure_wall

        run(
            "live --tiles",
            lambda folder, console: measure_wall(
                folder, seconds, port_base, console, rooms=rooms, tiles=tiles, tls=tls
            ),
            as_json=as_json,
        )
        return
    for given, may, option in (
        (path, LivePath, "--path"),
        (network, LineKind, "--network"),
        (page, LivePage, "--page"),
    ):
        if given not in set(may):
            raise typer.BadParameter(f"'{given}' is none of {', '.join(may)}", param_hint=option)
    viewed = Viewed(LivePage(page), LivePath(path), LineKind(network))
    run(
        "live",
        lambda folder, console: measure(folder, seconds, port_base, console, tls=tls, viewed=viewed),
        as_json=as_json,
    )


@bench.command()
def record(
    seconds: Annotated[float, typer.Option("--seconds", min=5)] = 60,
    as_json: JsonOption = False,
) -> None:
    """What keeping four cameras and eight microphones costs."""
    from wutong.bench.record.measure import measure
    from wutong.bench.report import run

    run("record", lambda folder, console: measure(folder, seconds, console), as_json=as_json)


@bench.command()
def captions(
    hearing: Annotated[
        Path | None, typer.Option("--hearing", help="a hearing folder; default: the bundled one")
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=5, help="only the beginning")] = None,
    conditions: Annotated[str, typer.Option("--conditions", help="some of them with commas, or 'all'")] = "",
    engine: Annotated[str, typer.Option("--engine", help="as the profile names it; default: faster-whisper")] = "",
    settings: Annotated[
        Path | None, typer.Option("--profile", help="a profile whose table [transcriber] is used")
    ] = None,
    case: Annotated[Path | None, typer.Option("--case", help="case.json; default: the hearing's timeline")] = None,
    noise_seconds: Annotated[float, typer.Option("--noise-seconds", min=5)] = 600,
    speech: Annotated[Path | None, typer.Option("--speech", help="list of recordings and their words (JSON)")] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="draw the figures (.png, .svg, .pdf)")] = None,
    words: Annotated[Path | None, typer.Option("--words", help="write all that was heard (JSON)")] = None,
    as_json: JsonOption = False,
) -> None:
    """How right and how quick the words are."""
    from hardware.simulation.scenario import BUNDLED_HEARING
    from wutong.bench.captions.measure import Plan, case_of, conditions_of, measure, transcriber_of
    from wutong.bench.report import run

    plan = Plan(
        hearing or BUNDLED_HEARING,
        seconds,
        conditions_of(conditions, speech),
        transcriber_of(settings, engine),
        case_of(case),
        noise_seconds,
        speech,
        picture,
        words,
    )
    run("captions", lambda folder, console: measure(folder, plan, console), as_json=as_json)


@bench.command()
def words(
    hearing: Annotated[
        Path | None, typer.Option("--hearing", help="a hearing folder; default: the bundled one")
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=5, help="only the hearing's beginning")] = None,
    parts: Annotated[str, typer.Option("--parts", help="hearing, spoken, or both with a comma")] = "",
    engine: Annotated[str, typer.Option("--engine", help="as the profile names it; default: faster-whisper")] = "",
    settings: Annotated[
        Path | None, typer.Option("--profile", help="a profile whose table [transcriber] is used")
    ] = None,
    heard: Annotated[Path | None, typer.Option("--words", help="write all that was heard (JSON)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Whether everything that is said has a line: a hearing, and spoken numbers, lists and answers."""
    from hardware.simulation.scenario import BUNDLED_HEARING
    from wutong.bench.captions.measure import transcriber_of
    from wutong.bench.report import run
    from wutong.bench.words.measure import WordsPlan, measure, parts_of

    plan = WordsPlan(hearing or BUNDLED_HEARING, seconds, parts_of(parts), transcriber_of(settings, engine), heard)
    run("words", lambda folder, console: measure(folder, plan, console), as_json=as_json)


@bench.command()
def clerk(
    words: Annotated[Path | None, typer.Option("--words", help="what `bench captions --words` wrote")] = None,
    hearing: Annotated[
        Path | None, typer.Option("--hearing", help="a hearing folder; default: the bundled one")
    ] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="the panel when all is done (.png)")] = None,
    as_json: JsonOption = False,
) -> None:
    """How much a clerk must touch and type until the transcript says what was said."""
    from hardware.simulation.scenario import BUNDLED_HEARING
    from wutong.bench.clerk.measure import measure
    from wutong.bench.report import run

    run(
        "clerk",
        lambda folder, console: measure(folder, hearing or BUNDLED_HEARING, words, console, picture),
        as_json=as_json,
    )


@bench.command()
def exhibits(
    cycles: Annotated[int, typer.Option("--cycles", min=1, help="times four presentations")] = 6,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    tls: TlsOption = False,
    as_json: JsonOption = False,
) -> None:
    """How soon the display and an inspector see what the clerk presents."""
    from wutong.bench.live.exhibits import measure
    from wutong.bench.report import run

    run("exhibits", lambda folder, console: measure(folder, cycles, port_base, console, tls=tls), as_json=as_json)


@bench.command()
def attack(
    seconds: Annotated[float, typer.Option("--seconds", min=10, help="how long the attack lasts")] = 600,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    tls: TlsOption = False,
    as_json: JsonOption = False,
) -> None:
    """What four hostile clients, with all that one room has, cost another room."""
    from wutong.bench.attack.measure import measure
    from wutong.bench.report import run

    run("attack", lambda folder, console: measure(folder, seconds, port_base, console, tls=tls), as_json=as_json)


@bench.command(name="center")
def bench_center(
    rooms: Annotated[int, typer.Option("--rooms", min=1, max=900)] = 50,
    watched: Annotated[int, typer.Option("--watched", min=0, help="tracks with one watcher each")] = 50,
    inspectors: Annotated[int, typer.Option("--inspectors", min=0, max=30, help="all of them on the wall")] = 10,
    seconds: Annotated[float, typer.Option("--seconds", min=2, max=1800)] = 60,
    units: Annotated[bool, typer.Option("--units", help="what one more room, tab and track costs")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="without TLS, rooms by token and password")] = False,
    floor: Annotated[bool, typer.Option("--floor/--no-floor", help="also the same through the broker alone")] = True,
    broker: Annotated[
        str, typer.Option("--broker", help="mosquitto, nats, or nats-cluster (three nodes)")
    ] = "mosquitto",
    rooms_a_process: Annotated[int, typer.Option("--rooms-a-process", min=1, help="of the generator")] = 10,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    as_json: JsonOption = False,
) -> None:
    """What a center costs that carries many rooms and inspectors, and how late what it carries is."""
    from sync.errors import ConfigError
    from wutong.bench.center.benched_broker import BrokerKind
    from wutong.bench.center.measure import CenterPlan, measure, show
    from wutong.bench.report import run

    if broker not in {str(kind) for kind in BrokerKind}:
        raise ConfigError(f"--broker {broker} is not known: {', '.join(BrokerKind)}")
    plan = CenterPlan(
        rooms,
        watched,
        inspectors,
        seconds,
        not plain,
        units,
        floor,
        BrokerKind(broker),
        rooms_a_process=rooms_a_process,
        port_base=port_base,
    )
    run("center", lambda folder, console: measure(folder, plan, console), as_json=as_json, show=show)


@bench.command()
def admin(
    people: Annotated[int, typer.Option("--people", min=100)] = 10_000,
    rooms: Annotated[int, typer.Option("--rooms", min=10)] = 1_000,
    lines: Annotated[int, typer.Option("--lines", min=1000, help="of the audit log")] = 200_000,
    database: Annotated[str, typer.Option("--database", help="an empty one; else SQLite, not kept")] = "",
    asks: Annotated[int, typer.Option("--asks", min=4, help="questions of each page")] = 40,
    as_json: JsonOption = False,
) -> None:
    """How long each page of administration and audit waits for its rows."""
    from wutong.bench.admin.measure import AdminPlan, measure, show
    from wutong.bench.report import run

    plan = AdminPlan(people, rooms, lines, database, asks)
    run("admin", lambda folder, console: measure(folder, plan, console), as_json=as_json, show=show)


@bench.command()
def archive(
    hearings: Annotated[int, typer.Option("--hearings", min=100, help="so many, three lines in each")] = 100_000,
    database: Annotated[
        str,
        typer.Option("--database", help="an empty one, as center.toml names it; else SQLite, not kept"),
    ] = "",
    asks: Annotated[int, typer.Option("--asks", min=2, help="questions of each kind")] = 40,
    as_json: JsonOption = False,
) -> None:
    """What lists and searches of an archive of years take. A database keeps its archive, and another run goes on."""
    from wutong.bench.archive.measure import ArchivePlan, measure, show
    from wutong.bench.report import run

    plan = ArchivePlan(hearings, database, asks)
    run("archive", lambda folder, console: measure(folder, plan, console), as_json=as_json, show=show)


@bench.command()
def province(
    rooms: Annotated[int, typer.Option("--rooms", min=1, max=4900)] = 2000,
    seconds: Annotated[float, typer.Option("--seconds", min=2, max=180)] = 60,
    status_s: Annotated[float, typer.Option("--status-s", min=0.2, max=60, help="a status each so many")] = 1,
    batch_s: Annotated[float, typer.Option("--batch-s", min=0.2, max=60, help="a signed batch each so many")] = 10,
    events: Annotated[int, typer.Option("--events", min=1, max=64, help="of a batch")] = 5,
    database: Annotated[
        str, typer.Option("--database", help="an empty PostgreSQL, as center.toml names it; else SQLite, not kept")
    ] = "",
    rooms_a_process: Annotated[int, typer.Option("--rooms-a-process", min=1, help="of the generator")] = 500,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    as_json: JsonOption = False,
) -> None:
    """What the connections, statuses and events of a province cost a center; its rooms send no media."""
    from wutong.bench.province.measure import ProvincePlan, measure
    from wutong.bench.province.province_orders import LightPace
    from wutong.bench.report import run

    pace = LightPace(status_s, batch_s, events)
    plan = ProvincePlan(rooms, seconds, pace, database, rooms_a_process, port_base)
    run("province", lambda folder, console: measure(folder, plan, console), as_json=as_json)


@bench.command()
def takeover(
    database: Annotated[str, typer.Option("--database", help="an empty PostgreSQL, as center.toml names it")],
    times: Annotated[int, typer.Option("--times", min=1, help="so many kills, in turns of what is killed")] = 12,
    owners: Annotated[int, typer.Option("--owners", min=2, max=16, help="beside them there is a gateway")] = 3,
    rooms: Annotated[int, typer.Option("--rooms", min=1, max=900)] = 12,
    lease_s: Annotated[float, typer.Option("--lease-s", min=2, max=60, help="storage.lease_s")] = 6,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    as_json: JsonOption = False,
) -> None:
    """How soon a center of several processes goes on when one of them, or the broker, is killed."""
    from wutong.bench.report import run
    from wutong.bench.takeover.measure import TakeoverPlan, measure

    plan = TakeoverPlan(database, times, owners, rooms, lease_s, port_base)
    run("takeover", lambda folder, console: measure(folder, plan, console), as_json=as_json)


@bench.command()
def sync(
    hours: Annotated[float, typer.Option("--hours", min=0.05, max=100, help="simulated, in a minute or two")] = 8,
    ppm: Annotated[float, typer.Option("--ppm", min=0, max=400, help="how far the devices' clocks are off")] = 200,
    live: Annotated[bool, typer.Option("--live", help="flash and tone through real workers, in real time")] = False,
    cameras: Annotated[
        bool, typer.Option("--cameras", help="network cameras of few pictures a second, in real time")
    ] = False,
    seconds: Annotated[float, typer.Option("--seconds", min=5, help="with --live or --cameras: how long")] = 60,
    as_json: JsonOption = False,
) -> None:
    """How far picture and sound of one moment lie apart in the record, and its UTC from the clock's."""
    from wutong.bench.report import run
    from wutong.bench.sync import arrival
    from wutong.bench.sync import live as sync_live
    from wutong.bench.sync import measure as simulated

    if cameras:
        run("sync --cameras", lambda folder, console: arrival.measure(folder, seconds, console), as_json=as_json)
    elif live:
        run("sync --live", lambda folder, console: sync_live.measure(folder, seconds, console), as_json=as_json)
    else:
        run("sync", lambda folder, console: simulated.measure(folder, hours, ppm, console), as_json=as_json)


@bench.command(name="setup")
def bench_setup(
    devices: Annotated[str, typer.Option("--devices", help="simulated, or rtsp: cameras of a network")] = "simulated",
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    as_json: JsonOption = False,
) -> None:
    """How long a room takes from the center's code to its live picture on the wall."""
    from wutong.bench.report import run
    from wutong.bench.setup.measure import measure

    if devices not in ("simulated", "rtsp"):
        raise typer.BadParameter("simulated or rtsp", param_hint="--devices")
    run("setup", lambda folder, console: measure(folder, devices, port_base, console), as_json=as_json)


@bench.command()
def kill(
    times: Annotated[int, typer.Option("--times", min=1, help="so many kills, in turns of what is killed")] = 200,
    load: Annotated[
        str, typer.Option("--load", help="beside each of these by itself and all of them: cpu,disk,memory")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """What is lost when processes are killed at random moments, also while other programs keep the machine busy."""
    from wutong.bench.kill.measure import measure, measure_busy
    from wutong.bench.load.programs import Load
    from wutong.bench.report import run

    try:
        loads = [Load(name.strip()) for name in load.split(",") if name.strip()]
    except ValueError:
        raise typer.BadParameter(f"one or several of {', '.join(Load)}", param_hint="--load") from None
    if loads:
        run("kill", lambda folder, console: measure_busy(folder, times, console, loads), as_json=as_json)
    else:
        run("kill", lambda folder, console: measure(folder, times, console), as_json=as_json)


@bench.command()
def soak(
    hours: Annotated[float, typer.Option("--hours", min=0.005, help="how long")] = 72,
    port_base: Annotated[int, typer.Option("--port-base", min=1024, max=65000)] = 8900,
    as_json: JsonOption = False,
) -> None:
    """Whether room and center stay as they are, hearing after hearing; ends with 1 when something grows."""
    from wutong.bench.report import run
    from wutong.bench.soak.measure import measure

    figures = run("soak", lambda folder, console: measure(folder, hours, console, port_base=port_base), as_json=as_json)
    raise typer.Exit(1 if figures["leaking"] else 0)
