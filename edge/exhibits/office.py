"""LibreOffice, where it is installed: it makes a PDF of a Word document, and only that is drawn.

It runs in a session of its own, in an empty home, with limits of time, memory and size of files, and is ended with all
that it started when its time is up. It sees the system and its home, writes its home alone and reaches nobody
(`sync.runtime.confinement`). Refuses, with `MediaError`, what it does not convert.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import tempfile
from pathlib import Path

import structlog

from edge.exhibits.formats import DOCX_FORMAT
from edge.exhibits.refusal import damaged
from sync.errors import MediaError
from sync.runtime.confinement.confine import SHARED, Converter, ProcessLimits
from sync.runtime.process.processes import die_with_parent, go_first_when_memory_is_short, weigh

log = structlog.get_logger(__name__)

CONVERT_S = 90.0
MEMORY_BYTES = 6 * 1024**3
MOST_BYTES = 200 * 1024 * 1024
MORE_TASKS = 512
"""Processes and threads: LibreOffice has some forty."""
_SOCKETS = "OSL_PIPE_*"
_VERSION = re.compile(r"LibreOffice \d+(\.\d+)*")
_STARTS = 2
"""LibreOffice makes its profile and starts anew, and cannot take away the socket of the first start by itself."""


def program() -> str | None:
    """LibreOffice's command on this machine."""
    return shutil.which("soffice") or shutil.which("libreoffice")


async def convert(command: str, path: Path, out: Path) -> str:
    """Write `out`, a PDF of the document at `path`; which program made it. One at a time (`edge.exhibits.desk`)."""
    with tempfile.TemporaryDirectory(prefix="wutong-office-", dir=out.parent) as name:
        folder = Path(name)
        source = folder / "document.docx"
        await asyncio.to_thread(shutil.copyfile, path, source)
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        options = ["--headless", "--norestore", "--nolockcheck", "--convert-to", "pdf", "--outdir", str(folder)]
        made = folder / "document.pdf"
        said = ""
        for _ in range(_STARTS):
            said = await _run([command, profile, *options, str(source)], folder)
            if made.is_file():
                break
        if not made.is_file():
            log.warning("exhibit_not_converted", why=said[-300:])
            refused = damaged(DOCX_FORMAT)
            raise MediaError(str(refused), code=refused.code)
        version = await _run([command, profile, "--version"], folder)
        await asyncio.to_thread(made.replace, out)
    found = _VERSION.search(version)
    return found.group() if found else "LibreOffice"


async def _run(command: list[str], home: Path) -> str:
    environment = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath), "LANG": "zh_CN.UTF-8"}
    environment["TMPDIR"] = str(home)
    limits = ProcessLimits(MEMORY_BYTES, round(CONVERT_S), MOST_BYTES, MORE_TASKS)
    rights = await asyncio.to_thread(Converter, home, limits, Path(command[0]))
    others = set(SHARED.glob(_SOCKETS))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd=home,
        start_new_session=True,
        preexec_fn=lambda: _prepare(rights),
    )
    try:
        async with asyncio.timeout(CONVERT_S):
            said, _ = await process.communicate()
        return said.decode("utf-8", "replace")
    except TimeoutError:
        return f"nothing was made within {CONVERT_S:.0f} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        for left in set(SHARED.glob(_SOCKETS)) - others:
            left.unlink(missing_ok=True)


def _prepare(rights: Converter) -> None:
    die_with_parent()
    weigh(5)
    go_first_when_memory_is_short()
    rights.apply()
