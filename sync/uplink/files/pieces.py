"""Pieces of many files in one body: what has grown in a room since the last request, and the center's word for each.

    body    4 bytes     magic     b"WTP1"
    then, for each piece,
            2 bytes     size      bytes of the header, big-endian, at most `MAX_HEADER_BYTES`
            size bytes  header    JSON: `PieceHeader`
            ...         bytes of the file, as many as the header says

The answer is `PieceAnswers`: one for each piece, in the order of the pieces. A piece names its file, so there is
nothing to create before, and the same piece again is no other: what is there already is passed over.

Refused as a whole, with `PiecesError`: a body that is not of this form, more than `MAX_PIECES` pieces. A piece whose
header is of the form and names no file that there can be is refused alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sync.record.bodies.limits import INT64, Limits, Name, Whole
from sync.text.strict_json import UnreadableError, read_strict

MAGIC = b"WTP1"
_SIZE = struct.Struct(">H")
MAX_HEADER_BYTES = 2048
MAX_PIECES = 256
"""In one body."""
MAX_BODY_BYTES = 8 * 1024 * 1024
MEDIA_TYPE = "application/vnd.wutong.pieces"

Code = Literal["", "offset", "gone", "refused", "full", "busy", "cut"]
"""What became of a piece: all of it is there and synced (""); the file is shorter than where the piece begins
(`offset`); the center has no such upload, and the piece does not begin one (`gone`); it takes no such file (`refused`);
disk or quota have no room (`full`); somebody else writes to the file or claims it now (`busy`); not all of the piece
came (`cut`)."""


class PiecesError(ValueError):
    """This is no body of pieces; the message says why, without its content."""


class PieceHeader(BaseModel):
    """Which bytes of which file of the room that asks."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    hearing: Name
    kind: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")]
    track: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._-]*$")] = ""
    index: Annotated[int, Limits(strict=True, ge=0, le=10_000_000)] = 0
    name: Annotated[str, Field(max_length=300)] = ""
    offset: Whole
    bytes: Whole
    length: Whole | None = None
    """Of the whole file, once it is known."""


class PieceAnswer(BaseModel):
    """What the center has of the file of one piece."""

    upload: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")]
    """The id by which the file is claimed; empty while there is none."""
    offset: Whole
    """How many bytes of the file are there, synced."""
    code: Code


class PieceAnswers(BaseModel):
    """The answer to a body."""

    pieces: Annotated[list[PieceAnswer], Field(max_length=MAX_PIECES)]


def pack_piece(header: PieceHeader) -> bytes:
    """What stands before the bytes of a piece; `PiecesError` for a name that is too long to be sent."""
    text = header.model_dump_json(exclude_none=True).encode()
    if len(text) > MAX_HEADER_BYTES:
        raise PiecesError("the name of a file is too long to be sent")
    return _SIZE.pack(len(text)) + text


def pack_pieces(pieces: Iterable[tuple[PieceHeader, bytes]]) -> bytes:
    """A body; each header says how many bytes follow it."""
    return b"".join([MAGIC, *(part for header, data in pieces for part in (pack_piece(header), data))])


@dataclass(frozen=True, slots=True)
class PieceStretch:
    """Bytes of a piece that have come: all of it, or what came before and after the reader was emptied."""

    number: int
    """Of the piece, in the order of the body."""
    header: PieceHeader
    offset: int
    """In the file."""
    data: list[memoryview]

    @property
    def bytes(self) -> int:
        """How many they are."""
        return sum(len(part) for part in self.data)


@dataclass(slots=True)
class _Begun:
    number: int
    header: PieceHeader | None
    """None: refused, and its bytes are thrown away as they come."""
    left: int
    offset: int
    data: list[memoryview] = field(default_factory=list)


class PieceReader:
    """A body in, in any cut; the stretches of its pieces out. It holds what was fed and not taken, and one header."""

    def __init__(self, judge: Callable[[PieceHeader], bool]) -> None:
        """`judge` says of each header, before any of its bytes is kept, whether it is taken."""
        self._judge = judge
        self._head = bytearray()
        self._wanted = len(MAGIC)
        self._step: Callable[[bytes], None] = self._magic
        self._begun: _Begun | None = None
        self._whole: list[_Begun] = []
        self.is_begun = False
        """Whether what came begins as a body of pieces."""
        self.refused: set[int] = set()
        """Numbers of pieces that are not taken."""
        self.count = 0
        """Pieces whose header has come."""
        self.held_bytes = 0
        """What was fed and not taken yet."""

    @property
    def unfinished(self) -> int | None:
        """The number of the piece of which bytes are still to come."""
        return None if self._begun is None else self._begun.number

    def feed(self, data: bytes) -> None:
        """Take what has come; `PiecesError`, and then this reader is of no more use."""
        view, at = memoryview(data), 0
        while at < len(view):
            if self._begun is not None:
                part = view[at : at + self._begun.left]
                at += len(part)
                self._body(self._begun, part)
                continue
            part = view[at : at + self._wanted - len(self._head)]
            at += len(part)
            self._head += part
            if len(self._head) == self._wanted:
                head = bytes(self._head)
                self._head.clear()
                self._step(head)

    def take(self) -> list[PieceStretch]:
        """What came since the last time, in order; the reader forgets it. An empty piece is a stretch without bytes."""
        begun = self._whole + ([] if self._begun is None or not self._begun.data else [self._begun])
        found = [PieceStretch(b.number, b.header, b.offset, b.data) for b in begun if b.header is not None]
        if self._begun is not None:
            self._begun.offset += sum(len(part) for part in self._begun.data)
            self._begun.data = []
        self._whole = []
        self.held_bytes = 0
        return found

    def refuse(self, numbers: Iterable[int]) -> None:
        """Throw away what still comes of these pieces: what came of them before was not taken."""
        self.refused.update(numbers)
        if self._begun is not None and self._begun.number in self.refused:
            self._begun.header = None
            self._begun.data = []

    def _magic(self, head: bytes) -> None:
        if head != MAGIC:
            raise PiecesError("it does not begin as one")
        self.is_begun = True
        self._next()

    def _next(self) -> None:
        self._wanted, self._step = _SIZE.size, self._size

    def _size(self, head: bytes) -> None:
        (size,) = _SIZE.unpack(head)
        if not 0 < size <= MAX_HEADER_BYTES:
            raise PiecesError(f"the header of a piece has {size} bytes")
        if self.count >= MAX_PIECES:
            raise PiecesError(f"there are more than {MAX_PIECES} pieces")
        self._wanted, self._step = size, self._header

    def _header(self, head: bytes) -> None:
        try:
            value = read_strict(head, limit=MAX_HEADER_BYTES)
        except UnreadableError as error:
            raise PiecesError(f"the header of a piece cannot be read: {error}") from error
        count = value.get("bytes") if isinstance(value, dict) else None
        # Where the next piece begins must be known, whatever else is wrong with this one.
        if type(count) is not int or not 0 <= count <= MAX_BODY_BYTES:
            raise PiecesError("the header of a piece does not say how many bytes follow")
        number = self.count
        self.count += 1
        try:
            header = PieceHeader.model_validate(value)
        except ValidationError:
            header = None
        if header is None or header.offset + count > INT64 or not self._judge(header):
            header = None
            self.refused.add(number)
        begun = _Begun(number, header, count, 0 if header is None else header.offset)
        self._next()
        if count:
            self._begun = begun
        elif header is not None:
            self._whole.append(begun)

    def _body(self, begun: _Begun, part: memoryview) -> None:
        begun.left -= len(part)
        if begun.header is not None:
            begun.data.append(part)
            self.held_bytes += len(part)
        if begun.left == 0:
            self._begun = None
            if begun.header is not None and begun.data:
                self._whole.append(begun)
