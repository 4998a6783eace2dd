"""Visitors without a browser beside tests that have one, whose driver has a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 60


class Apart:
    """A loop in a thread of its own."""

    def __enter__(self) -> Apart:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        return self

    def do(self, deed: Coroutine[Any, Any, T]) -> T:
        """What comes of it, once it is done."""
        return asyncio.run_coroutine_threadsafe(deed, self._loop).result(PATIENCE)

    def __exit__(self, *fault: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def awaited(deed: Coroutine[Any, Any, T]) -> T:
    """What comes of it, run in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, deed).result()
