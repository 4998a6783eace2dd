"""The server sends at once, whatever its socket was made with."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn

from metademo.ui.server.no_delay import send_at_once


def delays(connection: socket.socket) -> bool:
    return not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_is_open_and_what_comes_sends_at_once():
    accepted: list[socket.socket] = []

    async def app(scope, receive, send):
        await asyncio.sleep(0)

    listening = socket.socket(socket.AF_INET)  # as Streamlit makes it: of no stated protocol
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            pass

        def connect() -> socket.socket:
            known = len(server.server_state.connections)
            near = socket.create_connection(listening.getsockname())
            while len(server.server_state.connections) == known:
                pass
            newest = {one.transport for one in server.server_state.connections}
            accepted[:] = [one.get_extra_info("socket") for one in newest]
            return near

        with connect():
            assert delays(listening)
            assert all(map(delays, accepted))
            send_at_once()
            assert not any(map(delays, accepted))
            with connect():
                assert len(accepted) == 2
                assert not any(map(delays, accepted))
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
