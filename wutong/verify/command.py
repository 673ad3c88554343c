"""`wutong verify`: a folder or a hearing, the verdict in words or JSON; the exit code is the verdict."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from sync.errors import ConfigError, LedgerError
from sync.ledger.keys import read_public
from sync.ledger.token import read_roots
from wutong.terminal import terminal
from wutong.verify.case import ExportCase
from wutong.verify.examine import Judgment, examine
from wutong.verify.verdict import Verdict
from wutong.verify.words import STEPS

MOST = 40
_STYLES = {
    Verdict.AUTHENTIC: "bold green",
    Verdict.WITH_GAPS: "bold yellow",
    Verdict.NOT_AUTHENTIC: "bold red",
    Verdict.UNSEALED: "bold yellow",
    Verdict.NOT_VERIFIABLE: "bold magenta",
}


def run(
    what: str,
    *,
    center_key: Path | None,
    tsa_root: Path | None,
    tsa_policy: str | None,
    config: Path | None,
    profile: Path | None,
    data: Path | None,
    as_json: bool,
    lang: str,
) -> int:
    """Judge and print; the exit code."""
    key = None if center_key is None else read_key(center_key)
    roots = [] if tsa_root is None else read_root_certificates(tsa_root)
    if (config, profile, data) == (None, None, None):
        folder = Path(what)
        if not folder.is_dir():
            raise ConfigError(f"{what} is no folder; for a hearing of this machine add --profile, --config or --data")
        judgment = judge(folder, key, roots, tsa_policy)
    else:
        judgment = _hearing(what, key, roots, tsa_policy, config, profile, data)
    print_judgment(judgment, as_json=as_json, lang=lang)
    return int(judgment.verdict)


def judge(
    folder: Path,
    key: Ed25519PublicKey | None,
    roots: list[x509.Certificate],
    tsa_policy: str | None,
    places: Mapping[str, Path] | None = None,
) -> Judgment:
    """Examine a folder with a progress bar on stderr; `places`: files of it that are kept elsewhere."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=terminal(stderr=True), transient=True) as bar:
        case = ExportCase(folder, key, roots, tsa_policy, places=places or {})
        task = bar.add_task("验证 verify", total=case.plain_bytes() or None)
        case.progress = lambda count: bar.advance(task, count)
        return examine(case)


def print_judgment(judgment: Judgment, *, as_json: bool, lang: str) -> None:
    """On stdout."""
    if as_json:
        print(json.dumps(judgment.to_json(), ensure_ascii=False))
        return
    console = terminal(highlight=False, soft_wrap=True)
    verdict = judgment.verdict
    console.print(f"{judgment.room}/{judgment.hearing}", markup=False)
    console.print(f"{verdict.text(lang)}  [{verdict.word}, {int(verdict)}]", style=_STYLES[verdict], markup=False)
    for reason in judgment.reasons[:MOST]:
        name = STEPS[reason.step - 1][lang]
        mark = "·" if reason.verdict is Verdict.AUTHENTIC else "✗"
        console.print(f" {mark} {reason.step:2d} {name}: {reason.text(lang)} ({reason.code})", markup=False)
    if len(judgment.reasons) > MOST:
        console.print(f"   … +{len(judgment.reasons) - MOST}", markup=False)


def _hearing(
    name: str,
    key: Ed25519PublicKey | None,
    roots: list[x509.Certificate],
    tsa_policy: str | None,
    config: Path | None,
    profile: Path | None,
    data: Path | None,
) -> Judgment:
    """Export into a folder that goes away, without what players need and without copying media, and judge that."""
    from wutong.export.bundle import export
    from wutong.export.command import opened

    with tempfile.TemporaryDirectory(prefix="wutong-verify-") as temporary:
        folder = Path(temporary) / "hearing"
        with opened(name, config=config, profile=profile, data=data) as source:
            public = source.center_public()
            if key is None and public is not None:
                key = read_public(public)
            exported = export(source, folder, people=False, judged=True)
        return judge(folder, key, roots, tsa_policy, exported.places)


def read_key(path: Path) -> Ed25519PublicKey:
    """The center's public key in a file; `ConfigError` when it is none."""
    try:
        return read_public(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"the center's key {path} cannot be read: {error.strerror}") from error
    except LedgerError as error:
        raise ConfigError(f"{path}: {error.message}") from error


def read_root_certificates(path: Path) -> list[x509.Certificate]:
    """Roots of time-stamp authorities in a file; `ConfigError` when they are none."""
    try:
        return read_roots(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"the certificate {path} cannot be read: {error.strerror}") from error
    except LedgerError as error:
        raise ConfigError(f"{path}: {error.message}") from error
