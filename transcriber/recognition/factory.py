"""Which `Recognizer` a profile asks for: a model process on this machine, or a pool of servers elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hardware.profile import Transcriber
from sync.errors import ConfigError
from transcriber.recognition.model_files import locate
from transcriber.recognition.openai_client import Remote
from transcriber.recognition.process import EngineProcess
from transcriber.recognition.process_settings import Local
from transcriber.recognition.recognizer import Recognizer
from transcriber.recognition.server_pool import Pool

NO_MODEL = ("", "pitch")
"""The values of `voices` for which no speaker model is loaded."""


def make_ear(settings: Transcriber, *, on_state: Callable[[str, str], None] = lambda state, why: None) -> Recognizer:
    """The ear, not started. `ConfigError` when its model is not there. Joins the model `base` when that is missing."""
    speaker = "" if settings.voices in NO_MODEL else settings.voices
    if speaker and not Path(speaker).is_file():
        raise ConfigError(f"the speaker model {speaker} is not there; correct [transcriber] voices, or leave it empty")
    if settings.engine == "openai":
        remotes = [
            Remote(
                server,
                model=settings.model,
                language=settings.language,
                timeout_s=settings.timeout_s,
                token_file=settings.token_file,
            )
            for server in settings.servers
        ]
        own = EngineProcess(Local(engine="", speaker=speaker)) if speaker else None
        return Pool(remotes, speaker=own, on_state=on_state)
    if settings.engine == "sherpa-onnx":
        folder = Path(settings.model)
        if not folder.is_dir():
            raise ConfigError(f"the model folder {folder} is not there; correct [transcriber] model")
    else:
        folder = locate(settings.model)
    local = Local(
        engine=settings.engine,
        folder=str(folder),
        language=settings.language,
        threads=settings.threads,
        device=settings.device,
        speaker=speaker,
    )
    return EngineProcess(local, on_state=on_state)


async def look(settings: Transcriber) -> str:
    """One sentence on what words would come from; `ConfigError` when none would. For `wutong doctor`."""
    if settings.engine != "openai":
        ear = make_ear(settings)
        try:
            await ear.start()
        finally:
            await ear.stop()
        return f"{settings.engine}: {settings.model}"
    states: list[tuple[str, str]] = []
    ear = make_ear(settings.model_copy(update={"voices": ""}), on_state=lambda state, why: states.append((state, why)))
    try:
        await ear.start()
    finally:
        await ear.stop()
    state, why = states[-1]
    if state != "ready":
        raise ConfigError(why)
    many = "s" if len(settings.servers) > 1 else ""
    return f"{len(settings.servers)} transcription server{many}" + (f"; but {why}" if why else "")
