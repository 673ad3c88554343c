"""How every long-running process of Wutong starts, tells systemd that it lives, and stops.

`run_service` gives each of them the same manners: structured logs on stderr, SIGTERM and SIGINT cancel the main task
(which then has time to close its files), `READY=1` and watchdog pings when systemd asks for them, one line and exit
code 2 for errors that a person can act on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TextIO, cast

import sdnotify
import structlog
import uvloop

from sync.errors import WutongError
from sync.runtime.logs.log_lines import LibraryLines, log_line
from sync.runtime.process.processes import die_with_parent
from sync.text.printable import printable

__all__ = ["Lifeline", "cancel_and_wait", "configure_logging", "die_with_parent", "every", "run_service", "say_why"]

STATUS_CHARS = 400


def configure_logging(service: str) -> None:
    """One JSON object a line on stderr; `WUTONG_LOG` sets the level (default info)."""
    level = logging.getLevelNamesMapping().get(os.environ.get("WUTONG_LOG", "info").upper(), logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LibraryLines(service))
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(log_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _PatientStderr())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


class _PatientStderr:
    """A log that cannot be written (it may be on the disk that is full) must not end the service that writes it."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


class Lifeline:
    """Handed to a service: `ready()` once it serves; after that systemd's watchdog is fed while the loop turns."""

    def __init__(self) -> None:
        self._notifier = sdnotify.SystemdNotifier()
        self._task: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """The service does its work from now on."""
        self._notifier.notify("READY=1")
        interval_us = int(os.environ.get("WATCHDOG_USEC", "0"))
        if interval_us:
            self._task = asyncio.get_running_loop().create_task(self._feed(interval_us / 2_000_000))

    async def _feed(self, interval_s: float) -> None:
        while True:
            self._notifier.notify("WATCHDOG=1")
            await asyncio.sleep(interval_s)

    def stopping(self) -> None:
        """The service ends on purpose."""
        self._notifier.notify("STOPPING=1")
        if self._task is not None:
            self._task.cancel()


def run_service(service: str, main: Callable[[Lifeline], Coroutine[Any, Any, None]]) -> int:
    """Run `main` until it ends or is told to stop; returns the exit code."""
    configure_logging(service)
    log = structlog.get_logger(service)

    async def guarded() -> None:
        lifeline = Lifeline()
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        try:
            await main(lifeline)
        except BaseExceptionGroup as group:
            # A task group wraps what its tasks raise; the operator's sentence is inside.
            inside: BaseException | None = group.subgroup(WutongError)
            while isinstance(inside, BaseExceptionGroup):
                inside = inside.exceptions[0]
            if inside is not None:
                raise inside from group
            raise
        finally:
            lifeline.stopping()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(guarded())
    except (asyncio.CancelledError, KeyboardInterrupt):
        log.info("stopped")
    except WutongError as error:
        return say_why(error)
    return 0


def say_why(error: WutongError) -> int:
    """Print an error that a person can act on as one line, and have systemd show it in its status; the exit code.

    A unit that is started anew and anew never becomes ready, and `systemctl start` waits for it without a word.
    """
    print(printable(f"wutong: {error.message}", lines=True), file=sys.stderr)  # noqa: T201 (the operator's line)
    sdnotify.SystemdNotifier().notify("STATUS=" + printable(error.message)[:STATUS_CHARS])
    return 2


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have cleaned up."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def every(interval_s: float, look: Callable[[], Awaitable[None]]) -> None:
    """Call `poll` for ever, `interval_s` apart."""
    while True:
        await look()
        await asyncio.sleep(interval_s)
