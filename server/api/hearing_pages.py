"""A hearing as screens get it: made in a thread, piece by piece, once for all who may see the same of it.

Promises: what is kept is kept under the kind of reader and the stretches that this reader may not see, and is of the
events that are stored when somebody asks; levels, sealed parts and grants are judged for each reader by the routes,
before and after. No piece takes long, so that what rooms say and others ask is heard in between. What differs with the
moment or the reader (what can be played, who proves it, the time) is added to each answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import Request, Response

from server.events.redaction import signing_of, signing_seen
from server.store.encoded_page import EncodedPage, encode
from server.store.kept_folds import KeptFold, KeptFolds
from sync.record.bodies.session import OpenedTrack
from sync.record.hearing import Hearing
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import Unseen
from sync.record.signing import LISTS
from sync.record.transcript import Utterance
from sync.record.withheld import withheld

OF_EACH_ANSWER = frozenset({"sealed_parts", "tracks"})
"""Fields of a hearing that every answer says for itself."""


class PageAudience(StrEnum):
    """For whom a page is encoded: what they may not see of it is a matter of `Unseen`, how it is shown one of this."""

    INSPECTOR = "inspector"
    ARCHIVIST = "archivist"
    """Gets the strokes of signatures."""
    PARTY = "party"


Encode = Callable[[KeptFold, Unseen], Iterator[bytes]]
"""The pieces of a page, in a thread: an open JSON object."""


@dataclass(frozen=True, slots=True)
class HearingPage:
    """The page of a hearing, and what its last fields are made of."""

    room: str
    tracks: list[OpenedTrack]
    is_closed: bool
    encoded: EncodedPage

    async def answer(self, request: Request, more: Mapping[str, Any]) -> Response:
        """The page with its last fields, compressed for who takes that."""
        headers = {"Vary": "Accept-Encoding"}
        if takes_gzip(request.headers.get("accept-encoding", "")):
            body = self.encoded.gzipped(more)
            headers["Content-Encoding"] = "gzip"
        else:
            body = await asyncio.to_thread(self.encoded.plain, more)
        return Response(body, media_type="application/json", headers=headers)


class HearingPages:
    """All methods belong to one event loop."""

    def __init__(self, folds: KeptFolds) -> None:
        self._folds = folds

    async def of(self, hearing: str, audience: PageAudience, unseen: Unseen, encode_page: Encode) -> HearingPage:
        """The page of all events that are stored now; `WutongError` "not-found"."""

        def made(fold: KeptFold) -> HearingPage:
            page = fold.page((audience, unseen), lambda: EncodedPage.of(encode_page(fold, unseen)))
            return HearingPage(fold.room, list(fold.hearing.tracks), fold.hearing.closed_ns is not None, page)

        return await self._folds.use(hearing, made)


def for_inspectors(fold: KeptFold, unseen: Unseen) -> Iterator[bytes]:
    """The fields of a hearing, and who signed, without strokes."""
    yield from _whole(fold, unseen, strokes=False)


def for_archivists(fold: KeptFold, unseen: Unseen) -> Iterator[bytes]:
    """The same with strokes."""
    yield from _whole(fold, unseen, strokes=True)


def _whole(fold: KeptFold, unseen: Unseen, *, strokes: bool) -> Iterator[bytes]:
    view = withheld(fold.hearing, unseen)
    shown: Mapping[str, Any] = view.shown()
    yield b'{"id":' + encode(view.id)
    for name, value in shown.items():
        if name == "utterances":
            yield b',"utterances":'
            yield from array(_line(fold, line) for line in view.utterances)
        elif name == "segments":
            yield b',"segments":'
            yield from array(_segments(fold, view))
        elif name not in OF_EACH_ANSWER and name != "id":
            yield from field_of(name, value)
    yield from signing_field(fold, unseen, strokes=strokes)


def field_of(name: str, value: Any) -> Iterator[bytes]:
    """`,"name":…` as screens get it, a list item by item."""
    if isinstance(value, list):
        yield b"," + encode(name) + b":"
        yield from array(encode(to_ms(shallow(item))) for item in value)
    else:
        yield b"," + encode(to_ms({name: shallow(value)}))[1:-1]


def signing_field(fold: KeptFold, unseen: Unseen, *, strokes: bool) -> Iterator[bytes]:
    """`,"signing":{…}`: of ten people that is a megabyte of strokes, so one event is encoded at a time."""
    begin = b',"signing":{'
    events = signing_seen(fold.signing, fold.hearing, unseen)
    for kind, name in LISTS.items():
        yield begin + encode(name) + b":"
        begin = b","
        said = (signing_of([event], strokes=strokes) for event in events if event.kind == kind)
        yield from array(encode(one[name][0]) for one in said)  # type: ignore[literal-required]  # its own names
    yield b"}"


def array(items: Iterator[bytes]) -> Iterator[bytes]:
    """A JSON array of encoded values."""
    yield b"["
    begin = b""
    for item in items:
        yield begin + item
        begin = b","
    yield b"]"


def shallow(value: Any) -> Any:
    """A dataclass of the record as a mapping of its fields, which are not copied; anything else as it is."""
    names = getattr(type(value), "__dataclass_fields__", None)
    return value if names is None else {name: getattr(value, name) for name in names}


def _line(fold: KeptFold, line: Utterance) -> bytes:
    is_whole = fold.hearing.transcript.get(line.id) is line
    if not is_whole:
        return encode(to_ms(shallow(line)))  # what stands for a line that may not be read
    kept = fold.lines.get(line.id)
    if kept is None:
        kept = fold.lines[line.id] = encode(to_ms(shallow(line)))
    return kept


def _segments(fold: KeptFold, view: Hearing) -> Iterator[bytes]:
    fold.segments += (encode(to_ms(shallow(one))) for one in view.segments[len(fold.segments) :])
    return iter(fold.segments)


def takes_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` names gzip, or everything, and does not refuse it (RFC 9110, 12.5.3)."""
    weights: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=").strip()
        weights[name.strip()] = not parameter or weight.strip("0.") != ""
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))
