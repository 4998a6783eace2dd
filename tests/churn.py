"""Whether visitors leave anything behind: ``python -m tests.churn [--sessions 2000] [--json]``.

So many visitors come, click and leave, ten at a time. Before and after the server counts its live
objects (after a full collection), threads and open files; resident memory is read beside it. The
first sessions are a warm-up: Streamlit keeps the last 128 that have left for two minutes, in case
they come back. Ends with status 1 if the objects have grown by more than 5 %, or anything else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from metademo.visitor import CHART, visit
from tests.browser import ROOT, Server, running
from tests.load import Process

WARM_UP, AT_ONCE = 300, 10
MOST_GROWTH = 0.05
EVERYBODY = {"METADEMO_MAX_SESSIONS": "100000"}
"""Nobody waits: who has left keeps a place for some seconds."""


async def _come_and_go(url: str, number: int) -> None:
    async with visit(url) as visitor:
        await visitor.gesture(CHART, kind="add", to=[number % 6 - 3.0, 0.5])
        await visitor.rest()


async def _crowd(url: str, sessions: int) -> None:
    for first in range(0, sessions, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, sessions))
        await asyncio.gather(*(_come_and_go(url, number) for number in numbers))


def _count(server: Server, place: Path) -> dict[str, float]:
    time.sleep(3)  # whoever has just left is still being seen off
    place.unlink(missing_ok=True)
    server.process.send_signal(signal.SIGUSR1)
    while not place.exists():
        time.sleep(0.05)
    memory = round(Process.now(server.process.pid).memory, 1)
    return {**json.loads(place.read_text()), "memory_mb": memory}


def measure(sessions: int) -> dict[str, object]:
    """Counts before and after."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "count.json"
        path = str(ROOT / "tests" / "counting")
        with (
            mock.patch.dict(
                os.environ, {**EVERYBODY, "PYTHONPATH": path, "METADEMO_COUNT": str(place)}
            ),
            running(ROOT / "streamlit_app.py") as server,
        ):
            asyncio.run(_crowd(server.url, WARM_UP))
            before, began = _count(server, place), time.perf_counter()
            asyncio.run(_crowd(server.url, sessions))
            seconds = round(time.perf_counter() - began, 1)
            after = _count(server, place)
    growth = after["objects"] / before["objects"] - 1
    return {
        "sessions": sessions,
        "seconds": seconds,
        "before": before,
        "after": after,
        "growth": round(growth, 4),
        "clean": growth <= MOST_GROWTH
        and all(after[name] <= before[name] + 2 for name in ("threads", "files")),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    found = measure(given.sessions)
    text = "\n".join(f"{name:<10}{value}" for name, value in found.items())
    print(json.dumps(found) if given.json else text)
    return 0 if found["clean"] else 1


if __name__ == "__main__":
    sys.exit(main())
