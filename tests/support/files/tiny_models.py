"""Models in sherpa-onnx's own form: a real one of English, and some of a few kilobytes that know no language."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# fmt: off
USUAL = [-45.7, -15.3, 14.1, -23.2, -22.7, -5.9, -19.9, -12.7, -13.3, -8.4, -1.5, -3.6, -1.6, -2.4, -6.6, -3.9, -1.2,
         -7.8, 2.7, -3.2]
"""The average of the mock hearing's voices: this model is made for that hearing alone."""
# fmt: on
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64

Tensor = tuple[str, int, list[int | str]]
"""Name, kind of element, shape: a name is a length that differs from one to the next."""


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[Tensor],
    outputs: list[Tensor],
    constants: dict[str, NDArray[Any]],
    metadata: Mapping[str, object],
) -> None:
    values = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        initializer=values,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def streaming_ctc(folder: Path) -> Path:
    """A streaming CTC model (WeNet's form) that says 啊 wherever it is loud; passes its caches on as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node("Slice", ["x", "zero", "most", "one", "four"], ["thinned"]),
        helper.make_node("ReduceMean", ["thinned"], ["level"], axes=[2], keepdims=1),
        helper.make_node("Sub", ["level", "limit"], ["loud"]),
        helper.make_node("Neg", ["loud"], ["quiet"]),
        helper.make_node("Concat", ["quiet", "loud"], ["logits"], axis=2),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=2),
        helper.make_node("Identity", ["att_cache"], ["r_att_cache"]),
        helper.make_node("Identity", ["conv_cache"], ["r_conv_cache"]),
    ]
    caches: list[Tensor] = [("att_cache", FLOAT, [1, 1, "A", 2]), ("conv_cache", FLOAT, [1, 1, 1, "C"])]
    inputs: list[Tensor] = [
        ("x", FLOAT, [1, "T", 80]),
        ("offset", INT64, [1]),
        ("required_cache_size", INT64, [1]),
        *caches,
        ("att_mask", TensorProto.BOOL, [1, 1, "M"]),
    ]
    outputs: list[Tensor] = [
        ("log_probs", FLOAT, [1, "U", 2]),
        *[(f"r_{name}", kind, shape) for name, kind, shape in caches],
    ]
    constants: dict[str, NDArray[Any]] = {
        "zero": np.array([0], np.int64),
        "most": np.array([1 << 30], np.int64),
        "one": np.array([1], np.int64),
        "four": np.array([4], np.int64),
        "limit": np.array([7.0], np.float32),
    }
    metadata = {
        "model_type": "wenet_ctc",
        "head": 1,
        "num_blocks": 1,
        "output_size": 1,
        "cnn_module_kernel": 2,
        "right_context": 6,
        "subsampling_factor": 4,
        "vocab_size": 2,
    }
    _save(folder / "model-streaming.onnx", nodes, inputs, outputs, constants, metadata)
    (folder / "tokens.txt").write_text("<blank> 0\n啊 1\n", encoding="utf-8")
    return folder


def speaker(path: Path) -> Path:
    """A speaker model (WeSpeaker's form): the mean spectrum's shape, 20 cosines of it without its level."""
    bands = np.arange(80)
    cosines = np.cos(np.pi * (bands[:, None] + 0.5) * np.arange(1, 21) / 80).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "cosines"], ["shape"]),
        helper.make_node("Sub", ["shape", "usual"], ["embs"]),
    ]
    usual = np.array([USUAL], np.float32)
    metadata = {
        "framework": "wespeaker",
        "language": "Chinese",
        "sample_rate": 16_000,
        "output_dim": 20,
        "normalize_samples": 0,
    }
    inputs: list[Tensor] = [("x", FLOAT, ["N", "T", 80])]
    outputs: list[Tensor] = [("embs", FLOAT, ["N", 20])]
    _save(path, nodes, inputs, outputs, {"cosines": cosines, "usual": usual}, metadata)
    return path


def moonshine(folder: Path) -> Path:
    """Moonshine tiny (English, MIT) as a court unpacks it; a package of the same maker carries the model."""
    carried = Path(str(resources.files("moonshine_voice"))) / "assets" / "tiny-en"
    for name in ("encoder_model.ort", "decoder_model_merged.ort"):
        (folder / name).symlink_to(carried / name)
    lines: list[str] = []
    raw, at = (carried / "tokenizer.bin").read_bytes(), 0
    while at < len(raw):
        length, at = raw[at], at + 1
        if length >= 128:
            length, at = (length & 127) + (raw[at] << 7), at + 1
        lines.append(f"{base64.b64encode(raw[at : at + length] or b'-').decode()} {len(lines)}")
        at += length
    (folder / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
    return folder
