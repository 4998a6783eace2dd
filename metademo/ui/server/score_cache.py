"""Results of long computations, kept by key and computed in the background. No Streamlit here.

Whoever asks is answered at once: with the result, or with :data:`PENDING`. One thread computes what
was asked for, one key at a time, so that any number of visitors who want the same at once cause
one computation, and none of them waits in the run of a page. What was asked for last comes first: a
page that still waits asks again and again, and what nobody asks for any more sinks to the end.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

PENDING = object()
"""In place of a result that is not there yet."""


@dataclass(frozen=True)
class Failed:
    """In place of a result whose computation raised; `reason` is what it said."""

    reason: str


class ScoreCache:
    """The latest results, and the requests that are still to be computed.

    Args:
        capacity: results that are kept; the least recently used go first.
        queue: requests that may wait; of more than that, those asked for longest ago are dropped.
    """

    def __init__(self, capacity: int, queue: int = 200):
        self._capacity, self._queue = capacity, queue
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._requests: OrderedDict[Hashable, Callable[[], Any]] = OrderedDict()
        self._computing: Hashable | None = None
        self._worker: threading.Thread | None = None
        self._changed = threading.Condition()

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """The result for the key, `Failed`, or `PENDING` after having asked for it. Never waits.

        Args:
            compute: makes the result, in the background; the key has to determine it.
        """
        with self._changed:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
            if key != self._computing:
                self._requests[key] = compute
                self._requests.move_to_end(key)
                while len(self._requests) > self._queue:
                    self._requests.popitem(last=False)
            if self._worker is None:
                self._start()
            return PENDING

    def join(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute; False if it took longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._worker is None, timeout)

    def _start(self) -> None:
        # A page may be run by a daemon, whose threads are daemons unless they are told otherwise.
        worker = threading.Thread(target=self._work, name="metademo-scores", daemon=False)
        try:
            worker.start()
        except RuntimeError:  # no thread to be had: the next request tries again
            log.exception("no thread for measurements")
        else:
            self._worker = worker

    def _work(self) -> None:
        """Compute until no request is left, or the program ends."""
        while (request := self._next()) is not None:
            key, compute = request
            try:
                result = compute()
            except Exception as fault:
                log.exception("a measurement failed")
                result = Failed(str(fault) or type(fault).__name__)
            self._keep(key, result)

    def _next(self) -> tuple[Hashable, Callable[[], Any]] | None:
        with self._changed:
            if self._requests and threading.main_thread().is_alive():
                key, compute = self._requests.popitem()
                self._computing = key
                return key, compute
            self._worker = None
            self._changed.notify_all()
            return None

    def _keep(self, key: Hashable, result: Any) -> None:
        with self._changed:
            self._computing = None
            self._results[key] = result
            while len(self._results) > self._capacity:
                self._results.popitem(last=False)
