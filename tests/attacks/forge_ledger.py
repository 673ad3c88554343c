"""Attacks on the ledger: leaves, proofs, checkpoints, keys and certificates."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.ledger import keys
from sync.ledger import note as notes
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.note import Note, read_note
from sync.ledger.tree import Tree, leaf_hash, node_hash
from tests.attacks.forge_folder import Forgery, b64, body, proofs, write_proofs
from tests.support.exports.honest_room import OPENED_UTC_NS, ROOM, Center, S
from wutong.export import forms


def device_key_changed(f: Forgery) -> None:
    """6: from the middle of the hearing on, another key signs in the device's name."""
    other, changed = Ed25519PrivateKey.generate(), []
    points = f.checkpoints
    for place, text in enumerate(points):
        note = read_note(text)
        if place < len(points) // 2:
            changed.append(text)
        else:
            changed.append(f.center.witness(notes.sign(note.text, ROOM, other).to_text(), OPENED_UTC_NS // S + 60))
    f.checkpoints = changed


def tail_cut(f: Forgery) -> None:
    """7: all after an earlier checkpoint is gone, the rest is consistent."""
    points = f.checkpoints[:3]
    size = Checkpoint.from_text(read_note(points[-1]).text).size
    f.checkpoints = points
    f.leaves = f.leaves[:size]
    for path in [*f.folder.glob("media/*/*.mp4")]:
        f.remove(path.relative_to(f.folder).as_posix())
    f.derive()


def tail_cut_with_forged_seal(f: Forgery) -> None:
    """8: the cut ledger gets a seal that adds up, and the signatures of an older checkpoint."""
    seal, close = f.events[-1], next(e for e in f.events if e.kind == "close")
    tail_cut(f)
    last = f.events[-1]
    more = [replace(close, number=last.number + 1), replace(seal, number=last.number + 2)]
    f.leaves = [*f.leaves, *(leaf_of(event) for event in more)]
    f.reseal()
    tree = Tree()
    for leaf in f.leaves:
        tree.append(leaf_hash(leaf))
    note = read_note(f.checkpoints[-1])
    head = replace(Checkpoint.from_text(note.text), size=tree.size, root=tree.root(), last_number=last.number + 2)
    f.checkpoints = [*f.checkpoints, Note(head.to_text(), note.lines).to_text()]
    f.derive()


def proof_too_long(f: Forgery) -> None:
    """10"""
    values = proofs(f)
    values[3]["path"].append(b64(bytes(32)))
    write_proofs(f, values)


def proof_too_short(f: Forgery) -> None:
    """10"""
    values = proofs(f)
    values[3]["path"].pop()
    write_proofs(f, values)


def proof_with_wrong_index(f: Forgery) -> None:
    """10"""
    values = proofs(f)
    values[3]["index"] = values[4]["index"] - (1 if values[4]["index"] - 1 > values[3]["index"] else 0)
    write_proofs(f, values)


def proof_with_wrong_size(f: Forgery) -> None:
    """10"""
    values = proofs(f)
    values[0]["size"] += 1
    write_proofs(f, values)


def inner_node_as_leaf(f: Forgery) -> None:
    """11: the two hashes below an inner node are given for a leaf, with the rest of the path above them."""
    values, leaves = proofs(f), f.leaves
    sibling = base64.b64decode(values[0]["path"][0])
    own = leaf_hash(leaves[0])
    assert node_hash(own, sibling)  # the node that is given for a leaf
    values[0]["path"] = values[0]["path"][1:]
    write_proofs(f, values)
    f.leaves = [(own + sibling).replace(b"\n", b"\x0b"), *leaves[1:]]


def old_checkpoint_last(f: Forgery) -> None:
    """14: an older head stands where the newest belongs."""
    f.checkpoints = [*f.checkpoints, f.checkpoints[1]]


def newest_checkpoints_dropped(f: Forgery) -> None:
    """14: only older heads are left."""
    f.checkpoints = f.checkpoints[:2]
    f.derive()


def fork(f: Forgery) -> None:
    """15: the device's key signed two records of one length, and the center both (it would refuse)."""
    points = f.checkpoints
    head = Checkpoint.from_text(read_note(points[-1]).text)
    other = replace(head, root=bytes(32))
    signed = notes.sign(other.to_text(), ROOM, f.device).to_text()
    f.checkpoints = [*points[:-1], f.center.witness(signed, head.utc_ns // S + 1), points[-1]]


def leaf_of_another_hearing(f: Forgery) -> None:
    """16"""
    f.edit("mark", lambda event: replace(event, hearing="20240302-093000-bbbb0002"))


def checkpoint_of_another_hearing(f: Forgery) -> None:
    """16: signed by this device, for another hearing."""
    points = f.checkpoints
    head = replace(Checkpoint.from_text(read_note(points[-1]).text), hearing="20240302-093000-bbbb0002")
    f.checkpoints = [*points[:-1], f.center.witness(notes.sign(head.to_text(), ROOM, f.device).to_text(), 1)]


def signatures_stripped(f: Forgery) -> None:
    """17: nothing is false, nothing is signed."""
    f.checkpoints = [read_note(text).text for text in f.checkpoints]
    f.remove(forms.SIGNATURE)
    f.remove(forms.DEVICE)


def cosignature_stripped(f: Forgery) -> None:
    """17: only the center's word is taken away."""
    stripped = []
    for text in f.checkpoints:
        note = read_note(text)
        stripped.append(Note(note.text, tuple(line for line in note.lines if line[0] == ROOM)).to_text())
    f.checkpoints = stripped


def cosignature_false(f: Forgery) -> None:
    """17: the center's line over another text."""
    points = f.checkpoints
    first, last = read_note(points[0]), read_note(points[-1])
    lines = [line for line in last.lines if line[0] == ROOM] + [line for line in first.lines if line[0] != ROOM]
    f.checkpoints = [*points[:-1], Note(last.text, tuple(lines)).to_text()]


def exhibit_moment_moved(f: Forgery) -> None:
    """21"""
    f.edit("present", lambda event: replace(event, room_ns=event.room_ns + S // 2, utc_ns=event.utc_ns + S // 2))
    f.reseal()
    f.derive()


def mark_changed_and_resealed(f: Forgery) -> None:
    """Everything that needs no key fits again; only the signed root does not."""
    f.edit("mark", lambda event: body(event, text="借条复印件"))
    f.reseal()
    f.derive()


def self_signed_root(f: Forgery) -> None:
    """24: a center of the attacker's own has certified and countersigned everything."""
    false_center, false_device = Center(Ed25519PrivateKey.generate()), Ed25519PrivateKey.generate()
    at = dt.datetime.fromtimestamp(OPENED_UTC_NS / S - 86_400, dt.UTC)
    request = keys.certificate_request(false_device, ROOM)
    f.write(forms.DEVICE, keys.issue(request, ROOM, false_center.key, at))
    f.center, f.device, honest = false_center, false_device, f.center
    f.edit("mark", lambda event: body(event, text="无"))
    f.resign()
    f.center = honest
