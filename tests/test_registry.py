"""The jobs of a server: who runs, who waits in which order, who is remembered, what is refused."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import PATIENCE, small, wait

from metademo.described import ConfigError, described
from metademo.jobs import Busy, Job, JobState, Limits, Registry

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


@pytest.fixture
def registry():
    """A registry for two jobs and two more in the line; all are stopped at the end."""
    registry = Registry(Limits(max_running=2, max_waiting=2, max_kept=30))
    yield registry
    for job in list(registry._jobs.values()):
        job.stop()
    for job in list(registry._jobs.values()):
        assert job.join(PATIENCE)


def submit(registry: Registry, owner: str, **options) -> Job:
    options = dict(steps=50_000, engine="torch", pace=200.0) | options
    return registry.submit(small("maml", steps=options.pop("steps")), owner, **options)


def nobody_is_under_way(registry: Registry) -> bool:
    registry.under_way("anyone")  # whatever has ended by now is seen
    places = registry._places
    return not places.running and not places.waiting and set(places.over) == set(registry._jobs)


def test_two_run_two_wait_with_a_position_and_the_fifth_is_told_so(registry):
    line = [submit(registry, f"visitor {i}") for i in range(4)]
    assert [registry.progress(job).position for job in line] == [0, 0, 1, 2]
    assert registry.progress(line[3]).reason == "number 2 in the waiting line"
    with pytest.raises(Busy, match="busy"):
        submit(registry, "visitor 5")
    line[0].stop()
    wait(lambda: line[2].state is JobState.RUNNING)
    assert registry.progress(line[3]).position == 1
    submit(registry, "visitor 5")


def test_one_run_a_visitor(registry):
    job = submit(registry, "a")
    with pytest.raises(Busy, match="other run"):
        submit(registry, "a")
    job.stop()
    assert job.join(PATIENCE)
    wait(lambda: not registry.under_way("a"))
    submit(registry, "a")


def test_twenty_simultaneous_starts(registry):
    gate = threading.Barrier(20)

    def visitor(i: int) -> Job | None:
        gate.wait()
        try:
            return submit(registry, f"visitor {i}")
        except Busy:
            return None

    with ThreadPoolExecutor(20) as pool:
        line = [job for job in pool.map(visitor, range(20)) if job]
    assert len(line) == 4
    states = [job.state for job in line]
    assert states.count(JobState.RUNNING) == 2
    assert sorted(registry.progress(job).position for job in line) == [0, 0, 1, 2]
    for job in line:
        job.stop()
    wait(lambda: all(job.state is JobState.STOPPED for job in line))
    assert nobody_is_under_way(registry)


def test_twenty_starts_of_one_visitor_make_one_run(registry):
    gate = threading.Barrier(20)

    def click(_) -> bool:
        gate.wait()
        try:
            submit(registry, "impatient")
        except Busy:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(click, range(20))) == 1


def test_places_are_given_on_while_jobs_come_and_go():
    registry = Registry(Limits(max_running=2, max_waiting=100))
    line = [submit(registry, str(i), steps=4, pace=None) for i in range(30)]
    wait(lambda: all(job.state is JobState.FINISHED for job in line))
    assert nobody_is_under_way(registry)


def test_a_visitor_who_left_the_line_gives_way(registry):
    registry.limits = Limits(max_running=1, max_waiting=3, grace_seconds=0.1)
    there = threading.Event()
    first, gone, third = (
        submit(registry, name, alive=alive)
        for name, alive in (("a", lambda: True), ("b", there.is_set), ("c", lambda: True))
    )
    assert registry.progress(third).position == 2
    wait(lambda: registry.progress(third).position == 1)
    assert (gone.state, gone.snapshot().reason) == (
        JobState.STOPPED,
        "stopped: the visitor has left",
    )
    first.stop()
    wait(lambda: third.state is JobState.RUNNING)


def test_a_running_job_whose_visitor_left_makes_room(registry):
    registry.limits = Limits(max_running=1, grace_seconds=0.1)
    submit(registry, "a", alive=lambda: False)
    second = submit(registry, "b")
    wait(lambda: second.state is JobState.RUNNING, 3)


def test_two_who_left_the_line_harm_nobody(registry):
    """Neither the one who comes next, nor the one whose run ends."""
    registry.limits = Limits(max_running=1, max_waiting=3, grace_seconds=0)
    there = threading.Event()
    there.set()
    first = submit(registry, "a")
    gone = [submit(registry, name, alive=there.is_set) for name in ("b", "c")]
    there.clear()
    last = submit(registry, "d")
    assert [job.state for job in gone] == [JobState.STOPPED, JobState.STOPPED]
    assert registry.progress(last).position == 1
    first.stop()
    assert first.join(PATIENCE)
    assert last.state is JobState.RUNNING


def test_a_thread_that_cannot_start_costs_no_place(registry, monkeypatch):
    registry.limits = Limits(max_running=1, max_waiting=1)

    def exhausted(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", exhausted)
        failed = [submit(registry, name) for name in ("a", "b", "c")]
    assert [job.state for job in failed] == [JobState.FAILED] * 3
    assert nobody_is_under_way(registry)
    assert submit(registry, "a").state is JobState.RUNNING


def test_reattaching_by_the_token(registry):
    registry.limits = Limits(max_running=1, grace_seconds=0.3)
    there = threading.Event()
    there.set()
    job = submit(registry, "before the reload", alive=there.is_set)
    there.clear()
    assert registry.attach(job.token, "after it", lambda: True) is job
    assert registry.attach("nonsense", "after it", lambda: True) is None
    time.sleep(0.6)
    assert job.state is JobState.RUNNING
    with pytest.raises(Busy, match="other run"):
        submit(registry, "after it")


def test_old_jobs_are_forgotten_but_never_one_under_way():
    registry = Registry(Limits(max_running=2, max_kept=3))
    lasting = submit(registry, "a", pace=5.0)
    for i in range(8):
        job = submit(registry, f"b{i}", steps=2, pace=None)
        assert job.join(PATIENCE)
    assert len(registry._jobs) <= 4
    assert registry.attach(lasting.token, "a", lambda: True) is lasting
    lasting.stop()


# limits


@pytest.mark.parametrize(
    "changes",
    [
        dict(steps=300_001),
        dict(hidden=129),
        dict(meta_batch=257),
        dict(inner_steps=21),
        dict(shots=101),
        dict(queries=101),
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_too_much_is_refused_by_name(registry, changes):
    (name,) = changes
    with pytest.raises(ConfigError, match=f"{name} may be at most"):
        registry.submit(small("maml", **changes), "a")
    assert registry.under_way("a") == []


def test_one_outer_step_has_a_bound_whatever_makes_it_large(registry):
    with pytest.raises(ConfigError, match="too much work"):
        registry.submit(small("maml", hidden=128, meta_batch=256, shots=50), "a")


def test_limits_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("METADEMO_MAX_RUNNING", "5")
    monkeypatch.setenv("METADEMO_GRACE_SECONDS", "2.5")
    limits = Limits()
    assert (limits.max_running, limits.grace_seconds, limits.max_steps) == (5, 2.5, 300_000)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("MAX_RUNNING", "two", "whole number"),
        ("MAX_RUNNING", "1.5", "whole number"),
        ("MAX_WAITING", "-1", "zero or more"),
        ("MAX_SECONDS", "nan", "zero or more"),
        ("MAX_SECONDS", "inf", "zero or more"),
        ("GRACE_SECONDS", "", "a number"),
    ],
)
def test_a_bad_variable_is_named(name, text, message, monkeypatch):
    monkeypatch.setenv(f"METADEMO_{name}", text)
    with pytest.raises(ConfigError, match=f"^METADEMO_{name} .*{message}") as caught:
        Limits()
    assert caught.value.setting == f"METADEMO_{name}"


@pytest.mark.parametrize("limit", described(Limits).values(), ids=described(Limits))
def test_every_limit_is_described_and_can_be_set_by_the_host(limit, monkeypatch):
    assert limit.title
    assert limit.help[-1] == "."
    variable = "METADEMO_" + limit.name.upper()
    monkeypatch.setenv(variable, "7")
    assert getattr(Limits(), limit.name) == 7
    for text in ("many", "-1", ""):
        monkeypatch.setenv(variable, text)
        with pytest.raises(ConfigError, match=f"^{variable} must be ") as caught:
            Limits()
        assert caught.value.setting == variable
