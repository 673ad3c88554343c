"""What the verifier reads of a folder, each part alone. The first byte says which."""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import LedgerError
from tests.support.paths import ROOT
from wutong.export.forms import Index, read_json
from wutong.verify.case import _event, _signed
from wutong.verify.steps.words import _says

_GOLDEN = ROOT / "tests/export/golden"
_PARTS = {b"i": "index.json", b"l": "ledger/leaves.jsonl", b"c": "ledger/checkpoints.jsonl"}


def target(data: bytes) -> None:
    kind, rest = data[:1], data[1:]
    if kind == b"l":
        _event(rest)
    elif kind == b"c":
        signed = _signed(0, rest)
        assert signed.note is None or signed.point is not None
    elif kind == b"s":
        assert not _says(rest, {"a": [1, True]}) or read_json(rest)
    else:
        try:
            index = Index.from_bytes(rest)
        except LedgerError:
            return
        assert Index.from_bytes(index.to_bytes()) == index


def seeds() -> Iterator[bytes]:
    for folder in sorted(_GOLDEN.glob("wutong-export-*")):
        for kind, name in _PARTS.items():
            for path in sorted(folder.rglob(name)):
                data = path.read_bytes()
                yield from (kind + line for line in data.split(b"\n")[:12] if line) if kind != b"i" else [kind + data]
    yield b's{"a": [1, true]}'
