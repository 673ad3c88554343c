"""The center's configuration and its database, from nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import BaseModel

from server.config import Config, load_config
from server.store import tables
from server.store.database import open_database
from sync.errors import ConfigError
from sync.http.rights.people import write_private
from tests.support.peers.center_peers import config_text


def test_a_configuration_is_read_and_its_paths_are_its_folders(tmp_path: Path) -> None:
    write_private(tmp_path / "t", "x" * 32)
    file = tmp_path / "center.toml"
    file.write_text('[storage]\ndata = "store"\n[[rooms]]\ncourt = "a"\nroom = "b"\ntoken_file = "t"\n')
    config = load_config(file)
    assert config.storage.data == tmp_path / "store"
    assert config.database_url == f"sqlite:///{tmp_path}/store/center.db"
    assert list(config.token_hashes().values()) == ["a/b"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "storage"),
        ("[storage", "格式不对"),
        ('[storage]\ndata = "d"\ndata_dir = "x"', "data_dir"),
        ('[storage]\ndata = "d"\n[[rooms]]\ncourt = "A B"\nroom = "b"\ntoken_sha256 = ""', "rooms"),
        ('[storage]\ndata = "d"\n[[rooms]]\ncourt = "a"\nroom = "b"\ntoken_sha256 = "0"', "token"),
        ('[storage]\ndata = "d"\n[web]\nport = 99999', "web.port"),
        ('[storage]\ndata = "d"\n[mqtt]\nbrokers = ["a"]', "names no port"),
        ('[storage]\ndata = "d"\n[mqtt]\nbrokers = ["a:0"]', "no port from 1"),
        ('[storage]\ndata = "d"\n[mqtt]\nbrokers = ["a_b c:1"]', "is no host"),
        ('[storage]\ndata = "d"\n[mqtt]\nbrokers = ["a:1"]\nhost = "b"', "in place of mqtt.host"),
        ('[storage]\ndata = "d"\n[mqtt]\nkind = "nats"', "mqtt.tls = true"),
        ('[storage]\ndata = "d"\n[mqtt]\nkind = "rabbit"', "mqtt.kind"),
    ],
)
def test_a_wrong_configuration_says_where(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "center.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says):
        load_config(file)


def test_the_machines_of_a_broker_are_tried_in_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "center.toml"
    start = '[storage]\ndata = "d"\n[mqtt]\n'
    file.write_text(start + 'brokers = ["Broker1.Court.example:8883", "[::1]:1883", "10.0.0.7:8883"]\n')
    mqtt = load_config(file).mqtt
    assert mqtt.places == [("broker1.court.example", 8883), ("::1", 1883), ("10.0.0.7", 8883)]
    assert mqtt.by_certificate, "one of them is another machine"
    file.write_text(start + 'brokers = ["127.0.0.1:1883", "localhost:1884"]\n')
    assert not load_config(file).mqtt.by_certificate
    file.write_text(start)
    assert load_config(file).mqtt.places == [("127.0.0.1", 1883)]
    file.write_text(start + 'brokers = ["127.0.0.1:1883", "far.example:1884"]\ntls = false\n')
    (wire,) = load_config(file).plain_wires()
    assert (wire.setting, wire.value) == ("mqtt.brokers", "far.example")


@pytest.mark.parametrize(("token", "says"), [("short", "too short"), (None, "cannot be read")])
def test_a_bad_token_file_says_what_is_wrong(tmp_path: Path, token: str | None, says: str) -> None:
    file = tmp_path / "center.toml"
    file.write_text('[storage]\ndata = "d"\n[[rooms]]\ncourt = "a"\nroom = "b"\ntoken_file = "t"\n')
    if token is not None:
        write_private(tmp_path / "t", token)
    with pytest.raises(ConfigError, match=says):
        load_config(file).token_hashes()


def test_a_token_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "center.toml"
    file.write_text('[storage]\ndata = "d"\n[[rooms]]\ncourt = "a"\nroom = "b"\ntoken_file = "t"\n')
    (tmp_path / "t").write_text("x" * 32)
    (tmp_path / "t").chmod(0o644)
    with pytest.raises(ConfigError, match="open to everybody"):
        load_config(file).token_hashes()


def test_two_rooms_may_not_share_a_token(tmp_path: Path) -> None:
    file = tmp_path / "center.toml"
    file.write_text(config_text(tmp_path / "d", 1883))
    for token in (tmp_path / "d").glob("*.token"):
        token.write_text("the same token for both rooms")
    with pytest.raises(ConfigError, match="share a token"):
        load_config(file).token_hashes()


def _described(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        inner = [a for a in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(a, type)]
        parts = [a for a in inner if issubclass(a, BaseModel)]
        assert field.description or parts, f"{model.__name__}.{name} is not described"
        for part in parts:
            _described(part)


def test_every_field_is_described() -> None:
    _described(Config)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
async def test_the_migrations_make_exactly_the_tables(database_url: str) -> None:
    database = open_database(database_url)
    opts = {"include_name": _is_ours, "include_object": _is_compared, "compare_type": True}
    try:
        differences = await database.read(
            lambda c: compare_metadata(MigrationContext.configure(c, opts=opts), tables.metadata)
        )
        assert differences == []
    finally:
        database.close()
    open_database(database_url).close()  # a second start finds nothing to do


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'new' / 'center.db'}").close()
    assert (tmp_path / "new" / "center.db").is_file()


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """What is in only one of the two databases: months and numbers of events, and the index of words."""
    if kind == "table":
        return name in _OURS
    return name not in ("grams", "utterances_grams")


def _is_compared(_: object, name: str | None, kind: str, *__: object) -> bool:
    """An index of an expression is not, on SQLite; what these are for is asked in tests/server/store/archive."""
    return kind != "index" or name not in _OF_EXPRESSIONS


_OURS = set(tables.metadata.tables)
_OF_EXPRESSIONS = {
    *("hearings_newest", "hearings_room", "hearings_state"),  # of a column backwards
    *("hearings_court_part", "hearings_room_part", "hearings_grams"),
}


def test_a_database_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "center.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(ConfigError, match="database"):
        open_database(f"sqlite:///{tmp_path / 'center.db'}")
    with pytest.raises(ConfigError, match="database"):
        open_database("nonsense://x")
