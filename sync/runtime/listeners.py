"""Whom something tells of what becomes of it. It needs none of them: they come later, and leave when they like."""

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

    def remove(self, callback: Callable[P, object]) -> None:
        """Call it no more; whoever never came is no error."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def notify(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell all of them."""
        for callback in tuple(self._callbacks):
            callback(*args, **kwargs)
