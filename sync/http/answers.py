"""Errors as every answer of a Wutong web server says them: `{"code", "message"}` and the status that fits."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sync.errors import (
    AccessError,
    CenterError,
    DeviceError,
    HearingError,
    MediaError,
    StorageError,
    WutongError,
)
from sync.text.printable import printable

log = structlog.get_logger(__name__)

CODE = "wutong_code"
"""In a request's scope: the code of the error that it was answered with."""
_STATUS_OF_CODE = {
    "signed-out": 401,
    "code": 401,
    "password": 401,
    "second-factor": 401,
    "ticket": 401,
    "passkey": 401,
    "token": 401,
    "not-enrolled": 401,
    "throttled": 429,
    "not-found": 404,
    "no-account": 404,
    "on-its-way": 404,
    "not-drawn": 404,
    "no-media": 404,
    "unreadable": 404,
    "checksum": 409,
    "too-large": 413,
    "locked": 423,
    "center-away": 503,
    "invalid": 422,
    "weak-password": 422,
    "table": 422,
    "length": 400,
    "host": 421,
    "busy": 503,
    "directory-away": 503,
    "provider-away": 503,
    "rights-unknown": 503,
}
_CODE_OF_STATUS = {404: "not-found", 405: "method", 409: "conflict", 413: "too-large", 422: "invalid", 507: "storage"}
_MOST_SAID = 300
"""Characters of what a library says of a request."""
_STATUS_OF_CLASS: Sequence[tuple[type[WutongError], int]] = (
    (AccessError, 403),
    (HearingError, 409),
    (MediaError, 415),
    (StorageError, 507),
    (DeviceError, 503),
    (CenterError, 502),
)


def status_of(error: WutongError) -> int:
    """HTTP status of an error."""
    if error.code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[error.code]
    return next((status for kind, status in _STATUS_OF_CLASS if isinstance(error, kind)), 400)


def error_response(error: WutongError, **more: object) -> JSONResponse:
    """An error as screens get it."""
    status = status_of(error)
    message = error.message if status < 500 else _without_foreign_words(error)
    headers = {"Retry-After": "5"} if status in (429, 503, 507) else None
    return JSONResponse({"code": error.code, "message": message, **more}, status, headers=headers)


def _without_foreign_words(error: WutongError) -> str:
    """The message of an error without what a driver or a library said: that names tables, files and statements."""
    cause = error.__cause__
    said = "" if cause is None or isinstance(cause, WutongError) else str(cause)
    if not said or said not in error.message:
        return error.message
    log.error("answered_without_the_cause", code=error.code, why=said[:2000])
    return error.message.replace(said, "详见日志, see the log")


def install(app: FastAPI) -> None:
    """Answer every error of an app in this form."""
    app.add_exception_handler(WutongError, _wutong_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)


async def _wutong_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WutongError)
    request.scope[CODE] = error.code
    return error_response(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODE_OF_STATUS.get(error.status_code, "error")
    message = str(error.detail)
    if error.status_code >= 500 and not isinstance(error.__cause__, WutongError):
        # A library's own: it may have put another's error into it, with paths and statements.
        log.error("answered_without_the_cause", code=code, path=request.url.path, why=message[:2000])
        message = "服务器暂时无法处理，已记入日志，请稍后重试 (the server cannot do this now; it was logged, try again)"
    request.scope[CODE] = code
    return JSONResponse({"code": code, "message": message[:_MOST_SAID]}, error.status_code, headers=error.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    request.scope[CODE] = "invalid"
    # Names of keys are the asker's own words: short, and nothing that turns a line around where it is shown.
    message = printable(f"{where}: {first['msg']}"[:_MOST_SAID])
    return JSONResponse({"code": "invalid", "message": message}, 422)
