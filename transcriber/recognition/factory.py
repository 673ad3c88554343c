"""Which `Recognizer` a profile asks for: a model process on this machine, or a pool of servers elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hardware.speech_settings import Transcriber
from sync.errors import ConfigError
from transcriber.recognition.model_files import locate
from transcriber.recognition.openai_client import OpenAIClient
from transcriber.recognition.process import EngineProcess
from transcriber.recognition.process_settings import ProcessSettings
from transcriber.recognition.recognizer import Recognizer
from transcriber.recognition.server_pool import ServerPool

NO_MODEL = ("", "pitch")
"""The values of `voices` for which no speaker model is loaded."""


def make_recognizer(
    settings: Transcriber,
    *,
    on_state: Callable[[str, str], None] = lambda state, why: None,
    authority: Path | None = None,
) -> Recognizer:
    """Make the recognizer, not started; the model `base` is joined first. Raises `ConfigError` without its model.

    `authority`: the certificate of the court's authority, which servers of the court show certificates of.
    """
    speaker = "" if settings.voices in NO_MODEL else settings.voices
    if speaker and not Path(speaker).is_file():
        raise ConfigError(f"the speaker model {speaker} is not there; correct [transcriber] voices, or leave it empty")
    if settings.engine == "openai":
        clients = [
            OpenAIClient(
                server,
                model=settings.model,
                language=settings.language,
                timeout_s=settings.timeout_s,
                token_file=settings.token_file,
                authority=authority,
            )
            for server in settings.servers
        ]
        own = EngineProcess(ProcessSettings(engine="", speaker=speaker)) if speaker else None
        return ServerPool(clients, speaker=own, on_state=on_state)
    if settings.engine == "sherpa-onnx":
        folder = Path(settings.model)
        if not folder.is_dir():
            raise ConfigError(f"the model folder {folder} is not there; correct [transcriber] model")
    else:
        folder = locate(settings.model)
    local = ProcessSettings(
        engine=settings.engine,
        folder=str(folder),
        language=settings.language,
        threads=settings.threads,
        device=settings.device,
        speaker=speaker,
    )
    return EngineProcess(local, on_state=on_state)


async def probe(settings: Transcriber, authority: Path | None = None) -> str:
    """Say in one sentence, for `wutong doctor`, where words would come from. Raises `ConfigError` when none would."""
    if settings.engine != "openai":
        recognizer = make_recognizer(settings)
        try:
            await recognizer.start()
        finally:
            await recognizer.stop()
        return f"{settings.engine}: {settings.model}"
    states: list[tuple[str, str]] = []
    recognizer = make_recognizer(
        settings.model_copy(update={"voices": ""}),
        on_state=lambda state, why: states.append((state, why)),
        authority=authority,
    )
    try:
        await recognizer.start()
    finally:
        await recognizer.stop()
    state, why = states[-1]
    if state != "ready":
        raise ConfigError(why)
    many = "s" if len(settings.servers) > 1 else ""
    return f"{len(settings.servers)} transcription server{many}" + (f"; but {why}" if why else "")
