"""Whom something tells of what becomes of it. It needs none of them: they come later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Listeners(Generic[P]):
    """Callbacks that are called one after the other, in the order in which they came. None of them may block."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[P, object]] = []

    def add(self, callback: Callable[P, object]) -> None:
        """Call `callback` from now on."""
        self._callbacks.append(callback)

    def notify(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell all of them."""
        for callback in self._callbacks:
            callback(*args, **kwargs)
