"""Which sherpa-onnx model lies in a folder, and what it can do: told by its files and by what is written in them.

Promises: the folder is used as it is unpacked, no file has to be renamed; int8 is preferred on a processor; what is
not recognized is a `ConfigError` that names what was looked for. Nothing is ever fetched from a network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime
import sherpa_onnx
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NoSuchFile,
)

from sync.errors import ConfigError

_KNOWN = (
    "transducer (encoder, decoder, joiner), paraformer, SenseVoice, Whisper, Moonshine, or CTC of zipformer2, NeMo or"
    " WeNet"
)
_RATE = {"sample_rate": 16_000}


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model, and what it can do."""

    kind: str
    recognizer: Any
    streaming: bool
    hotwords: bool = False
    """Whether it takes names that are likely to be heard."""


@dataclass(frozen=True, slots=True)
class _Inside:
    """What an ONNX file says of itself."""

    kind: str
    inputs: int


@dataclass(frozen=True, slots=True)
class Choice:
    """How a model is to run."""

    language: str
    threads: int
    device: str

    @property
    def common(self) -> dict[str, Any]:
        """The arguments that every recognizer of the library takes."""
        return {"num_threads": self.threads, "provider": self.device}


def load(folder: Path, choice: Choice) -> Model:
    """Load the model in `folder`. Raises `ConfigError` when there is none that is known."""
    tokens = _pick(folder, "tokens", (".txt",), choice.device)
    if tokens is None:
        raise ConfigError(f"the model folder {folder} has no tokens.txt; name the folder of a sherpa-onnx model")
    try:
        return _load(folder, str(tokens), choice)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"the model in {folder} cannot be loaded: {error}") from error


def _load(folder: Path, tokens: str, choice: Choice) -> Model:
    def find(name: str) -> str | None:
        found = _pick(folder, name, (".onnx", ".ort"), choice.device)
        return None if found is None else str(found)

    encoder, decoder, joiner = find("encoder"), find("decoder"), find("joiner")
    if encoder and decoder and joiner:
        return _transducer(folder, tokens, (encoder, decoder, joiner), choice)
    merged = find("merged")
    if encoder and merged:
        made = sherpa_onnx.OfflineRecognizer.from_moonshine_v2(encoder, merged, tokens, **choice.common)
        return Model("moonshine", made, streaming=False)
    steps = [find(name) for name in ("preprocess", "encode", "uncached", "cached")]
    if all(steps):
        made = sherpa_onnx.OfflineRecognizer.from_moonshine(*steps, tokens, **choice.common)
        return Model("moonshine", made, streaming=False)
    if encoder and decoder:
        if _inside(encoder).kind.startswith("whisper"):
            language = "" if choice.language == "auto" else choice.language
            made = sherpa_onnx.OfflineRecognizer.from_whisper(encoder, decoder, tokens, language, **choice.common)
            return Model("whisper", made, streaming=False)
        made = sherpa_onnx.OnlineRecognizer.from_paraformer(tokens, encoder, decoder, **choice.common)
        return Model("paraformer", made, streaming=True)
    single = find("model") or _only(folder)
    if single is None:
        raise ConfigError(f"the model folder {folder} holds none of the models that are known: {_KNOWN}")
    return _single(folder, tokens, single, choice)


def _transducer(folder: Path, tokens: str, files: tuple[str, str, str], choice: Choice) -> Model:
    encoder, decoder, joiner = files
    streaming = _inside(encoder).inputs > 2  # the state it carries from chunk to chunk
    pieces = folder / "bpe.vocab"
    characters = _by_character(Path(tokens))
    unit = ("cjkchar+bpe" if characters else "bpe") if pieces.is_file() else ("cjkchar" if characters else "")
    how: dict[str, Any] = dict(choice.common)
    if unit:  # else nobody knows how to spell a name in its tokens
        how |= {"decoding_method": "modified_beam_search", "modeling_unit": unit}
        how |= {"bpe_vocab": str(pieces)} if pieces.is_file() else {}
    make = sherpa_onnx.OnlineRecognizer if streaming else sherpa_onnx.OfflineRecognizer
    made = make.from_transducer(encoder=encoder, decoder=decoder, joiner=joiner, tokens=tokens, **how)
    return Model("transducer", made, streaming=streaming, hotwords=bool(unit))


def _single(folder: Path, tokens: str, path: str, choice: Choice) -> Model:
    inside = _inside(path)
    streaming = inside.inputs > 2 and inside.kind != "sense_voice_ctc"
    offline, online = sherpa_onnx.OfflineRecognizer, sherpa_onnx.OnlineRecognizer
    if inside.kind == "sense_voice_ctc":
        made = offline.from_sense_voice(path, tokens, language=choice.language, use_itn=True, **choice.common)
    elif inside.kind == "paraformer":
        made = offline.from_paraformer(path, tokens, **choice.common)
    elif inside.kind.startswith("zipformer2"):
        make = online.from_zipformer2_ctc if streaming else offline.from_zipformer_ctc
        made = make(model=path, tokens=tokens, **choice.common)
    elif inside.kind.startswith("EncDec"):
        made = (online if streaming else offline).from_nemo_ctc(model=path, tokens=tokens, **choice.common)
    elif inside.kind == "wenet_ctc":
        made = (online if streaming else offline).from_wenet_ctc(model=path, tokens=tokens, **choice.common)
    else:
        said = f"says that it is {inside.kind!r}" if inside.kind else "does not say what it is"
        raise ConfigError(f"the model in {folder} {said}; known are: {_KNOWN}")
    return Model(inside.kind, made, streaming=streaming)


def _pick(folder: Path, name: str, endings: tuple[str, ...], device: str) -> Path | None:
    """Find the file that has `name` as a part of its own name; on a processor int8 comes first."""
    found = [p for p in sorted(folder.glob("*")) if p.suffix in endings and name in re.split(r"[-_.]", p.stem)]
    return min(found, key=lambda path: (".int8" in path.name) != (device == "cpu"), default=None)


def _only(folder: Path) -> str | None:
    found = sorted(folder.glob("*.onnx"))
    return str(found[0]) if len(found) == 1 else None


def _inside(path: str) -> _Inside:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile) as error:
        raise ConfigError(f"the model {path} cannot be read: {error}") from error
    said = session.get_modelmeta().custom_metadata_map
    return _Inside(str(said.get("model_type", "")), len(session.get_inputs()))


def _by_character(tokens: Path) -> bool:
    """Whether Chinese characters are tokens by themselves."""
    lines = tokens.read_text(encoding="utf-8", errors="replace").splitlines()
    return sum(len(line.split()[0]) == 1 and "\u4e00" <= line[0] <= "\u9fff" for line in lines if line.split()) > 500
