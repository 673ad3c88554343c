#!/usr/bin/env python3
"""Write the screens' contract, `web/src/lib/contract/`, from the types that Python is checked by.

    .venv/bin/python tools/make_contract.py            # write the files
    .venv/bin/python tools/make_contract.py --check    # say which are stale, and fail

What is reachable from the events' bodies, `ROOTS` and `REQUESTS` is written: `TypedDict`s, dataclasses, pydantic models
and enums, each into the file of its module (`FILES`), with its docstrings, and every `*_ns` as the `*_ms` that browsers
get (sync/record/milliseconds.py). The constants that both folds of a hearing need are written with them. The lists are
in tools/contract_types.py.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import enum
import inspect
import json
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typing_extensions
from pydantic import BaseModel

from sync.record.bodies import BODIES
from sync.record.bodies.limits import Limits
from sync.record.docket import Docket, DocketEntry
from sync.record.event import Event
from tools.contract_types import CONSTANTS, FILES, NAMES, REQUESTS, ROOTS

OUT = Path(__file__).resolve().parent.parent / "web" / "src" / "lib" / "contract"

HEAD = "// Written by tools/make_contract.py from Python's types: change those, and run it again.\n"
_SIMPLE = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null", Any: "unknown"}
_LISTS = (list, tuple, Sequence)
_MAPS = (dict, Mapping)


class ContractWriter:
    """Renders types, and all that they are made of, each once and into the file of its module."""

    def __init__(self) -> None:
        self._done: dict[Any, str] = {}
        self._parts: dict[str, dict[str, str]] = {}
        self._uses: dict[str, set[tuple[str, str]]] = {}
        self._file = ""
        """That is being written; "": none."""

    def add(self, kind: Any) -> None:
        """Write a type."""
        self._file = ""
        self._text(kind)

    def alias(self, name: str, kind: Any, file: str, doc: str) -> None:
        """Write a union under a name."""
        self._file = file
        members = "".join(f"\n  | {self._text(one)}" for one in typing.get_args(kind))
        self._put(file, name, f"{_comment(doc)}export type {name} ={members};\n")

    def raw(self, file: str, name: str, text: str) -> None:
        """Write a text as it is."""
        self._put(file, name, text)

    def files(self) -> dict[str, str]:
        """name -> text, the index of them all included."""
        found = {}
        for file, parts in sorted(self._parts.items()):
            needs: dict[str, set[str]] = {}
            for name, where in self._uses.get(file, set()):
                if where != file:
                    needs.setdefault(where, set()).add(name)
            imports = "".join(
                f"import type {{ {', '.join(sorted(names))} }} from './{where}';\n"
                for where, names in sorted(needs.items())
            )
            found[f"{file}.ts"] = "\n".join(filter(None, [HEAD, imports, *parts.values()]))
        index = "".join(f"export type * from './{file}';\n" for file in sorted(self._parts) if file != "constants")
        found["index.ts"] = f"{HEAD}\n{index}export * from './constants';\n"
        return found

    def _put(self, file: str, name: str, text: str) -> None:
        if any(name in parts for parts in self._parts.values()):
            raise ValueError(f"two types are called {name}")
        self._parts.setdefault(file, {})[name] = text

    def _text(self, kind: Any) -> str:
        if isinstance(kind, typing.TypeVar) or kind is object:
            return "unknown"
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is Annotated:
            return self._annotated(arguments[0], arguments[1:])
        if origin in (typing.NotRequired, typing.Required, typing_extensions.NotRequired):
            return self._text(arguments[0])
        if origin is Literal:
            return " | ".join(_literal(one) for one in arguments)
        if origin in (types.UnionType, typing.Union):
            return " | ".join(dict.fromkeys(self._text(one) for one in arguments))
        if origin in _MAPS:
            return f"Record<string, {self._text(arguments[1])}>"
        if origin is tuple and arguments[-1] is not ...:
            return f"[{', '.join(self._text(one) for one in arguments)}]"
        if origin in _LISTS:
            return _list(self._text(arguments[0]))
        return self._named(kind)

    def _annotated(self, kind: Any, notes: Iterable[Any]) -> str:
        for note in notes:
            if isinstance(note, Limits) and note.min_length == note.max_length and typing.get_origin(kind) is list:
                item = self._text(typing.get_args(kind)[0])
                return f"[{', '.join([item] * int(note.max_length or 0))}]"
        return self._text(kind)

    def _named(self, kind: Any) -> str:
        name = str(NAMES.get(kind.__name__, kind.__name__))
        file = next(file for package, file in FILES.items() if kind.__module__.startswith(package))
        if kind is Event:
            file = "bodies"
        elif _is_request(kind):
            file = "requests"
        here = self._file
        if here:
            self._uses.setdefault(here, set()).add((name, file))
        if kind in self._done:
            return name
        self._done[kind] = name
        self._file = file
        if kind is not Event:
            self._put(file, name, "")  # its place, before those that it is made of
            self._parts[file][name] = self._declaration(kind, name)
        self._file = here
        return name

    def _declaration(self, kind: Any, name: str) -> str:
        doc = _comment(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0])
        if issubclass(kind, enum.Enum):
            return f"{doc}export type {name} = {' | '.join(_literal(one.value) for one in kind)};\n"
        lines = [f"{note}  {key}{mark}: {text};\n" for key, mark, text, note in self._fields(kind)]
        if not lines:
            return f"{doc}export type {name} = Record<string, never>;\n"
        return f"{doc}export interface {name} {{\n{''.join(lines)}}}\n"

    def _fields(self, kind: Any) -> Iterable[tuple[str, str, str, str]]:
        hints = typing.get_type_hints(kind, include_extras=True)
        notes = _notes(kind)
        if typing_extensions.is_typeddict(kind):
            optional = {key for key, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
            optional |= set(kind.__optional_keys__)
        elif issubclass(kind, BaseModel):
            fields = kind.model_fields
            hints = {key: hints[key] for key in fields}
            # What a server answers is all there; what it is asked may be left out where there is a default.
            optional = {key for key, one in fields.items() if _is_request(kind) and not one.is_required()}
        else:
            hints = {one.name: hints[one.name] for one in dataclasses.fields(kind) if not one.name.startswith("_")}
            optional = set()
        for key, hint in hints.items():
            shown = f"{key[:-3]}_ms" if key.endswith("_ns") else key
            yield shown, "?" if key in optional else "", self._text(hint), _comment(notes.get(key, ""), "  ")


def contract() -> dict[Path, str]:
    """Every file of the contract, and what is to stand in it."""
    writer = ContractWriter()
    for body in BODIES.values():
        writer.add(body)
    writer.raw("bodies", "RoomEvent", _events())
    for name, kind in ROOTS.items():
        if typing.get_origin(kind) is types.UnionType:
            file = "room" if name == "RoomMessage" else "center"
            writer.alias(name, kind, file, "One text of a WebSocket `/api/live`; `type` tells which.")
        else:
            writer.add(kind)
    for kind in REQUESTS:
        writer.add(kind)
    for name, (value, doc) in CONSTANTS.items():
        text = json.dumps(value, ensure_ascii=False).replace('"', "'")
        fixed = " as const" if isinstance(value, list | str) else ""
        writer.raw("constants", name, f"{_comment(doc)}export const {name} = {text}{fixed};\n")
    return {OUT / name: text for name, text in writer.files().items()}


def _is_request(kind: type) -> bool:
    """Whether it is a part of what a server is asked; the docket is one that the servers answer."""
    return issubclass(kind, BaseModel) and not issubclass(kind, Docket | DocketEntry)


def _events() -> str:
    bodies = "".join(f"  {kind}: {body.__name__};\n" for kind, body in BODIES.items())
    return f"""\
/** What each kind of event says. */
export interface Bodies {{
{bodies}}}

/** A durable event; it belongs to no hearing where `hearing` is null. */
export type RoomEvent = {{
  [Kind in keyof Bodies]: {{
    number: number;
    hearing: string | null;
    kind: Kind;
    room_ms: number;
    utc_ms: number;
    body: Bodies[Kind];
  }};
}}[keyof Bodies];

/** An event of one kind. */
export type EventOf<Kind extends keyof Bodies> = Extract<RoomEvent, {{ kind: Kind }}>;
"""


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def _list(item: str) -> str:
    return f"({item})[]" if " | " in item else f"{item}[]"


def _comment(text: str, indent: str = "") -> str:
    text = re.sub(r"(\w)_ns\b", r"\1_ms", " ".join(text.split())).replace("is None", "is null")
    if not text:
        return ""
    if len(text) < 100:
        return f"{indent}/** {text} */\n"
    lines = textwrap.wrap(text, 112 - len(indent), break_long_words=False, break_on_hyphens=False)
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in lines) + f"{indent} */\n"


def _notes(kind: Any) -> dict[str, str]:
    """Of each field, the text that stands below it."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        return {}
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
            for field, after in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(after, ast.Expr)
                    and isinstance(after.value, ast.Constant)
                ):
                    found[field.target.id] = str(after.value.value)
    return found


def main() -> int:
    """Write the files, or say which of them are stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    check = parser.parse_args().check
    wanted = contract()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    stale += [path for path in OUT.glob("*.ts") if path not in wanted]
    if check and stale:
        print(f"stale: {', '.join(path.name for path in stale)}; run tools/make_contract.py", file=sys.stderr)
        return 1
    OUT.mkdir(exist_ok=True)
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
        print(f"{'wrote' if path in wanted else 'removed'} {path.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
