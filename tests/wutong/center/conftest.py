from __future__ import annotations

from tests.support.peers.record_databases import postgres

__all__ = ["postgres"]
