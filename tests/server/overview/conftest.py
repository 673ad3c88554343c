from __future__ import annotations

from tests.support.peers.record_databases import database_url, postgres

__all__ = ["database_url", "postgres"]
