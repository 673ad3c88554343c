"""One id for one thing that goes from a room to its center, as the logs of both name it (`id=`).

Nothing is sent for it: each end makes the id of what it holds itself, a digest or the upload's own name. So the lines
of both agree, and an id tells nobody what it is of. Whoever searches the logs of both for one id finds what became of a
batch of events, a file, an upload or a checkpoint.
"""

from __future__ import annotations

from typing import Final

CHARACTERS: Final = 16
"""64 bits of a digest: enough to be one of a kind in all logs of a court."""


def batch_id(digest: str) -> str:
    """Of a signed batch of events, by the SHA-256 (hex) of its text; of an unsigned event, which has none, empty."""
    return f"batch-{digest[:CHARACTERS]}" if digest else ""


def file_id(sha256: str) -> str:
    """Of a file that is claimed, by its SHA-256 (hex)."""
    return f"file-{sha256[:CHARACTERS]}"


def upload_id(name: str) -> str:
    """Of an upload, by the name that the center has given it; empty for none."""
    return f"upload-{name[:CHARACTERS]}" if name else ""


def checkpoint_id(digest: str) -> str:
    """Of a checkpoint, by the SHA-256 (hex) of its note's text, whoever has signed it."""
    return f"checkpoint-{digest[:CHARACTERS]}"
