"""A center in this process at a real broker, for the faults of the way between room and center."""

from __future__ import annotations

from tests.support.peers.center_fixtures import broker_port, served

__all__ = ["broker_port", "served"]
