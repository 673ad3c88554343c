"""A pass from process to process: what was sealed comes out, and nothing else opens."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from server.config import Config, StoreSettings, Web
from server.leases.center_process import as_process
from server.leases.forward_pass import MAX_PASS_CHARS, ForwardPass, PassSealer
from sync.errors import ConfigError
from sync.http.monitoring.settings import MetricsSettings
from sync.tls.certificates import PeerIdentity

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEER = PeerIdentity("court1/c03", 2**150 + 7, dt.datetime(2027, 3, 1, tzinfo=dt.UTC))
HERE = "https://127.0.0.1:8802"


def a_pass(peer: PeerIdentity | None = PEER) -> ForwardPass:
    return ForwardPass.of(HERE, "POST", "/api/pieces?x=1", peer)


@pytest.mark.parametrize("peer", [PEER, None])
def test_what_was_sealed_comes_out(peer: PeerIdentity | None) -> None:
    opened = PassSealer(KEY).open(PassSealer(KEY).seal(a_pass(peer)))
    assert opened == a_pass(peer)
    assert opened is not None
    assert opened.identity == peer


def test_a_pass_of_another_center_opens_nothing() -> None:
    other = PassSealer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert PassSealer(KEY).open(other.seal(a_pass())) is None


@given(at=st.integers(0, 400), other=st.integers(0, 127))
def test_a_pass_that_was_changed_anywhere_opens_nothing(at: int, other: int) -> None:
    sealed = PassSealer(KEY).seal(a_pass())
    at %= len(sealed)
    if sealed[at] != chr(other):
        assert PassSealer(KEY).open(sealed[:at] + chr(other) + sealed[at + 1 :]) is None


@given(st.text(max_size=200))
def test_what_is_no_pass_opens_nothing(text: str) -> None:
    assert PassSealer(KEY).open(text) is None


def test_a_pass_that_is_too_long_is_not_looked_at() -> None:
    sealer = PassSealer(KEY)
    long = ForwardPass.of(HERE, "POST", "/" + "a" * 500, PEER)
    assert sealer.open(sealer.seal(long)) == long
    assert sealer.open("A" * MAX_PASS_CHARS + sealer.seal(a_pass())) is None


def config(**web: object) -> Config:
    return Config(
        web=Web.model_validate({"port": 8800, **web}),
        storage=StoreSettings.model_validate({"data": "data", "database": "postgresql://center@127.0.0.1/center"}),
    )


def test_a_process_listens_behind_the_center_s_port_and_has_a_name_for_each_life() -> None:
    found, mine = as_process(config(), 3)
    assert found.web.port == 8803
    assert mine.address == "http://127.0.0.1:8803"
    assert mine.account("center") == "center-3"
    assert as_process(config(), 3)[1].name != mine.name
    assert found.metrics.port == 0, "what nobody asked for does not listen"


def test_several_processes_say_what_they_need() -> None:
    alone = config().model_copy(update={"storage": StoreSettings.model_validate({"data": "data"})})
    with pytest.raises(ConfigError, match="PostgreSQL"):
        as_process(alone, 1)
    near = config().model_copy(update={"metrics": MetricsSettings.model_validate({"port": 8801})})
    with pytest.raises(ConfigError, match=r"set metrics\.port to 8900"):
        as_process(near, 1)
    apart = config().model_copy(update={"metrics": MetricsSettings.model_validate({"port": 8900})})
    assert as_process(apart, 64)[0].metrics.port == 8964
    for number in (0, -1, 65):
        with pytest.raises(ConfigError, match="number"):
            as_process(config(), number)
    with pytest.raises(ConfigError, match="TLS"):
        as_process(config(), 1, "10.0.0.7")
    assert as_process(config(host="0.0.0.0"), 1, "10.0.0.7")[1].address == "https://10.0.0.7:8801"
    assert as_process(config(host="0.0.0.0"), 1)[1].address == "https://127.0.0.1:8801"
