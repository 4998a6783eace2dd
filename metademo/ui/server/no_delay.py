"""How the server sends: at once."""

from __future__ import annotations

import gc
import socket

import uvicorn


def send_at_once() -> None:
    """Send each message when it is written, on connections that are open and those to come.

    Streamlit answers in several small messages. By default a system holds a small one back until
    the one before it has been acknowledged (Nagle's algorithm), which receivers put off by up to
    40 ms. Asyncio switches that off where a socket says that it speaks TCP; Streamlit's does not.
    """
    # Nobody tells where the server is. What a listening socket is set to, its connections are, too.
    for server in [one for one in gc.get_objects() if type(one) is uvicorn.Server]:
        listening = [each for one in getattr(server, "servers", []) for each in one.sockets]
        transports = [getattr(one, "transport", None) for one in server.server_state.connections]
        opened = [one.get_extra_info("socket") for one in transports if one is not None]
        for connection in (*listening, *opened):
            if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
