"""Many runs side by side: on the cores of this machine, or on a cluster that Dask or Ray runs.

joblib hands the runs out; this module says what becomes of those whose worker is lost. A worker may
be killed from outside (memory that runs out), or by what it runs. Nobody knows which run that was,
so all that were under way are begun anew; a run that was under way at two losses is tried once
more when nothing else is, and is given up if its worker is lost again. What is done stays done.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from joblib import Parallel, delayed, effective_n_jobs

from metademo import __version__
from metademo.described import ConfigError, unknown

LOSSES = 2
"""So often a run may be under way when a worker is lost, before it has to run alone."""
AT_LEAST = 2
"""For one worker joblib does the work in this process, which is not to be lost. Dask with one lets
the second run wait for its turn, and Ray would refuse it."""
PATIENCE = 10
"""Seconds in which a cluster has to answer."""
INSTALL = {"dask": 'pip install "dask[distributed]"', "ray": "pip install ray"}
CLUSTERS = tuple(INSTALL)
Say = Callable[[str], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Done(NamedTuple, Generic[Item, Result]):
    """What became of one run.

    Attributes:
        item: what was to be run.
        result: what came of it; None if there is a fault.
        fault: "", or why it failed, in a line.
    """

    item: Item
    result: Result | None
    fault: str


@dataclass(frozen=True)
class Where:
    """Where runs are carried out.

    Attributes:
        processes: so many side by side; None for as many as there are cores. With one there is no
            process but this one.
        cluster: "" for this machine, or one of `CLUSTERS`.
        address: of the cluster.

    Raises:
        ConfigError: for what does not go together, or where the cluster's library is missing.
    """

    processes: int | None = None
    cluster: str = ""
    address: str = ""

    def __post_init__(self) -> None:
        if not self.cluster:
            if self.address:
                raise ConfigError("is that of a cluster: say which, dask or ray", "address")
            return
        if self.cluster not in CLUSTERS:
            raise ConfigError(unknown(self.cluster, CLUSTERS), "cluster")
        if self.processes is not None:
            raise ConfigError("is for this machine alone: a cluster has its own", "processes")
        module = {"dask": "distributed"}.get(self.cluster, self.cluster)
        if importlib.util.find_spec(module) is None:
            name, how = self.cluster.capitalize(), INSTALL[self.cluster]
            raise ConfigError(f"needs {name}: install it with {how}, or leave it out", "cluster")
        if self.cluster == "dask" and not self.address:
            raise ConfigError("is needed: that of the scheduler, tcp://HOST:8786", "address")


class _Crew(NamedTuple):
    """Workers, for joblib.

    Attributes:
        backend: as joblib wants it.
        processes: as joblib wants it, -1 for all.
        size: how many runs they carry out side by side.
        lost: what is raised where one of them is lost.
    """

    backend: Any
    processes: int
    size: int
    lost: tuple[type[Exception], ...]


def carry_out(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    where: Where,
    *,
    say: Say = lambda line: None,
) -> Iterator[Done[Item, Result]]:
    """`work` on each of the items, begun in their order; what became of each, as soon as it is.

    Args:
        work: a function of a module, so that another process finds it.
        say: is told a line whenever a worker is lost.

    Raises:
        OSError: if the cluster does not answer.
    """
    waiting, losses = dict(enumerate(items)), Counter[int]()
    with _crew(where) as crew:
        while waiting:
            batch = _next(waiting, losses)
            try:
                with contextlib.closing(_side_by_side(crew, work, batch)) as found:
                    for number, result, fault in found:
                        yield Done(waiting.pop(number), result, fault)
            except crew.lost:
                # They are begun in their order, so the first ones are those that were under way.
                hit = [number for number in batch if number in waiting][: crew.size]
                losses.update(hit)
                hopeless = [number for number in hit if losses[number] > LOSSES]
                say(f"a worker was lost: runs that are begun anew: {len(hit) - len(hopeless)}")
                for number in hopeless:
                    fault = f"its worker was lost {losses[number]} times, at last with it alone"
                    yield Done(waiting.pop(number), None, fault)


def _next(waiting: dict[int, Item], losses: Counter[int]) -> dict[int, Item]:
    """What is to run side by side: all without many losses, and then the others one by one."""
    together = {n: item for n, item in waiting.items() if losses[n] < LOSSES}
    return together or dict([next(iter(waiting.items()))])


def _side_by_side(
    crew: _Crew, work: Callable[[Item], Result], batch: dict[int, Item]
) -> Generator[tuple[int, Result | None, str]]:
    """The results, with the items' numbers, in the order in which they come."""
    found = Parallel(
        n_jobs=crew.processes,
        backend=crew.backend,
        return_as="generator_unordered",
        batch_size=1,  # of runs that take long none should wait for another
    )(delayed(_guarded)(work, number, item) for number, item in batch.items())
    try:
        # `yield from` would hand an early end on to joblib, which would warn of it.
        for each in found:  # noqa: UP028
            yield each
    finally:
        with warnings.catch_warnings():  # that what isn't done is given up
            warnings.simplefilter("ignore")
            found.close()


def _guarded(
    work: Callable[[Item], Result], number: int, item: Item
) -> tuple[int, Result | None, str]:
    """In a worker: one run. A fault goes back as text, since not every exception can be sent."""
    torch.set_num_threads(1)  # the cores have a run each
    try:
        return number, work(item), ""
    except Exception as fault:
        kind = "" if isinstance(fault, (ValueError, OSError)) else f"{type(fault).__name__}: "
        return number, None, " ".join(f"{kind}{fault}".split())


@contextlib.contextmanager
def _crew(where: Where) -> Iterator[_Crew]:
    """The workers, for as long as they are needed."""
    if where.cluster:
        with {"dask": _on_dask, "ray": _on_ray}[where.cluster](where.address) as crew:
            _check(crew)
            yield crew
    else:
        processes = where.processes or -1
        yield _Crew("loky", processes, effective_n_jobs(processes), (BrokenProcessPool,))


def _check(crew: _Crew) -> None:
    """See that a cluster has this project, before the long work.

    Raises:
        ConfigError: if it hasn't, or has another version.
    """
    calls = (delayed(_version)() for _ in range(crew.size))
    try:
        found = set(Parallel(n_jobs=crew.processes, backend=crew.backend, batch_size=1)(calls))
    except Exception as fault:  # each library has its own for what can't be imported there
        found = {f"nothing ({type(fault).__name__})"}
    if found != {__version__}:
        raise ConfigError(
            f"must have metademo {__version__}, and has {', '.join(sorted(found))}: start all its "
            "processes in this folder, with PYTHONPATH=.",
            "cluster",
        )


def _version() -> str:
    return __version__


@contextlib.contextmanager
def _on_dask(address: str) -> Iterator[_Crew]:
    """The workers of the scheduler at `address`. It begins a lost worker's runs anew by itself,
    and gives a run up that has cost it four workers."""
    from distributed import Client, KilledWorker
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        """joblib's own waits for ever for a run that Dask has given up: nobody tells it."""

        def submit(self, func: Any, callback: Any = None) -> Any:
            future = super().submit(func, callback)
            future.add_done_callback(lambda done: done.exception() and callback(done.exception()))
            return future

        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(AT_LEAST, super().effective_n_jobs(n_jobs))

    logging.getLogger("distributed").setLevel(logging.ERROR)
    with Client(address, timeout=PATIENCE, set_as_default=False) as client:
        cores = sum(client.ncores().values())
        yield _Crew(Backend(client=client), -1, max(1, cores), (KilledWorker,))


@contextlib.contextmanager
def _on_ray(address: str) -> Iterator[_Crew]:
    """The workers of the cluster at `address`, by default the one that this machine belongs to."""
    import ray
    from ray.util.joblib.ray_backend import RayBackend

    class Backend(RayBackend):  # type: ignore[misc]
        """Ray's own gives results only when all are there: it takes after a pool of processes that
        may not outlive the call, and this one may."""

        supports_return_generator = True

        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(AT_LEAST, super().effective_n_jobs(n_jobs))

    ray.init(address=address or "auto", log_to_driver=False, logging_level=logging.ERROR)
    try:
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores < AT_LEAST:
            raise ConfigError(f"needs {AT_LEAST} CPUs at least, and Ray has {cores}", "cluster")
        yield _Crew(Backend(), -1, cores, _losses_of(ray.exceptions))
    finally:
        ray.shutdown()


def _losses_of(exceptions: Any) -> tuple[type[Exception], ...]:
    """Ray's words for a worker that was lost; its others are about what can't work at all."""
    return (
        exceptions.RayActorError,
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.ObjectLostError,
        exceptions.OutOfMemoryError,
    )
