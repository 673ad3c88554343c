"""The center's way to its broker: one account for the only process, an account of its own for each of several."""

from __future__ import annotations

from server.config import Config
from server.ingest.mqtt import CenterBroker
from server.leases.center_process import CenterProcess
from server.tls.court import CourtAuthority
from sync.broker_address import BrokerAddress
from sync.broker_client import unguessable_client_id
from sync.tls.identity import TlsIdentity
from sync.tls.names import CENTER


def broker_account(mine: CenterProcess | None) -> str:
    """The name in the certificate by which this process comes to its broker."""
    return CENTER if mine is None else mine.account(CENTER)


def open_broker(
    config: Config, court: CourtAuthority, mine: CenterProcess | None
) -> tuple[CenterBroker, TlsIdentity | None]:
    """The broker's line, not connected yet, and the certificate that is shown there; None where a password is.

    One of several processes hears nothing that it does not ask for."""
    mqtt = config.mqtt
    username = mqtt.username if mine is None or not mqtt.username else mine.account(mqtt.username)
    # A broker of ours takes the account's name for the client id in any case. Any other may have known an earlier life
    # of this process, or one of another machine: no two have a name in common.
    client_id = username if username and mine is None else unguessable_client_id("wutong-center")
    shown = TlsIdentity(court.files) if mqtt.by_certificate else None
    tls = None if shown is None else shown.context
    password = config.mqtt_password()
    address = BrokerAddress.of(mqtt.places, client_id, username=username, password=password, tls=tls)
    # NATS counts what may be unacknowledged for each subscription of quality 1, and has 65,535 for a connection: it
    # refuses the seventeenth. What comes at quality 0 and is lost is said again, as everything that is not receipted.
    return CenterBroker(address, hears_all=mine is None, most_qos=0 if mqtt.kind == "nats" else 1), shown
