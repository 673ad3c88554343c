"""`wutong export`: finds the hearing, shows progress, says in a line what was made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sync.errors import ConfigError
from wutong.export.bundle import Exported, export
from wutong.export.excerpt import parse_moment
from wutong.export.sources.hearing_source import HearingSource
from wutong.terminal import terminal


@contextmanager
def opened(hearing: str, *, config: Path | None, profile: Path | None, data: Path | None) -> Iterator[HearingSource]:
    """The hearing where the options say that it is; exactly one of them is given."""
    if sum(option is not None for option in (config, profile, data)) != 1:
        raise ConfigError("say where the hearing is: --profile (the room), --config (the center) or --data (a folder)")
    source = _source(hearing, config, profile, data)
    try:
        yield source
    finally:
        source.close()


def _source(hearing: str, config: Path | None, profile: Path | None, data: Path | None) -> HearingSource:
    if config is not None:
        from server.config import load_config
        from wutong.export.sources.center import CenterSource

        return CenterSource(load_config(config), hearing)
    from wutong.export.sources.room import RoomSource

    if profile is not None:
        from hardware.profile import load_profile

        return RoomSource(load_profile(profile).storage.data, hearing)
    assert data is not None
    return RoomSource(data, hearing)


def stretch_of(begin: str | None, end: str | None) -> tuple[int, int] | None:
    """What `--from` and `--to` say, in nanoseconds since the opening."""
    if begin is None and end is None:
        return None
    from_ns = 0 if begin is None else parse_moment(begin)
    if end is None:
        raise ConfigError("an excerpt needs --to as well")
    to_ns = parse_moment(end)
    if to_ns <= from_ns:
        raise ConfigError("an excerpt ends after it begins; look at --from and --to")
    return from_ns, to_ns


def run(
    hearing: str,
    out: Path,
    *,
    config: Path | None,
    profile: Path | None,
    data: Path | None,
    begin: str | None,
    end: str | None,
    force: bool,
    reason: str,
) -> Exported:
    """Export and say so. `reason`: why, where the hearing's level asks for it."""
    console = terminal(stderr=True)
    stretch = stretch_of(begin, end)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        opened(hearing, config=config, profile=profile, data=data) as source,
        Progress(*columns, console=console, transient=True) as bar,
    ):
        task = bar.add_task("导出 export", total=None)

        def progress(what: str, done: int, of: int) -> None:
            bar.update(task, description=what[-40:], completed=done, total=of)

        made = export(source, out, stretch=stretch, force=force, reason=reason, progress=progress)
    state = "已封存 sealed" if made.sealed else "未封存 not sealed"
    witness = "中心已见证 witnessed" if made.witnessed else "中心未见证 not witnessed by the center"
    console.print(
        f"{out}: {made.files} 个文件 files, {made.bytes / 1e6:.1f} MB, {made.leaves} 条 leaves, {state}, {witness}",
        highlight=False,
    )
    return made
