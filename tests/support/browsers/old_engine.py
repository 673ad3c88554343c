"""What the least browsers do not have, taken out of a newer one: web/browsers/newer.js says what that is."""

from __future__ import annotations

import json
import subprocess

from tests.support.paths import ROOT

REMOVE = """(names) => {
    for (const [owner, name, where] of names) {
        const object = owner === '' ? globalThis : globalThis[owner];
        if (object === undefined || object === null) continue;
        if (where !== 'prototype') Reflect.deleteProperty(object, name);
        if (where !== 'object' && object.prototype) Reflect.deleteProperty(object.prototype, name);
    }
}"""


def newer_members() -> list[tuple[str, str, str]]:
    """(object, name, where) of what scripts can use and one of the least browsers has not, as newer.js writes it."""
    done = subprocess.run(["node", "browsers/newer.js"], cwd=ROOT / "web", capture_output=True, text=True, check=True)
    return [(owner, name, where) for owner, name, where in json.loads(done.stdout)]


def removal() -> str:
    """A script that takes it all away, for a page to run before its own."""
    return f"({REMOVE})({json.dumps(newer_members())})"
