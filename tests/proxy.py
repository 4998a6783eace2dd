"""A slow line to a server on this machine: every byte takes its time, in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.browser import free_port


@dataclass
class Line:
    """A line to a server; its round trip takes so many seconds, from now on."""

    url: str
    seconds: float


@contextlib.contextmanager
def slow_line(url: str, seconds: float) -> Iterator[Line]:
    """A line to what is at `url`."""
    port, target = free_port(), urlsplit(url)
    line = Line(f"http://127.0.0.1:{port}{target.path}", seconds)
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target.port)
            except OSError:  # nobody is there: for now
                writer.close()
                return
            with contextlib.suppress(OSError):
                await asyncio.gather(
                    _delayed(reader, far_writer, line),
                    _delayed(far_reader, writer, line),
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
        yield line
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


async def _delayed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line) -> None:
    """Pass bytes on in order, each half a round trip after it came."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def listen() -> None:
        while data := await reader.read(65536):
            queue.put_nowait((loop.time() + line.seconds / 2, data))
        queue.put_nowait((loop.time() + line.seconds / 2, b""))

    listening = asyncio.ensure_future(listen())
    try:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
    finally:
        listening.cancel()
        writer.close()
