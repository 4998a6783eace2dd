"""Whether what is installed here can be served by whoever runs this: ``python deploy/check.py``.

It writes nothing beside the app: so it also tells of a read-only disk, and of another user.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60
"""Seconds; the first start on a slow disk reads some hundred megabytes."""


def main() -> None:
    os.chdir(ROOT)  # where Streamlit looks for its settings
    sys.path.insert(0, str(ROOT))
    check_compiled()
    check_static()
    check_first_page()
    check_server()


def check_compiled() -> None:
    """Without a compiler's work on disk, each start would do it again."""
    from metademo import fused

    if not fused.keeps_all():
        sys.exit("the kernels are not compiled for this processor: run deploy/install.sh here")
    print("the kernels are compiled")


def check_static() -> None:
    from metademo.ui.components.kernel import assets

    assets.install(ROOT / "static")
    print("static/ is complete")


def check_first_page() -> None:
    from streamlit.logger import set_log_level
    from streamlit.testing.v1 import AppTest

    set_log_level("error")  # it would warn that there is no browser
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=PATIENCE).run()
    if app.exception:
        sys.exit(f"the first page fails: {app.exception[0].message}")
    print("the first page is drawn")


def check_server() -> None:
    """It becomes healthy, and ends when it is told to."""
    port = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
            *("--server.headless", "true", "--server.address", "127.0.0.1"),
            *("--server.port", str(port)),
        ],
        cwd=ROOT,
    )
    try:
        wait_until_healthy(server, f"http://127.0.0.1:{port}/_stcore/health")
        server.send_signal(signal.SIGTERM)
        code = server.wait(PATIENCE)
    finally:
        server.kill()
        server.wait()
    if code:
        sys.exit(f"told to end, the server ended with code {code}")
    print("the server is healthy, and ends when told to")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_healthy(server: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            sys.exit(f"the server ended at once, with code {server.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
            if answer.read() == b"ok":
                return
        time.sleep(0.1)
    sys.exit(f"the server was not healthy within {PATIENCE} s")


if __name__ == "__main__":
    main()
