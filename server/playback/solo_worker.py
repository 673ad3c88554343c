"""Takes one seat out of a stretch of a room's microphones; run as a program of its own.

    python -m server.playback.solo_worker

What it decodes comes from rooms, and one of them may not be its own master any more; decoders have bugs. So it is not
done beside the keys of the center: before it is given anything this process takes its own rights away
(`sync.runtime.confinement`). It sees its libraries alone, writes nothing, starts nothing, reaches nobody. Asked in a
line of JSON with the stretch behind it, it answers in the same form:

    {"channel": 2, "bytes": n} and n bytes  ->  {"bytes": m} and m bytes
                                            or  {"code", "message"}: the stretch is refused
"""

from __future__ import annotations

import json
import os
import sys

from server.playback.solo import isolate, load_codecs
from sync.errors import MediaError
from sync.runtime.confinement.confine import ProcessLimits, confine_reader
from sync.runtime.process.processes import go_first_when_memory_is_short, weigh

MEMORY_BYTES = 1024**3
CPU_S = 1200
NICE = 5
LINE_BYTES = 1024


def answer(channel: int, data: bytes) -> tuple[dict[str, object], bytes]:
    """The line that is said, and what comes behind it."""
    try:
        alone = isolate(data, channel)
    except MediaError as error:
        return {"code": error.code, "message": error.message}, b""
    return {"bytes": len(alone)}, alone


def main() -> None:
    """Entry point."""
    weigh(NICE)
    go_first_when_memory_is_short()
    # Libraries that print must not be taken for an answer.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    load_codecs()
    confine_reader(ProcessLimits(MEMORY_BYTES, CPU_S), [])
    with out:
        while line := sys.stdin.buffer.readline(LINE_BYTES):
            asked = json.loads(line)
            said, alone = answer(int(asked["channel"]), sys.stdin.buffer.read(int(asked["bytes"])))
            out.write(json.dumps(said, ensure_ascii=False).encode() + b"\n" + alone)
            out.flush()


if __name__ == "__main__":
    main()
