"""Replicas behind the balancer of `deploy/`, to be tested and measured, and shares of a core."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.browser import ROOT, free_port

HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
NO_BALANCER = "no balancer on this machine: install the package `haproxy`"

STARTED = re.compile(r"^(replica\d): process (\d+), port (\d+)", re.MULTILINE)
STATE = re.compile(r"Server replicas/(replica\d) is (UP|DOWN)")


@dataclass(frozen=True)
class Replicas:
    """All of them, behind the balancer at `url`.

    Attributes:
        script: the process of `deploy/replicas.sh`, which ends the others when it ends.
        processes: theirs, by the names in the balancer's cookie.
        urls: of each on its own, in the same order.
    """

    url: str
    script: subprocess.Popen
    processes: dict[str, int]
    urls: tuple[str, ...]


@contextlib.contextmanager
def replicating(count: int, environment: Mapping[str, str] | None = None) -> Iterator[Replicas]:
    """Run `deploy/replicas.sh` on free ports; yields once all replicas answer.

    Args:
        environment: variables beside those of this process.
    """
    port = free_port()
    settings = {
        "METADEMO_BIND": f"127.0.0.1:{port}",
        "METADEMO_PORTS": " ".join(str(free_port()) for _ in range(count)),
        "METADEMO_PYTHON": sys.executable,
    }
    with tempfile.TemporaryFile("w+") as log:
        script = subprocess.Popen(
            [ROOT / "deploy/replicas.sh", str(count)],
            env={**os.environ, **settings, **(environment or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            started = STARTED.findall(_wait_for_all(count, script, log))
            yield Replicas(
                f"http://127.0.0.1:{port}",
                script,
                {name: int(process) for name, process, _ in started},
                tuple(f"http://127.0.0.1:{own}" for *_, own in started),
            )
        finally:
            script.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                script.wait(20)
            with contextlib.suppress(ProcessLookupError):  # nothing is left, as it should be
                os.killpg(script.pid, signal.SIGKILL)
            script.wait()


def _wait_for_all(count: int, script: subprocess.Popen, log: IO[str]) -> str:
    """Until all answer, and the balancer takes none to be down: what has been said by then."""
    said, end = "", time.monotonic() + 60
    while time.monotonic() < end and script.poll() is None:
        log.seek(0)
        said = log.read()
        ports = [port for *_, port in STARTED.findall(said)]
        # It says only what changes, and begins with all of them up.
        states = dict(STATE.findall(said))
        if len(ports) == count and all(map(_answers, ports)) and "DOWN" not in states.values():
            return said
        time.sleep(0.1)
    raise RuntimeError(f"the replicas were not up in time:\n{said}")


def _answers(port: str) -> bool:
    """Whether a replica is healthy."""
    with contextlib.suppress(OSError):
        address = f"http://127.0.0.1:{port}/_stcore/health"
        return urllib.request.urlopen(address, timeout=5).read() == b"ok"
    return False


# ------------------------------------------------------------------------------ shares of a core

GROUPS = Path("/sys/fs/cgroup")
VERSION_1 = (GROUPS / "cpu/cpu.cfs_quota_us").exists()
ROOT_GROUP = GROUPS / "cpu" if VERSION_1 else GROUPS
PERIOD = 10_000
"""Microseconds in which a process has its share: short beside a click, which is to be slower and
not to be stopped for long."""


class Shares:
    """Control groups of Linux (version 1 or 2), each of which holds a process to a share of a core.

    They are gone at the end, which is to come after that of the processes.
    """

    def __init__(self) -> None:
        self._groups: list[Path] = []

    @staticmethod
    def possible() -> bool:
        """Whether control groups can be written here."""
        return os.access(ROOT_GROUP, os.W_OK)

    def __enter__(self) -> Shares:
        return self

    def hold(self, process: int, share: float) -> None:
        """Hold a process, with all its threads, to a share of a core from now on.

        Raises:
            OSError: if control groups can't be written here.
        """
        group = ROOT_GROUP / f"metademo-{process}"
        quota = round(share * PERIOD)
        if not VERSION_1:
            (ROOT_GROUP / "cgroup.subtree_control").write_text("+cpu")
        group.mkdir()
        self._groups.append(group)
        # No more than its share, and whatever else runs here, no less.
        if VERSION_1:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
            (group / "cpu.shares").write_text("262144")
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
            (group / "cpu.weight").write_text("10000")
        (group / "cgroup.procs").write_text(str(process))

    def __exit__(self, *fault: object) -> None:
        for group in self._groups:
            group.rmdir()
