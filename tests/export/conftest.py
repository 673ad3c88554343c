"""The honest exports of tests/attacks."""

from tests.support.exports.honest_exports import authority, center, forge, honest, media, place

__all__ = ["authority", "center", "forge", "honest", "media", "place"]
