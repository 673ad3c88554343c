"""A copy of an export for an attacker to work on. What needs no key he can make again: index, transcript, certificate.

`sign` says who signs the index afterwards: nobody new (the old signature stays), or the exporter himself, who was given
a false record and signed it in good faith. `resign` is an attacker who holds the device's key, and a center that has
countersigned what he says: only the rules of a hearing are left to show him up.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.ledger import note as notes
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of, read_leaf
from sync.ledger.note import read_note
from sync.ledger.seal import totals
from sync.ledger.tree import Tree, leaf_hash
from sync.record.event import Event
from tests.support.exports.honest_room import ROOM, Center
from wutong.export import forms
from wutong.export.derived.files import derived_files
from wutong.verify.case import ExportCase
from wutong.verify.examine import Judgment, examine
from wutong.verify.steps import STEPS, Step

Attack = Callable[..., None]
"""What changes a `Forgery`; a few need more than it, such as an authority of time stamps."""


class Forgery:
    """A folder that may be changed; files are links to the honest ones until they are written."""

    def __init__(self, honest: Path, folder: Path, center: Center, device: Ed25519PrivateKey) -> None:
        self.folder, self.center, self.device = folder, center, device
        self.tsa_roots: Sequence[Any] = ()
        self.tsa_policy: str | None = None
        shutil.copytree(honest, folder, copy_function=os.link)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """A new file in the place of the link."""
        self.remove(name)
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def flip(self, name: str, place: float = 0.6) -> None:
        """One bit."""
        data = bytearray(self.read(name))
        data[int(len(data) * place)] ^= 1
        self.write(name, bytes(data))

    @property
    def leaves(self) -> list[bytes]:
        return self.read(forms.LEAVES).split(b"\n")[:-1]

    @leaves.setter
    def leaves(self, leaves: Sequence[bytes]) -> None:
        self.write(forms.LEAVES, b"".join(leaf + b"\n" for leaf in leaves))

    @property
    def events(self) -> list[Event]:
        return [read_leaf(leaf) for leaf in self.leaves]

    @property
    def checkpoints(self) -> list[str]:
        return [json.loads(line)["note"] for line in self.read(forms.CHECKPOINTS).splitlines()]

    @checkpoints.setter
    def checkpoints(self, notes_: Sequence[str]) -> None:
        self.write(forms.CHECKPOINTS, "".join(json.dumps({"note": n}) + "\n" for n in notes_).encode())

    def edit(self, kind: str, change: Callable[[Event], Event | None], nth: int = 0) -> None:
        """Change (or, with None, take away) the nth leaf of a kind; nothing else."""
        events, out = self.events, []
        for event in events:
            changed: Event | None = event
            if event.kind == kind:
                changed = change(event) if nth == 0 else event
                nth -= 1
            if changed is not None:
                out.append(leaf_of(changed))
        self.leaves = out

    def reseal(self, leaves: Sequence[bytes] | None = None) -> None:
        """Make the totals and root of the last leaf, the seal, agree with what stands before it: needs no key."""
        leaves = list(self.leaves if leaves is None else leaves)
        seal = read_leaf(leaves[-1])
        assert seal.kind == "seal"
        tree = Tree()
        for leaf in leaves[:-1]:
            tree.append(leaf_hash(leaf))
        events = [_loose(leaf) for leaf in leaves[:-1]]
        body = {**seal.body, "leaves": tree.size, "root": tree.root().hex(), **totals(events)}
        self.leaves = [*leaves[:-1], leaf_of(replace(seal, body=body))]

    def derive(self) -> None:
        """Transcript and certificate as the leaves now say."""
        events = [_loose(leaf) for leaf in self.leaves]
        last = Checkpoint.from_text(self.checkpoints[-1].split("\n\n")[0].rstrip("\n") + "\n")
        device = self.read(forms.DEVICE) if (self.folder / forms.DEVICE).exists() else None
        for name, data in derived_files(events, ROOM, last, device).items():
            self.write(name, data)

    def derive_as(self, form: str) -> None:
        """As an exporter of an earlier form would have written it."""
        events = [_loose(leaf) for leaf in self.leaves]
        last = Checkpoint.from_text(read_note(self.checkpoints[-1]).text)
        for name, data in derived_files(events, ROOM, last, self.read(forms.DEVICE), form=form).items():
            self.write(name, data)

    def reindex(self, *, sign: bool) -> None:
        """List what is here now; `sign`: the exporter signs it."""
        old = forms.Index.from_bytes(self.read(forms.INDEX))
        names = sorted(p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file())
        entries = [
            forms.Entry(name, len(data), hashlib.sha256(data).hexdigest())
            for name in names
            if name not in (forms.INDEX, forms.SIGNATURE)
            for data in [self.read(name)]
        ]
        index = replace(old, files=tuple(entries), leaves=len(self.leaves)).to_bytes()
        self.write(forms.INDEX, index)
        if sign:
            self.sign_index()

    def sign_index(self) -> None:
        index = self.read(forms.INDEX)
        hearing = str(json.loads(index)["hearing"])
        text = forms.note_text(ROOM, hearing, hashlib.sha256(index).hexdigest())
        self.write(forms.SIGNATURE, notes.sign(text, ROOM, self.device).to_text().encode())

    def resign(self, leaves: Sequence[bytes] | None = None) -> None:
        """The device signs the leaves as they are now, and the center has believed it."""
        if leaves is not None:
            self.leaves = leaves
        self.reseal()
        old = Checkpoint.from_text(read_note(self.checkpoints[-1]).text)
        tree = Tree()
        for leaf in self.leaves:
            tree.append(leaf_hash(leaf))
        number = _loose(self.leaves[-1]).number
        head = replace(old, size=tree.size, root=tree.root(), last_number=number)
        signed = notes.sign(head.to_text(), ROOM, self.device).to_text()
        self.checkpoints = [self.center.witness(signed, head.utc_ns // 10**9 + 1)]
        self.derive()
        self.reindex(sign=True)

    def judge(self, *, without: str | None = None, key: bool = True) -> Judgment:
        """What the verifier says; `without` one of its steps."""
        steps: list[Step] = [step for step in STEPS if step.name != without]
        public = self.center.key.public_key() if key else None
        return examine(ExportCase(self.folder, public, self.tsa_roots, self.tsa_policy), steps)


def body(event: Event, **changes: Any) -> Event:
    """The event with another body."""
    return replace(event, body={**event.body, **changes})


def proofs(forgery: Forgery) -> list[dict[str, Any]]:
    return [json.loads(line) for line in forgery.read(forms.PROOFS).splitlines()]


def write_proofs(forgery: Forgery, values: Sequence[dict[str, Any]]) -> None:
    forgery.write(forms.PROOFS, "".join(json.dumps(v) + "\n" for v in values).encode())


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _loose(leaf: bytes) -> Event:
    """As `ExportCase` reads what is not canonical."""
    from wutong.verify.case import _event

    event = _event(leaf)
    assert event is not None
    return event
