"""A whole Wutong for the browser's tests: the real `wutong demo` on ports of its own, conducted by the tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from wutong.bench.browser import ARGUMENTS, find_chromium

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


@dataclass(frozen=True)
class Demo:
    """A running demo: its `demo.json` and the process."""

    summary: dict[str, Any]
    process: subprocess.Popen[str]
    data: Path

    @property
    def room(self) -> dict[str, Any]:
        """Addresses and codes of the first room."""
        first = self.summary["rooms"][0]
        assert isinstance(first, dict)
        return first


def free_port_base() -> int:
    """A port with the next dozen free as well."""
    for base in range(21000 + os.getpid() % 500 * 20, 60000, 20):
        probes = [socket.socket() for _ in range(13)]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("127.0.0.1", base + offset))
            return base
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise RuntimeError("no free ports")


def run_demo(data: Path, *options: str) -> Iterator[Demo]:
    """Start `wutong demo`, wait until it serves, and stop it by Ctrl-C."""
    base = free_port_base()
    command = [
        sys.executable,
        "-m",
        "wutong",
        "demo",
        "--headless",
        "--data",
        str(data),
        "--port-base",
        str(base),
        *options,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 90
        while not (data / "demo.json").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "the demo does not serve"
            time.sleep(0.1)  # another process's file: there is no event to wait for
        yield Demo(json.loads((data / "demo.json").read_text(encoding="utf-8")), process, data)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo in which the test is the clerk; fresh for each test module."""
    yield from run_demo(tmp_path_factory.mktemp("demo"), "--manual")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all browser tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of the panel's size; script errors fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True, locale="zh-CN")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def screenshot(page: Page, name: str, tmp_path: Path) -> None:
    """Keep a picture of the page: in docs/images with WUTONG_SCREENSHOTS=1, else among the test's own files."""
    folder = IMAGES if os.environ.get("WUTONG_SCREENSHOTS") == "1" else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"))
