"""The honest exports of tests/attacks."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "attacks"))

from honest_exports import authority, center, forge, honest, media, place

__all__ = ["authority", "center", "forge", "honest", "media", "place"]
