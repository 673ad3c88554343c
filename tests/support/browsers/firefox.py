"""Debian's Firefox ESR without a window, driven over WebDriver BiDi, the protocol that it speaks by itself."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PREFERENCES = {
    "media.autoplay.default": 0,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
}
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
START_S = 60


class FirefoxError(Exception):
    """Firefox refused a command, or a script on the page failed."""


class Firefox:
    """One running Firefox: a command at a time."""

    def __init__(self, socket: ClientConnection, version: str) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.version = version

    def ask(self, method: str, **params: Any) -> Any:
        """Send one command and wait for its answer; events in between are dropped."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=120))
            if answer.get("id") != number:
                continue
            if answer["type"] == "error":
                raise FirefoxError(f"{method}: {answer['message']}")
            return answer["result"]

    def before_each_page(self, function: str) -> None:
        """Run `function` (JavaScript) in each page that is opened from now on, before its own scripts."""
        self.ask("script.addPreloadScript", functionDeclaration=function)

    def page(self, width: int = 1280, height: int = 800) -> FirefoxPage:
        """A new tab."""
        context = self.ask("browsingContext.create", type="tab")["context"]
        self.ask("browsingContext.setViewport", context=context, viewport={"width": width, "height": height})
        return FirefoxPage(self, context)


@dataclass(frozen=True)
class FirefoxPage:
    """A tab."""

    firefox: Firefox
    context: str

    def goto(self, url: str) -> None:
        """Open `url` and wait until it is loaded."""
        self.firefox.ask("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives; it goes through JSON, and a promise is waited for."""
        answer = self.firefox.ask(
            "script.callFunction",
            functionDeclaration=f"async () => JSON.stringify(await ({expression}) ?? null)",
            awaitPromise=True,
            target={"context": self.context},
        )
        if answer["type"] == "exception":
            raise FirefoxError(f"{expression}: {answer['exceptionDetails']['text']}")
        return json.loads(answer["result"]["value"])

    def until(self, expression: str, patience_s: float = 60) -> Any:
        """Ask again until the expression gives something true."""
        deadline = time.monotonic() + patience_s
        while not (found := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"{expression} on a page that says: {self.text()[:600]}"
            time.sleep(0.2)  # another process's state: there is no event to wait for
        return found

    def text(self) -> str:
        """The words on the page."""
        return str(self.evaluate("document.body.innerText"))

    def type(self, selector: str, text: str) -> None:
        """Put the focus into a field and press the keys."""
        self.until(f"document.querySelector({json.dumps(selector)}) !== null")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.firefox.ask(
            "input.performActions", context=self.context, actions=[{"type": "key", "id": "keys", "actions": keys}]
        )

    def press(self, words: str) -> None:
        """Press the button with these words as soon as it can be pressed."""
        find = f"[...document.querySelectorAll('button')].find((b) => b.innerText.trim() === {json.dumps(words)})"
        self.until(f"{find}?.disabled === false")
        self.evaluate(f"{find}.click()")

    def screenshot(self, path: Path) -> None:
        """A picture of the page."""
        answer = self.firefox.ask("browsingContext.captureScreenshot", context=self.context)
        path.write_bytes(base64.b64decode(answer["data"]))


def find_firefox() -> str | None:
    """Path of an installed Firefox, Debian's first."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start Firefox with a profile of its own in `folder`, and end it."""
    path = find_firefox()
    assert path is not None, "Firefox is missing; run make setup SET=tests, or apt install firefox-esr"
    profile = folder / "profile"
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    log = folder / "firefox.log"
    command = [
        path,
        "--headless",
        "--no-remote",
        "--remote-debugging-port",
        "0",
        "--profile",
        str(profile),
        "about:blank",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(folder)}
        )
    try:
        with connect(_address(process, log) + "/session", max_size=None) as socket:
            driven = Firefox(socket, "")
            driven.version = str(driven.ask("session.new", capabilities={})["capabilities"]["browserVersion"])
            yield driven
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_S
    while (found := LISTENS.search(log.read_text(encoding="utf-8", errors="replace"))) is None:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        assert time.monotonic() < deadline, "Firefox does not listen"
        time.sleep(0.1)  # another process's file: there is no event to wait for
    return found[1]
