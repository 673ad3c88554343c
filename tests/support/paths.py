"""Where things lie for tests, wherever a test itself lies."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The top of the tree."""
HEARING = ROOT / "hardware" / "hearing"
"""The bundled hearing."""
IMAGES = ROOT / "docs" / "images"
UNITS = ROOT / "systemd"
SHARED = ROOT.parent / "shared"
"""Recordings that are not in the tree; tests that need them are skipped without."""
