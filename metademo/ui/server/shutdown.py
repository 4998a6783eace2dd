"""How the server ends: promptly, whoever is still loading something."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import uvicorn

GRACE_SECONDS = 1
"""How long responses under way may go on after the server was told to end."""


def bound_shutdown(at_end: Callable[[], None] = lambda: None) -> None:
    """Let the server end although a visitor on a slow line has not got all of a response.

    Args:
        at_end: called when the server has been told to end.

    Uvicorn would wait for that visitor without a limit. It has a setting for one, but Streamlit
    does not pass it on, and it writes a traceback for each response that is cut off.
    """
    shutdown = uvicorn.Server.shutdown

    @functools.wraps(shutdown)
    async def bounded(server: uvicorn.Server, *arguments: Any, **options: Any) -> None:
        asyncio.get_running_loop().call_later(GRACE_SECONDS, _hang_up, server)
        try:
            at_end()
        finally:  # whatever it raises, the server ends
            await shutdown(server, *arguments, **options)

    # There is no hook for it: the method itself is replaced, by one that takes what it takes.
    uvicorn.Server.shutdown = bounded  # type: ignore[method-assign, assignment]


def _hang_up(server: uvicorn.Server) -> None:
    for connection in list(server.server_state.connections):
        connection.transport.abort()
