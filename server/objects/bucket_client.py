"""The connection to an S3-compatible store: signed, verified, and bounded in time and in tries.

boto3 is an extra of the package: a center whose files are in a folder does without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from server.bucket_settings import BucketSettings, read_keys
from sync.errors import ConfigError

CONNECT_S = 5.0
ANSWER_S = 10.0
"""Without a byte from the store, at each of its tries."""
TRIES = 3
CONNECTIONS = 24
_OF_THE_MACHINE = Path("/etc/ssl/certs/ca-certificates.crt")


def new_client(settings: BucketSettings, *, answer_s: float = ANSWER_S) -> Any:
    """A client for many threads, which connects when it is asked; `ConfigError` where it cannot be made."""
    try:
        import boto3
        from botocore.config import Config as BotoConfig
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise ConfigError(
            "中心没有安装对象存储的客户端 (what speaks to an S3 store is not installed): pip install 'wutong[s3]', by "
            "the hashes in locks/s3.lock"
        ) from error
    keys = read_keys(settings)
    trusted = settings.ca_file or (_OF_THE_MACHINE if _OF_THE_MACHINE.is_file() else None)
    if settings.ca_file is not None and not settings.ca_file.is_file():
        raise ConfigError(f"s3.ca_file {settings.ca_file} is not there; name the certificates of the store's authority")
    how = BotoConfig(
        signature_version="s3v4",
        connect_timeout=CONNECT_S,
        read_timeout=answer_s,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=CONNECTIONS,
        # The address is named, and asked itself: what the environment says of proxies is for others.
        proxies={},
        # Every store can check the hash that is signed with a request, also those that know no other checksum.
        s3={"addressing_style": "path" if settings.path_style else "virtual", "payload_signing_enabled": True},
        # Checksums are our own, by SHA-256; what the library would add by itself not every store understands.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        session = boto3.session.Session(
            aws_access_key_id=keys.id, aws_secret_access_key=keys.secret, region_name=settings.region
        )
        return session.client(
            "s3", endpoint_url=settings.endpoint, config=how, verify=True if trusted is None else str(trusted)
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(f"the S3 store cannot be used as [s3] says: {error}") from error
