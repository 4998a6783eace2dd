"""A slow line to a server on this machine: every byte takes its time, in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.browser import free_port


@contextlib.contextmanager
def slow_line(url: str, seconds: float) -> Iterator[str]:
    """The URL under which `url` answers after a round trip of so many seconds."""
    port, target = free_port(), urlsplit(url)
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target.port)
                await asyncio.gather(
                    _delayed(reader, far_writer, seconds / 2),
                    _delayed(far_reader, writer, seconds / 2),
                )

        server = await asyncio.start_server(connected, "127.0.0.1", port)
        ready.set()
        async with server:
            await server.serve_forever()

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        for other in asyncio.all_tasks(loop):
            other.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    task = loop.create_task(serve())
    thread = threading.Thread(target=run, name="slow-line", daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{port}{target.path}"
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


async def _delayed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    """Pass bytes on in order, each so many seconds after it came."""
    loop = asyncio.get_running_loop()
    line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def listen() -> None:
        while data := await reader.read(65536):
            line.put_nowait((loop.time() + seconds, data))
        line.put_nowait((loop.time() + seconds, b""))

    listening = asyncio.ensure_future(listen())
    try:
        while True:
            due, data = await line.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
    finally:
        listening.cancel()
        writer.close()
