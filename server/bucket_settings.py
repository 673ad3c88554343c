"""Where the bucket of the record's files is, as the configuration says it, and what that means for the wire to it.

Promises: nothing that is said of the settings repeats a key. What goes to another machine goes by TLS whose certificate
is verified; `http://` to another machine is refused, or said in red, as every plain wire.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from sync.errors import ConfigError
from sync.runtime.files.secrets import read_secret
from sync.tls.hosts import is_loopback
from sync.tls.plain import PlainWire

LONGEST_LINK_S = 60
"""What a link opens it opens to whoever has it, whatever is sealed meanwhile."""
ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class BucketSettings(BaseModel):
    """An S3-compatible store for the record's files; used when storage.objects is "s3"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = Field(
        "",
        max_length=500,
        pattern=r"^(https?://[^\s/@?#]+/?)?$",
        description="its address: https://s3.court.example:8333",
    )
    bucket: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$",
        description="the bucket, which is made by the store's administrator",
    )
    region: str = Field("us-east-1", pattern=r"^[a-z0-9-]{1,64}$", description="its region; most stores have this one")
    prefix: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_-]{1,64}/)*$",
        max_length=256,
        description="what the names of all objects begin with, ending with /; empty where the bucket is the center's",
    )
    keys_file: Path | None = Field(
        None,
        description="file (mode 0600): the id of the access key and its secret, a line each; not set: "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment",
    )
    path_style: bool = Field(True, description="false where the bucket is a part of the host's name (AWS)")
    ca_file: Path | None = Field(
        None, description="certificates (PEM) of who certifies the store; not set: the machine's own"
    )
    lock: Literal["none", "governance", "compliance"] = Field(
        "none", description="object lock: nobody deletes before the end, or only who has the right to (governance)"
    )
    retention_days: int = Field(3650, ge=1, le=36_500, description="how long an object is locked, from its storing on")
    link_s: int = Field(
        0,
        ge=0,
        le=LONGEST_LINK_S,
        description="so long a link to a whole document is good, by which a browser takes it from the store; 0: none",
    )

    @property
    def is_named(self) -> bool:
        """Whether it says where the bucket is."""
        return bool(self.endpoint and self.bucket)


@dataclass(frozen=True, slots=True)
class BucketKeys:
    """What the center signs its requests to the store with."""

    id: str = field(repr=False)
    secret: str = field(repr=False)


def read_keys(settings: BucketSettings) -> BucketKeys:
    """The keys; `ConfigError` where there are none, or where others may read them."""
    if settings.keys_file is not None:
        words = read_secret(settings.keys_file, "the keys of the S3 store").split()
        if len(words) != 2:
            raise ConfigError(f"{settings.keys_file} must have two lines: the id of the access key, and its secret")
        return BucketKeys(*words)
    words = [os.environ.get(name, "") for name in ENVIRONMENT]
    if not all(words):
        raise ConfigError(
            "没有对象存储的密钥 (there are no keys for the S3 store): name s3.keys_file, or set "
            f"{' and '.join(ENVIRONMENT)}"
        )
    return BucketKeys(*words)


def plain_bucket(settings: BucketSettings) -> list[PlainWire]:
    """Nothing, or the wire, where the record would go to another machine without TLS."""
    parts = urlsplit(settings.endpoint)
    if parts.scheme != "http" or is_loopback(parts.hostname or ""):
        return []
    return [PlainWire("s3.endpoint", settings.endpoint, "write https://, and the port of the store's TLS")]
