"""How many visitors a server serves at once, and who comes next.

Beyond that number newcomers wait in a line, so that those who are inside are not slowed. A visitor
who is gone leaves room as soon as the connection has been down for a while: a phone that changes
its network comes back within that time. A reload is another visitor to Streamlit, and has to wait.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable

from pydantic import Field
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from metademo import logs
from metademo.described import ConfigError
from metademo.environment import FromEnvironment

ASK_SECONDS = 2.0
"""Between two questions of who waits."""

log = logging.getLogger(__name__)


class Capacity(FromEnvironment):
    """How many visitors a server serves at once; METADEMO_MAX_SESSIONS says it, and so on.

    Raises:
        ConfigError: naming the variable, if one is no number that will do.
    """

    max_sessions: int = Field(
        150, ge=1, title="sessions", description="Visitors at once; others wait."
    )
    grace_seconds: float = Field(
        8.0,
        ge=0,
        title="grace seconds",
        description="How long the place of a visitor is kept whose connection is down.",
    )


class Door:
    """Lets so many in at once, and others when there is room, in the order in which they came."""

    def __init__(
        self,
        capacity: Capacity,
        connected: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ):
        """
        Args:
            connected: whether a visitor's connection is up.
        """
        self._capacity, self._connected, self._clock = capacity, connected, clock
        self._lock = threading.Lock()
        self._inside: dict[str, float] = {}
        self._waiting: dict[str, float] = {}
        """Visitors, in the order in which they came, and when each was seen last."""

    def ask(self, visitor: str) -> int:
        """0 if the visitor is in, otherwise the place in the line, from 1."""
        with self._lock:
            now = self._clock()
            if visitor not in self._inside:
                self._forget(now)
                newcomer = visitor not in self._waiting
                place = self._place(visitor, now)
                if len(self._inside) + place > self._capacity.max_sessions:
                    if newcomer:
                        logs.say(log, "visitor waits", position=place)
                    return place
                del self._waiting[visitor]
            self._inside[visitor] = now
            return 0

    def _forget(self, now: float) -> None:
        """Those who are gone leave room."""
        for visitor, seen in list(self._inside.items()):
            if self._connected(visitor):
                self._inside[visitor] = now
            elif now - seen > self._capacity.grace_seconds:
                del self._inside[visitor]
        for visitor in [one for one in self._waiting if not self._connected(one)]:
            del self._waiting[visitor]

    def _place(self, visitor: str, now: float) -> int:
        """The place in the line. Who does not ask any more (a browser lets a tab that nobody looks
        at ask rarely) keeps the place, and nobody waits for that."""
        self._waiting[visitor] = now
        asking = [v for v, asked in self._waiting.items() if now - asked <= 3 * ASK_SECONDS]
        return asking.index(visitor) + 1


def place_in_line() -> int:
    """0 if this visitor is in, otherwise the place in the line, from 1."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():  # a page on its own, as in a test
        return 0
    return door().ask(context.session_id)


@functools.cache
def door() -> Door:
    """The door of this server."""
    try:
        capacity = Capacity()
    except ConfigError as fault:
        capacity = Capacity.model_construct()
        log.warning("%s; %d visitors are let in", fault, capacity.max_sessions)
    return Door(capacity, lambda visitor: runtime.get_instance().is_active_session(visitor))
