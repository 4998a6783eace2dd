"""Loaded by a server that is started with this folder on its path: it counts itself at SIGUSR1."""

import gc
import json
import os
import signal
import threading
from pathlib import Path


def count(*_: object) -> None:
    """Write how much lives; what was exempt from collection at the start is not counted."""
    gc.collect()
    found = {
        "objects": len(gc.get_objects()),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
    }
    place = Path(os.environ["METADEMO_COUNT"])
    scratch = place.with_suffix(".part")
    scratch.write_text(json.dumps(found))
    scratch.rename(place)


signal.signal(signal.SIGUSR1, count)
