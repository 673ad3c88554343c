"""XML from strangers, read strictly: what cameras answer by ONVIF and by WS-Discovery.

Refused, with `ValueError`: what is no UTF-8, what declares document types or entities, more bytes or elements than an
honest answer has. Elements are known by their own names alone, since makers write other versions of the namespaces.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

MOST_ELEMENTS = 20_000
MOST_TEXT = 1_000
_DECLARED = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def read_xml(data: bytes, most_bytes: int) -> list[ElementTree.Element]:
    """All elements of a document of at most `most_bytes`, in its order."""
    if len(data) > most_bytes:
        raise ValueError("the answer has no end")
    text = data.decode("utf-8")
    if _DECLARED.search(text):
        raise ValueError("the answer declares a document type")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (no types, no entities, bounded)
    except ElementTree.ParseError as error:
        raise ValueError("the answer is no XML") from error
    elements = list(root.iter())
    if len(elements) > MOST_ELEMENTS:
        raise ValueError("the answer has too many parts")
    return elements


def name_of(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text_of(element: ElementTree.Element) -> str:
    """The beginning of its text."""
    return (element.text or "")[:MOST_TEXT]
