"""The process that owns the model: questions on its stdin, answers on its stdout; a finished turn beside a caption.

It is `python -m transcriber.recognition.worker SETTINGS` (`transcriber.recognition.process_settings`), started by
`transcriber.recognition.process` alone. It dies with its parent, knows no room and no hearing, and may be killed at any
moment: whoever asked asks again. On the wire each way: `uint32 bytes of JSON, uint32 bytes of samples`, the JSON, the
samples (int16).
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import resource
import struct
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from sync.errors import WutongError
from sync.runtime.process.order import PLACES
from sync.runtime.process.processes import die_with_parent, weigh_apart
from transcriber.audio.pcm import RATE_HZ
from transcriber.recognition.engines.loader import load_engines, load_speaker
from transcriber.recognition.process_settings import ProcessSettings
from transcriber.recognition.recognizer import Engine, Rejection, Transcription, Word

if TYPE_CHECKING:
    from transcriber.recognition.engines.speaker_embedding import SpeakerModel  # large, and few rooms need it

HEAD = struct.Struct(">II")
NICENESS = PLACES["transcriber"].niceness
"""Behind the record, what is live and the screens. Words that come late help nobody in a courtroom: where systemd
weighs services they go before whatever else the machine does, three to one (`CPUWeight`). Where it does not, the
browsers of this machine are among what else it does, and the model's threads would make their pictures late."""


_Questions = queue.SimpleQueue[tuple[dict[str, Any], bytes] | None]
"""What a lane is asked; None: nothing more."""


def pack(message: dict[str, Any], samples: bytes = b"") -> bytes:
    """Return one message as it goes over the pipe."""
    text = json.dumps(message, ensure_ascii=False).encode()
    return HEAD.pack(len(text), len(samples)) + text + samples


def transcription_to_json(transcription: Transcription) -> dict[str, Any]:
    """Return a transcription as it goes over the pipe."""
    rejection = transcription.rejection.name if transcription.rejection else ""
    value = asdict(transcription) | {"rejection": rejection}
    del value["cost"]  # it is counted where it is paid: here and in the parent
    return value


def transcription_from_json(value: dict[str, Any]) -> Transcription:
    """Read what `transcription_to_json` made."""
    return Transcription(
        text=str(value["text"]),
        words=tuple(Word(**word) for word in value["words"]),
        confidence=float(value["confidence"]),
        rejection=Rejection[value["rejection"]] if value["rejection"] else None,
        why=str(value["why"]),
    )


def _read(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    text, samples = HEAD.unpack(head)
    message: dict[str, Any] = json.loads(source.read(text))
    return message, source.read(samples)


def answer(engines: Sequence[Engine], speaker: SpeakerModel | None, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until `source` ends. The first message says that the models are loaded.

    With two engines captions go to the last one and everything else to the first, each on a thread of its own: a
    caption is read and begun while a finished turn is at work.
    """
    speaking = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        with speaking:
            sink.write(pack(message | {"rss_bytes": _rss_bytes()}))
            sink.flush()

    def answer_one(engine: Engine | None, asked: dict[str, Any], raw: bytes) -> None:
        samples = np.frombuffer(raw, np.int16).astype(np.float32) / 32768.0
        if asked.get("voice"):
            say({"id": asked["id"], "voiceprint": list(speaker.print_of(samples)) if speaker else []})
            return
        assert engine is not None  # nobody asks a process for words that was started for voices
        began, threads = time.monotonic(), _threads()
        transcription = engine.transcribe(
            samples, str(asked["bias"]), interim=bool(asked["interim"]), prefix=str(asked["prefix"])
        )
        engine_s = time.monotonic() - began
        say(
            {
                "id": asked["id"],
                "transcription": transcription_to_json(transcription),
                "cpu_s": _cpu_s(),
                "engine_s": engine_s,
                "starved_s": _starved_s(threads, _threads(), engine_s),
            }
        )

    def lane(engine: Engine, questions: _Questions) -> None:
        while (question := questions.get()) is not None:
            answer_one(engine, *question)

    # The first pass fetches pages and builds tables: let nobody wait for it.
    for engine in engines:
        engine.transcribe(np.zeros(RATE_HZ, np.float32), interim=True)
    say({"ready": True})
    if len(engines) < 2:
        while (question := _read(source)) is not None:
            answer_one(engines[0] if engines else None, *question)
        return
    lanes = {False: _Questions(), True: _Questions()}  # the parent sends each one question at a time
    threading.excepthook = _die
    threads = [
        threading.Thread(target=lane, args=(engines[-1 if interim else 0], questions), daemon=True)
        for interim, questions in lanes.items()
    ]
    for thread in threads:
        thread.start()
    while (question := _read(source)) is not None:
        lanes[bool(question[0].get("interim"))].put(question)
    for questions in lanes.values():
        questions.put(None)
    for thread in threads:
        thread.join()


def _die(failure: threading.ExceptHookArgs) -> None:
    """A thread that fails takes the process with it: the parent starts it anew and asks again."""
    threading.__excepthook__(failure)
    os._exit(1)


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _threads() -> dict[str, tuple[int, int]]:
    """By thread: how long it has run, and how long it was ready to and had no processor, ns; empty where unknown."""
    found = {}
    for task in Path("/proc/self/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError):  # a thread may end meanwhile
            ran, waited, _ = task.read_text(encoding="ascii").split()
            found[task.parent.name] = (int(ran), int(waited))
    return found


def _starved_s(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], engine_s: float) -> float:
    """For how long of `engine_s` the process had no processor, as far as its threads tell.

    Which thread works for which lane is the engine's secret: never more than all of them waited, nor than what the
    busiest one leaves.
    """
    spent = [(now[0] - before[name][0], now[1] - before[name][1]) for name, now in after.items() if name in before]
    waited_s = sum(waited for _, waited in spent) / 1e9
    busiest_s = max((ran for ran, _ in spent), default=0) / 1e9
    return min(waited_s, max(engine_s - busiest_s, 0.0))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Load what the settings in the first argument say, and answer until stdin ends."""
    die_with_parent()
    weigh_apart(NICENESS)
    settings = ProcessSettings.from_json(sys.argv[1])
    # Libraries may print; the answers' pipe is for answers only.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        answer(load_engines(settings), load_speaker(settings), sys.stdin.buffer, sink)
    except WutongError as error:
        sink.write(pack({"error": error.message}))
        sink.flush()
        return 2
    except (BrokenPipeError, KeyboardInterrupt):
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
