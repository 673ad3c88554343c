"""An audit log, or a stretch of it, as a folder: rows with what proves them, readable without any server.

    audit.json    form, place of the first row, number of rows in the signed tree, proof of the stretch (hex)
    rows.jsonl    the rows, each the leaf that it is (canonical JSON)
    leaves.txt    the hash of each leaf, so that a row that differs can be named
    heads.jsonl   the signed heads, with their time-stamp tokens
    rooms.jsonl   the heads that rooms hold, countersigned, with the certificates of their devices

Everything that is read is bounded, and what is no such folder is refused with the line that is not of the form.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sync.errors import ConfigError, LedgerError
from sync.ledger.audit_leaf import MAX_ROW_BYTES, AuditRow, leaf_of_row, read_row
from sync.ledger.range_proof import MAX_PATH, range_proof
from sync.ledger.token import MAX_TOKEN_BYTES
from sync.ledger.tree import leaf_hash
from sync.text.strict_json import read_strict
from wutong.audit.copy import AuditCopy, CopiedHead, CopiedLeaf, HeldHead

FORM = "wutong-audit-export/1"
MAX_ROWS = 20_000_000
MAX_HEADS = 5_000_000
MAX_LINE_BYTES = 2 * MAX_TOKEN_BYTES
MAX_INDEX_BYTES = 64 * 1024


class _AuditIndex(BaseModel):
    model_config = ConfigDict(extra="forbid")

    form: Annotated[str, Field(max_length=64)]
    first: Annotated[int, Field(ge=0, lt=1 << 62)]
    size: Annotated[int, Field(ge=0, lt=1 << 62)]
    path: Annotated[list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]], Field(max_length=MAX_PATH)] | None


class _HeadLine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=4096)]
    token: Annotated[str, Field(max_length=MAX_TOKEN_BYTES * 4 // 3 + 4)] = ""


class _HeldLine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    room: Annotated[str, Field(max_length=100)]
    note: Annotated[str, Field(max_length=4096)]
    certificate: Annotated[str, Field(max_length=10_000)] = ""
    back: bool = False


def write_folder(copy: AuditCopy, folder: Path, signed: int, stretch: tuple[int, int] | None) -> int:
    """Write all rows of the signed tree of `signed` rows, or those at the places [from, to) of it; how many."""
    first, end = stretch or (0, signed)
    leaves = copy.leaves[first:end]
    path = None
    if stretch is not None:
        path = [node.hex() for node in range_proof([leaf.sha256 for leaf in copy.leaves[:signed]], first, end)]
    try:
        folder.mkdir(parents=True, exist_ok=False)
        _write(folder / "rows.jsonl", (leaf_of_row(leaf.now) for leaf in leaves if leaf.now is not None))
        _write(folder / "leaves.txt", (leaf.sha256.hex().encode() for leaf in leaves))
        _write(folder / "heads.jsonl", (_head_line(head) for head in copy.heads))
        _write(folder / "rooms.jsonl", (_line(_HeldLine(**_fields(held))) for held in copy.held))
        index = _AuditIndex(form=FORM, first=first, size=signed, path=path)
        _write(folder / "audit.json", [index.model_dump_json().encode()])
    except FileExistsError as error:
        raise ConfigError(f"{folder} is there already; name a folder that is not") from error
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}") from error
    return len(leaves)


def read_folder(folder: Path) -> AuditCopy:
    """What `write_folder` wrote; `LedgerError` for what is no such folder."""
    try:
        with (folder / "audit.json").open("rb") as file:
            index = _AuditIndex.model_validate(read_strict(file.read(MAX_INDEX_BYTES + 1), limit=MAX_INDEX_BYTES))
        if index.form != FORM:
            raise LedgerError(f"this is of the form {index.form!r}, and this program knows {FORM}", code="form")
        rows = [read_row(data) for data in _lines(folder / "rows.jsonl", MAX_ROW_BYTES, MAX_ROWS)]
        noted = [bytes.fromhex(data.decode()) for data in _lines(folder / "leaves.txt", 64, MAX_ROWS)]
        heads = [_head(_HeadLine.model_validate(value)) for value in _values(folder / "heads.jsonl")]
        held = [HeldHead(**_HeldLine.model_validate(value).model_dump()) for value in _values(folder / "rooms.jsonl")]
    except OSError as error:
        raise LedgerError(f"{error.filename} cannot be read: {error.strerror}", code="audit") from error
    except ValidationError as error:
        raise LedgerError(f"a line is not of its form: {error.errors()[0]['msg']}", code="audit") from error
    except ValueError as error:
        raise LedgerError(f"a line is not of its form: {error}", code="audit") from error
    path = None if index.path is None else [bytes.fromhex(node) for node in index.path]
    if path is None and index.first:
        raise LedgerError("a stretch needs its proof", code="audit")
    leaves, unnoted = _matched(rows, noted)
    return AuditCopy(leaves, heads, held, index.first, index.size, path, unnoted=unnoted)


def _matched(rows: Sequence[AuditRow], noted: Sequence[bytes]) -> tuple[list[CopiedLeaf], list[int]]:
    """(each leaf with its row, the numbers of rows that are no leaf), also where rows lack, were added or changed."""
    hashes = [leaf_hash(leaf_of_row(row)) for row in rows]
    of_rows, of_leaves = set(hashes), set(noted)
    leaves: list[CopiedLeaf] = []
    unnoted: list[int] = []
    at = last = 0
    for digest in noted:
        while at < len(rows) and digest in of_rows and hashes[at] not in of_leaves:
            unnoted.append(rows[at].row)
            at += 1
        if at == len(rows) or (digest not in of_rows and hashes[at] in of_leaves):
            last += 1
            leaves.append(CopiedLeaf(last, digest, None))
            continue
        last = rows[at].row
        leaves.append(CopiedLeaf(last, digest, rows[at]))
        at += 1
    return leaves, unnoted + [row.row for row in rows[at:]]


def _head(line: _HeadLine) -> CopiedHead:
    return CopiedHead(line.note, base64.b64decode(line.token, validate=True) if line.token else None)


def _head_line(head: CopiedHead) -> bytes:
    return _line(_HeadLine(note=head.note, token="" if head.token is None else base64.b64encode(head.token).decode()))


def _fields(held: HeldHead) -> dict[str, Any]:
    return {name: getattr(held, name) for name in ("room", "note", "certificate", "back")}


def _line(value: BaseModel) -> bytes:
    return json.dumps(value.model_dump(), ensure_ascii=False).encode()


def _write(path: Path, lines: Any) -> None:
    with path.open("xb") as file:
        for line in lines:
            file.write(line + b"\n")


def _values(path: Path) -> Iterator[Any]:
    for data in _lines(path, MAX_LINE_BYTES, MAX_HEADS):
        yield read_strict(data, limit=MAX_LINE_BYTES)


def _lines(path: Path, most_bytes: int, most: int) -> Iterator[bytes]:
    if not path.is_file() or path.is_symlink():
        raise LedgerError(f"{path.name} is no plain file", code="audit")
    with path.open("rb") as file:
        for count in range(most + 1):
            data = file.readline(most_bytes + 2)
            if not data:
                return
            if count == most or not data.endswith(b"\n"):
                raise LedgerError(f"{path.name} has a line without an end, or too many lines", code="audit")
            yield data[:-1]
