"""What the Train page says of settings and runs, in plain words. No Streamlit here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from metademo.algorithms import ALGORITHMS
from metademo.described import ConfigError, described
from metademo.engines import uncovered
from metademo.jobs import JobState, Limits, Progress
from metademo.recipes import recipe_of
from metademo.settings import TrainConfig

SETTINGS = described(TrainConfig)
OWN = (
    "inner_lr",
    "outer_lr",
    "inner_steps",
    "shots",
    "queries",
    "meta_batch",
    "hidden",
    "steps",
    "seed",
)
"""The settings that a visitor may choose, in the order in which they are offered."""
ENGINE_NAMES = {"fused": "compiled engine", "torch": "PyTorch engine"}
TRUST_SECONDS = 0.5
"""A run that has lasted this long at the expected speed tells as much about its speed as the
expectation does. Its first moments tell little: they are full of snapshots."""
PLATEAU = {
    ("daml", "original"): "This recipe begins on a plateau, for 20,000 to 120,000 steps as chance "
    "has it: off by 0.63 is what a network gets that cannot tell the two waves apart. Then the "
    "learned loss begins to tell them apart, and the error falls."
}
"""What a visitor should know while watching a recipe, by algorithm and recipe."""


# ---------------------------------------------------------------------------- settings


def describe(config: TrainConfig) -> str:
    """A run's settings in a few words."""
    recipe, changed = recipe_of(config)
    parts = [ALGORITHMS[config.algorithm].title, config.family, recipe]
    parts += [f"{SETTINGS[n].title} {_value(config, n)}" for n in changed]
    return ", ".join(parts)


def brief(config: TrainConfig) -> str:
    """What a run's recipe is and what differs from it, as short as a legend needs it."""
    recipe, changed = recipe_of(config)
    own = [f"{SETTINGS[n].symbol} {_value(config, n)}" for n in changed]
    return ", ".join([recipe, *own[:2], *["…"][: len(own) > 2]])


def _value(config: TrainConfig, name: str) -> str:
    return SETTINGS[name].in_words(getattr(config, name))


def note_on(config: TrainConfig) -> str:
    """What a visitor should know while watching this run, or ""."""
    return PLATEAU.get((config.algorithm, recipe_of(config)[0]), "")


# ---------------------------------------------------------------------------- before a run


def promise(config: TrainConfig, pace: float | None, limits: Limits) -> str:
    """What Start will do, and how long it takes."""
    per_step = max(_expected(config), 1 / pace if pace else 0.0)
    seconds = 0.3 + config.steps * per_step
    text = f"Start trains {describe(config)}, from random weights: {count(config.steps, 'step')}"
    text += f" of {count(config.meta_batch, 'task')}, {_about(seconds)}."
    if seconds > limits.max_seconds:
        text += f" A run is stopped here after {_duration(limits.max_seconds)}."
    return text


def refusal(config: TrainConfig, limits: Limits) -> str:
    """Why this server will not train these settings, with what it would accept, or ""."""
    if _accepts(limits, config):
        return ""
    # Each setting alone may be within its limit, and all together still too much work.
    cures = [
        f"{SETTINGS[name].title} {largest:,} at most"
        for name in ("meta_batch", "hidden", "inner_steps", "shots", "queries", "steps")
        if (largest := largest_accepted(config, name, limits))
    ]
    return (
        "This is too much work for this server. "
        + ("Any one of these would do: " + ", ".join(cures) if cures else "Make several smaller")
        + "."
    )


def largest_accepted(config: TrainConfig, name: str, limits: Limits) -> int | None:
    """The largest value of a setting that the server trains, the others kept; None if none is."""
    low, high = int(SETTINGS[name].low), getattr(config, name)

    def accepts(value: int) -> bool:
        return _accepts(limits, config.changed(**{name: value}))

    if not accepts(low):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepts(middle) else (low, middle)
    return low


def _accepts(limits: Limits, config: TrainConfig) -> bool:
    try:
        limits.check(config)
    except ConfigError:
        return False
    return True


# ---------------------------------------------------------------------------- a run


@dataclass(frozen=True)
class Report:
    """How far a run is: a bar's share from 0 to 1, its text, and whether that is bad news."""

    share: float
    text: str
    bad: bool = False


def report(name: str, progress: Progress, pace: float | None, *, learned: bool = True) -> Report:
    """What the bar says of a run.

    Args:
        name: of the run.
        pace: outer steps per second at most, or None.
        learned: whether the newest snapshot has learned anything; counts for a finished run.
    """
    config, state = progress.config, progress.state
    if state is JobState.WAITING:
        return Report(0.0, f"{name} · Waiting for a free place: {progress.reason}")
    if not progress.step and not state.over:
        return Report(
            0.0,
            f"{name} · Preparing the engine ({progress.seconds:.0f} s): the first run on a server "
            "waits for its compiler, half a minute or so",
        )
    so_far = f"{progress.step:,} of {config.steps:,} outer steps"
    parts = [name, *_OUTCOMES[state](so_far, learned)]
    if state is JobState.RUNNING:
        parts.append(f"{_duration(seconds_left(progress, pace))} left")
    else:
        parts.append(f"{progress.seconds:.1f} s")
    if _trust(progress) > 0.5 and progress.steps_per_second:
        parts.append(f"{_rounded(progress.steps_per_second * config.meta_batch)} tasks/s")
    parts.append(ENGINE_NAMES.get(progress.engine, progress.engine))
    bad = state in (JobState.DIVERGED, JobState.FAILED) or (
        state is JobState.FINISHED and not learned
    )
    return Report(min(1.0, progress.share), " · ".join(part for part in parts if part), bad)


_OUTCOMES: dict[JobState, Callable[[str, bool], list[str]]] = {
    JobState.RUNNING: lambda so_far, _: [so_far],
    JobState.PAUSED: lambda so_far, _: [f"Paused at {so_far}"],
    JobState.STOPPED: lambda so_far, _: [f"Stopped at {so_far}"],
    JobState.DIVERGED: lambda so_far, _: [f"Diverged after {so_far}"],
    JobState.FAILED: lambda so_far, _: [f"Failed after {so_far}"],
    JobState.FINISHED: lambda so_far, learned: [
        "Finished" if learned else "Finished, but not learned",
        so_far,
    ],
}


def ending(progress: Progress) -> str:
    """Why a run ended before its last step, or ""."""
    if progress.state in (JobState.DIVERGED, JobState.FAILED):
        what = "diverged" if progress.state is JobState.DIVERGED else "failed"
        kept = f"The last good weights, of step {progress.step:,}, are on the charts."
        return f"The training {what}: {progress.reason}. {kept}"
    if progress.state is JobState.STOPPED and progress.reason != "stopped":
        return f"The run was {progress.reason}. What it had reached by then is kept."
    return ""


def seconds_left(progress: Progress, pace: float | None = None) -> float:
    """An estimate that begins with what the settings promise and ends with what was measured."""
    per_step, trust = _expected(progress.config), _trust(progress)
    if progress.steps_per_second:
        per_step = trust / progress.steps_per_second + (1 - trust) * per_step
    if pace:
        per_step = max(per_step, 1 / pace)
    return (progress.config.steps - progress.step) * per_step


def _trust(progress: Progress) -> float:
    """From 0 to 1: how much the measured speed counts beside the expected one."""
    return progress.step / (progress.step + TRUST_SECONDS / _expected(progress.config))


def _expected(config: TrainConfig) -> float:
    """Seconds per outer step: a guess from measured speeds of products, and of calls."""
    work, learner = config.step_work, config.learner
    if not uncovered(learner):
        return work / 8e9
    return 2.5e-3 + work / (6e8 if learner.trained_steps else 2e9)


def _about(seconds: float) -> str:
    return f"about {_duration(max(2.0, seconds))}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return count(max(1, round(seconds)), "second")
    return count(round(seconds / 60), "minute")


def _rounded(value: float) -> str:
    """Two significant digits, so that a fluctuating speed can be read."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.1f}"


def count(n: int, what: str) -> str:
    return f"{n:,} {what}" + "s" * (n != 1)
