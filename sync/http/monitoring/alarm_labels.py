"""Codes of alarms as labels: only those that the product has, since what a room says of itself may be anything."""

from __future__ import annotations

from typing import Final

OTHER: Final = "other"
ALARM_LABELS: Final = frozenset(
    {
        "another-camera",
        "authority",
        "black",
        "case-kind",
        "clipping",
        "compatible",
        "conflict",
        "copy",
        "disk",
        "emergency-code",
        "failed",
        "flood",
        "foreign",
        "fork",
        "frozen",
        "log",
        "malformed",
        "not-enrolled",
        "not-recorded",
        "not-recording",
        "plain",
        "program",
        "readback",
        "selftest",
        "signature",
        "signer",
        "silence",
        "slow-picture",
        "source",
        "transcriber",
        "twice",
        "undecodable",
        "unreadable",
        "unfit",
        "unsealed",
        "unsigned",
        "volume",
        "write",
    }
)
"""The table of docs/operations.md, "Alarms"."""


def alarm_label(code: object) -> str:
    """The label of an alarm's code."""
    return code if isinstance(code, str) and code in ALARM_LABELS else OTHER
