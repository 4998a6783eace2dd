"""What `python -m tests.replicas` measures with: a search, and shares of a core."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.load import Process
from tests.replicas import FIRST, PRECISION, greatest
from tests.replicating import Shares

BUSY = """
import threading
def spin():
    while True:
        pass
threading.Thread(target=spin).start()
print("begun", flush=True)
"""


@pytest.mark.parametrize("most", [1, 3, FIRST, 7, 15, 16, 100, 333])
def test_the_greatest_number_that_goes_is_found(most):
    asked = []

    def goes(number):
        asked.append(number)
        return number <= most

    found = greatest(goes)
    assert found <= most < found + max(1, PRECISION * found)
    assert len(asked) == len(set(asked))


def test_nothing_goes():
    assert greatest(lambda number: False) == 0


@pytest.mark.skipif(not Shares.possible(), reason="control groups are for root to write")
def test_a_process_is_held_to_its_share_with_all_its_threads():
    with Shares() as shares:
        busy = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE)
        try:
            assert busy.stdout.readline() == b"begun\n"
            shares.hold(busy.pid, 0.2)
            before = Process.now(busy.pid).seconds
            time.sleep(1)
            assert 0 < Process.now(busy.pid).seconds - before < 0.3
        finally:
            busy.kill()
            busy.communicate()
