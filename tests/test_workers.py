"""Runs side by side: what comes back, and what becomes of those whose worker is lost."""

import importlib.util
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from metademo import workers
from metademo.described import ConfigError
from metademo.workers import Done, Where, carry_out

HERE, TWO = Where(1), Where(2)
TESTS = Path(__file__).resolve().parent


def square(number):
    if number < 0:
        raise ValueError("no root\nof it")
    if number > 100:
        raise ZeroDivisionError("too large")
    return number * number, os.getpid()


def deadly(number, *, kills, folder):
    """A run that kills its worker, as often as `kills` says by number; its starts are noted."""
    begun = len(list(folder.glob(f"{number}-*")))
    (folder / f"{number}-{begun}").touch()
    if begun < kills.get(number, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def begun(folder, number):
    """How often a run of `deadly` was begun."""
    return len(list(folder.glob(f"{number}-*")))


@pytest.mark.parametrize("where", [HERE, TWO], ids=["one process", "two"])
def test_each_run_comes_back_and_a_fault_stops_no_other(where):
    found = {done.item: done for done in carry_out(square, [3, -1, 4, 101], where)}
    assert {n: done.result[0] for n, done in found.items() if done.result} == {3: 9, 4: 16}
    assert (os.getpid() in {found[3].result[1], found[4].result[1]}) is (where is HERE)
    assert found[-1] == Done(-1, None, "no root of it")
    assert found[101] == Done(101, None, "ZeroDivisionError: too large")


# A thread of joblib's may trip over runs that are taken from it at that moment.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_came_before_an_early_end_is_there_and_nobody_complains():
    found = carry_out(square, range(6), TWO)
    first = next(found)
    found.close()
    assert first.result[0] == first.item**2


def test_a_worker_that_is_lost_costs_no_run(tmp_path):
    said = []
    work = partial(deadly, kills={2: 1}, folder=tmp_path)
    found = list(carry_out(work, range(6), TWO, say=said.append))
    assert sorted(done.item for done in found) == list(range(6))
    assert all(done == Done(done.item, done.item, "") for done in found)
    assert len(said) == 1
    assert "a worker was lost" in said[0]
    assert begun(tmp_path, 2) == 2


def test_a_run_that_kills_each_worker_is_given_up_and_the_others_go_on(tmp_path):
    work = partial(deadly, kills={0: 99}, folder=tmp_path)
    found = {done.item: done for done in carry_out(work, range(4), TWO)}
    assert {n for n, done in found.items() if done.result == n} == {1, 2, 3}
    assert found[0] == Done(0, None, "its worker was lost 3 times, at last with it alone")
    assert begun(tmp_path, 0) == 3


@pytest.mark.parametrize(
    ("given", "setting", "words"),
    [
        (dict(address="tcp://here:8786"), "address", "say which, dask or ray"),
        (dict(cluster="beowulf"), "cluster", "'beowulf' is not known: choose from dask, ray"),
        (dict(cluster="ray", processes=2), "processes", "a cluster has its own"),
        (dict(cluster="dask"), "address", "tcp://HOST:8786"),
    ],
)
def test_what_does_not_go_together_is_refused(given, setting, words, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(ConfigError, match=words) as fault:
        Where(**given)
    assert fault.value.setting == setting


@pytest.mark.parametrize("cluster", workers.CLUSTERS)
def test_a_library_that_is_missing_is_said_to_be_installed(cluster, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs (Dask|Ray): install it with pip install ") as f:
        Where(cluster=cluster, address="tcp://here:8786")
    assert f.value.setting == "cluster"
    assert cluster in str(f.value)


# On clusters, where their libraries are installed

QUIET = pytest.mark.filterwarnings("default")
"""What those libraries warn of is not for us to mend."""


@QUIET
def test_dask_loses_no_run_with_a_worker_and_gives_a_deadly_one_up(tmp_path):
    distributed = pytest.importorskip("distributed")
    alone = dict(threads_per_worker=1, processes=True, dashboard_address=None)
    with distributed.LocalCluster(n_workers=2, **alone) as cluster:
        where = Where(cluster="dask", address=cluster.scheduler_address)
        work = partial(deadly, kills={2: 1, 3: 99}, folder=tmp_path)
        found = {done.item: done for done in carry_out(work, range(6), where)}
    assert {n for n, done in found.items() if done.result == n} == {0, 1, 2, 4, 5}
    assert found[3].fault.startswith("its worker was lost 3 times")


@QUIET
def test_dask_that_does_not_answer_is_one_line(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "PATIENCE", 1)
    with pytest.raises(OSError, match=r"tcp://127\.0\.0\.1:9"):
        list(carry_out(square, [1], Where(cluster="dask", address="tcp://127.0.0.1:9")))


@QUIET
def test_ray_loses_no_run_with_a_worker_and_gives_a_deadly_one_up(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS.parent), str(TESTS)]))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    try:
        work = partial(deadly, kills={2: 1, 3: 99}, folder=tmp_path)
        where = Where(cluster="ray", address=cluster.address)
        found = {done.item: done for done in carry_out(work, range(6), where)}
    finally:
        cluster.shutdown()
    assert {n for n, done in found.items() if done.result == n} == {0, 1, 2, 4, 5}
    assert found[3].fault.startswith("its worker was lost 3 times")
