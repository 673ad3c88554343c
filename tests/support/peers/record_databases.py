"""The databases that a center can have, for tests that hold for each: fixtures, for whoever names them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.files.migrated import new_store
from tests.support.peers.postgres_server import PostgresServer, migrated_database

ENGINES = ("sqlite", "postgresql")
BOTH = "both_databases"
"""The marker of tests whose center (`served`) has the one, then the other."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store of a center is, on each."""
    if request.param == "sqlite":
        return f"sqlite:///{new_store(tmp_path / 'center.db')}"
    return migrated_database(request.getfixturevalue("postgres"))


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    """What `served` has for its `storage.database`: nothing, which is SQLite, or a PostgreSQL."""
    if getattr(request, "param", ENGINES[0]) == "sqlite":
        return ""
    return migrated_database(request.getfixturevalue("postgres"))


def for_each_database(metafunc: pytest.Metafunc) -> None:
    """For a conftest's `pytest_generate_tests`."""
    if "store_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker(BOTH):
        metafunc.parametrize("store_url", ENGINES, indirect=True)
