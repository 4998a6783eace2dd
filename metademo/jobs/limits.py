"""What a server allows a training, and where the host says so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from metademo.training import ConfigError, TrainConfig


@dataclass(frozen=True)
class Limits:
    """What a server allows. Each is set by an environment variable, METADEMO_MAX_RUNNING and so on.

    Attributes:
        max_running: jobs at once on the server.
        max_waiting: jobs in the waiting line.
        max_kept: finished jobs that are remembered.
        max_steps, max_hidden, max_meta_batch, max_inner_steps: of a job's config.
        max_examples: largest number of shots and of query points.
        max_step_work: of one outer step: meta-batch x inner steps x points x width squared. It is
            what keeps Pause and Stop prompt, whatever the other limits are.
        max_seconds: wall time of a job, pauses included.
        max_paused_seconds: how long a job may stand still, for others may be waiting.
        grace_seconds: how long a job outlives its visitor.
    """

    max_running: int = 2
    max_waiting: int = 4
    max_kept: int = 60
    max_steps: int = 300_000
    max_hidden: int = 128
    max_meta_batch: int = 256
    max_inner_steps: int = 20
    max_examples: int = 100
    max_step_work: int = 200_000_000
    max_seconds: float = 900.0
    max_paused_seconds: float = 180.0
    grace_seconds: float = 8.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """The limits that the host has set.

        Raises:
            ConfigError: naming the variable, if one is not a number of zero or more.
        """
        changes: dict[str, Any] = {}
        for item in fields(cls):
            name = "METADEMO_" + item.name.upper()
            if name in environment:
                changes[item.name] = _number(name, environment[name], type(item.default))
        return cls(**changes)

    def maximum(self, setting: str) -> int | None:
        """The largest value of a config's setting, or None if only its own range bounds it."""
        if setting in ("shots", "queries"):
            return self.max_examples
        return getattr(self, f"max_{setting}", None)

    def check(self, config: TrainConfig) -> None:
        """Raises ConfigError if `config` asks for more than this server gives."""
        for item in fields(config):
            maximum, value = self.maximum(item.name), getattr(config, item.name)
            if maximum is not None and value > maximum:
                raise ConfigError(
                    f"{item.name} may be at most {maximum:,} on this server, not {value:,}"
                )
        points = config.shots + config.queries
        work = config.meta_batch * (config.inner_steps + 1) * points * config.hidden**2
        if work > self.max_step_work:
            raise ConfigError(
                "one outer step would be too much work for this server: make hidden, meta_batch, "
                f"inner_steps, shots or queries smaller (it is {work / self.max_step_work:.1f} "
                "times what a step may be)"
            )


def _number(name: str, text: str, kind: type) -> float:
    """What an environment variable says, as a number that can be a limit."""
    try:
        value = kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{name} must be {what}, not {text!r}") from None
    if not 0 <= value < float("inf"):
        raise ConfigError(f"{name} must be zero or more, not {text}")
    return value
