from __future__ import annotations

from tests.support.peers.seaweed_server import bucket_keys, seaweed

__all__ = ["bucket_keys", "seaweed"]
