"""The store of the record's files that a center's configuration names."""

from __future__ import annotations

from pathlib import Path

from server.config import Config
from server.objects.object_folder import ObjectFolder
from server.objects.object_store import ObjectStore
from sync.errors import ConfigError

FOLDER = "objects"
NOTES = "half-sent"


def open_objects(config: Config) -> ObjectStore:
    """The one that is used; nothing is asked of a bucket yet. `ConfigError`, `OSError`."""
    if config.storage.objects == "s3":
        return open_bucket(config)
    return open_folder(config)


def open_folder(config: Config) -> ObjectFolder:
    """That on this machine's disk, used or not."""
    return ObjectFolder(config.storage.data / FOLDER)


def open_bucket(config: Config) -> ObjectStore:
    """That in the bucket of `[s3]`, used or not; `ConfigError` when it cannot be spoken to."""
    if not config.s3.is_named:
        raise ConfigError("没有配置对象存储 (no S3 store is named): write endpoint and bucket into [s3] of center.toml")
    from server.objects.bucket_client import new_client

    client = new_client(config.s3)
    # Behind the client, which says in words what is missing where the library is.
    from server.objects.object_bucket import ObjectBucket

    return ObjectBucket(config.s3, client, Path(config.storage.data) / NOTES)
