"""Why the S3 store did not do what it was asked, in words for who has to mend it.

Promises: the words name no key, host, bucket or file; what the store itself said is in the log alone. Whatever is
refused here was not kept, and whoever sent it tries again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from botocore import exceptions as boto
from urllib3.exceptions import HTTPError

from sync.errors import StorageError

Doing = Literal["write", "read"]

REFUSED = (boto.BotoCoreError, boto.ClientError, HTTPError)
"""All that the library raises, and what it lets through of the connection below it."""
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class BucketRefusedError(StorageError):
    """The S3 store refused a piece of work, and nothing of it was kept."""

    def __init__(self, message: str, *, code: str | None = None, is_away: bool = False) -> None:
        super().__init__(message, code=code)
        self.is_away = is_away
        """Whether it did not answer at all: the next request would wait as long."""


@dataclass(frozen=True, slots=True)
class _BucketFault:
    chinese: str
    english: str
    is_away: bool = False


_AWAY = _BucketFault(
    "对象存储连接不上或应答太慢，请检查存储服务和网络",
    "the S3 store cannot be reached, or is too slow: look at the store and at the network",
    is_away=True,
)
_CUT = _BucketFault(
    "与对象存储的连接中断，请检查网络",
    "the line to the S3 store broke off: look at the network",
)
_UNTRUSTED = _BucketFault(
    "对象存储的证书不可信，请核对 s3.endpoint 和 s3.ca_file",
    "the certificate of the S3 store is not trusted: look at s3.endpoint and s3.ca_file",
)
_BUSY = _BucketFault(
    "对象存储暂时无法处理请求，请检查其负载和日志",
    "the S3 store cannot take requests just now: look at its load and its log",
)
_KEYS = _BucketFault(
    "对象存储拒绝了密钥或权限不足，请核对 s3.keys_file 和该密钥的权限",
    "the S3 store refuses the keys, or they have not the right to this: look at s3.keys_file and its rights",
)
_NO_BUCKET = _BucketFault(
    "存储桶不存在，请核对 s3.bucket 或请存储管理员创建",
    "the bucket does not exist: look at s3.bucket, or have the store's administrator make it",
)
_CLOCK = _BucketFault(
    "本机时钟与对象存储相差过大，请校准两边的时钟",
    "the clocks of this machine and of the S3 store differ too much: set both",
)
_FULL = _BucketFault(
    "对象存储已满或超出配额，请扩充",
    "the S3 store is full, or its quota is used up: make room",
)
_SPOILT = _BucketFault(
    "文件在传往对象存储的途中损坏，未保存，请检查网络",
    "what arrived at the S3 store is not what was sent, and was not kept: look at the network",
)
_HELD = _BucketFault(
    "对象存储中的文件已锁定，不能更改",
    "the object is locked in the S3 store and cannot be changed",
)
_UNKNOWN = _BucketFault("请联系管理员查看日志", "the log says why")

_BY_CODE = {
    "AccessDenied": _KEYS,
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "ExpiredToken": _KEYS,
    "NoSuchBucket": _NO_BUCKET,
    "RequestTimeTooSkewed": _CLOCK,
    "SlowDown": _BUSY,
    "ServiceUnavailable": _BUSY,
    "InternalError": _BUSY,
    "RequestTimeout": _CUT,
    "IncompleteBody": _CUT,
    "NoSuchUpload": _CUT,
    "QuotaExceeded": _FULL,
    "InsufficientStorage": _FULL,
    "XMinioStorageFull": _FULL,
    "BadDigest": _SPOILT,
    "InvalidDigest": _SPOILT,
    "XAmzContentSHA256Mismatch": _SPOILT,
    "XAmzContentChecksumMismatch": _SPOILT,
    "InvalidPart": _SPOILT,
    "ObjectLocked": _HELD,
}
_BY_STATUS = {
    401: _KEYS,
    403: _KEYS,
    404: _NO_BUCKET,
    408: _CUT,
    429: _BUSY,
    500: _BUSY,
    502: _BUSY,
    503: _BUSY,
    504: _BUSY,
    507: _FULL,
}
"""Where a store says a code of its own, and where it says none: the answer to HEAD has no body."""
_CLOSED = (boto.HTTPClientError, boto.IncompleteReadError, HTTPError)
_SKEW_S = 600.0
"""Stores refuse a signature that is older or newer by a quarter of an hour."""
_WORDS: dict[Doing, tuple[str, str]] = {
    "write": (
        "文件未能存入对象存储，未被确认，将自动重试",
        "a file was not stored nor receipted; it is tried again",
    ),
    "read": ("无法从对象存储读取，请稍后重试", "the S3 store does not give the file; try again"),
}


SPOILT_WORDS = f"{_SPOILT.chinese} ({_SPOILT.english})"


def refused(error: Exception, doing: Doing) -> BucketRefusedError:
    """The error to raise in place of what the library said."""
    fault = _fault_of(error)
    chinese, english = _WORDS[doing]
    words = f"{chinese}；{fault.chinese} ({english}; {fault.english})"
    return BucketRefusedError(words, code="busy" if doing == "read" else None, is_away=fault.is_away)


def words_of_bucket(error: Exception) -> str:
    """What is wrong with the store, without saying for whom."""
    fault = _fault_of(error)
    return f"{fault.chinese} ({fault.english})"


def code_of(error: Exception) -> str:
    """What the store itself called it; empty where it said nothing."""
    return str(_answer(error).get("Error", {}).get("Code", ""))


def status_of_answer(error: Exception) -> int:
    """The HTTP status of the store's answer; 0 where there was none."""
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _answer(error: Exception) -> dict[str, Any]:
    return dict(error.response) if isinstance(error, boto.ClientError) else {}


def _fault_of(error: Exception) -> _BucketFault:
    if isinstance(error, boto.ClientError):
        known = _BY_CODE.get(code_of(error)) or _BY_STATUS.get(status_of_answer(error), _UNKNOWN)
        return _CLOCK if known is _KEYS and _is_skewed(error) else known
    if isinstance(error, boto.SSLError):
        return _UNTRUSTED
    if isinstance(error, boto.ConnectionError | boto.ReadTimeoutError):
        return _AWAY
    if isinstance(error, _CLOSED):
        return _CUT
    return _UNKNOWN


def _is_skewed(error: Exception) -> bool:
    """Whether the store's clock is another one: a refused HEAD says no more than that it is refused."""
    said = _answer(error).get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return abs(parsedate_to_datetime(said).timestamp() - time.time()) > _SKEW_S
    except (TypeError, ValueError):
        return False
