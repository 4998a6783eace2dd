"""Figures of a running server: who is there, what trains, how fast a click is answered.

They are sums over all visitors and say nothing of any one. The log has them once a minute while
somebody is there, and the About page shows them.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from metademo import logs
from metademo.described import ConfigError
from metademo.ui.server.trainings import registry

CLICK_SECONDS = 300.0
"""Clicks count for so long."""
MOST_CLICKS = 10_000
REPORT_SECONDS = 60.0

log = logging.getLogger(__name__)


class Clicks:
    """How long the server took for each of the latest clicks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: deque[tuple[float, float]] = deque(maxlen=MOST_CLICKS)

    def add(self, seconds: float) -> None:
        now = self._clock()
        with self._lock:
            self._taken.append((now, seconds))

    def latest(self) -> list[float]:
        """The seconds that each took, the shortest first."""
        since = self._clock() - CLICK_SECONDS
        with self._lock:
            while self._taken and self._taken[0][0] < since:
                self._taken.popleft()
            return sorted(seconds for _, seconds in self._taken)


CLICKS = Clicks()
_began = time.monotonic()


def timed(draw: Callable[[], None]) -> Callable[[], None]:
    """`draw`, which draws what a click changes, with the time measured that a click takes."""

    @functools.wraps(draw)
    def measured() -> None:
        began = time.perf_counter()
        draw()  # one that is cut short by an exception, or to draw anew, is none to count
        if _after_a_click():
            CLICKS.add(time.perf_counter() - began)

    return measured


def _after_a_click() -> bool:
    """Whether a part of the page is drawn anew, and not the whole of it for the first time."""
    context = get_script_run_ctx(suppress_warning=True)
    return bool(getattr(context, "fragment_ids_this_run", None))


@dataclass(frozen=True)
class Figures:
    """A server at one moment; None is what can't be known.

    Attributes:
        sessions: open pages that are connected.
        running, waiting: trainings.
        clicks: of the last minutes.
        p95_ms: milliseconds within which the server has answered 95 % of them.
        memory_mb: resident.
        seconds: since the first visitor came.
    """

    sessions: int | None
    running: int | None
    waiting: int | None
    clicks: int
    p95_ms: float | None
    memory_mb: int | None
    seconds: int


def figures() -> Figures:
    """The figures of this server, now."""
    taken = CLICKS.latest()
    running, waiting = _trainings()
    return Figures(
        sessions=_sessions(),
        running=running,
        waiting=waiting,
        clicks=len(taken),
        p95_ms=round(1e3 * taken[-(-95 * len(taken) // 100) - 1], 1) if taken else None,
        memory_mb=_memory(),
        seconds=round(time.monotonic() - _began),
    )


def _sessions() -> int | None:
    """Streamlit counts them, in a place of its own that may change."""
    try:
        count = Runtime.instance()._session_mgr.num_active_sessions()
    except (RuntimeError, AttributeError):  # no server, as in tests, or another Streamlit
        return None
    return count if isinstance(count, int) else None


def _trainings() -> tuple[int | None, int | None]:
    try:
        return registry().load()
    except ConfigError:  # the Train page says so
        return None, None


def _memory() -> int | None:
    """Resident megabytes, where the system says so as Linux does."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def report(event: str) -> None:
    """Log the figures."""
    logs.say(log, event, **asdict(figures()))


def report_while_visited() -> None:
    """Begin to log the figures, each minute in which somebody is there."""
    threading.Thread(target=_report_for_ever, name="metademo-figures", daemon=True).start()


def _report_for_ever() -> None:
    while True:
        time.sleep(REPORT_SECONDS)
        if _sessions():
            report("figures")
