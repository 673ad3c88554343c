"""Settings come from TOML files that people write; whoever reads one is told what is wrong with it, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from sync.errors import ConfigError
from sync.runtime.files.handwritten import read_toml

M = TypeVar("M", bound=BaseModel)


def read_settings(path: Path, model: type[M], what: str, *, whole: str) -> M:
    """Read and check a file; `ConfigError` calls it `what`, and `whole` where no single key is wrong."""
    raw = read_toml(path, what)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or whole
        raise ConfigError(f"{what} {path} is wrong at {where}: {first['msg']}") from error
