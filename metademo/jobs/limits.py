"""What a server allows a training, and where the host says so."""

from __future__ import annotations

from pydantic import Field

from metademo.described import ConfigError
from metademo.environment import FromEnvironment
from metademo.settings import TrainConfig


class Limits(FromEnvironment):
    """What a server allows; an environment variable METADEMO_MAX_RUNNING sets `max_running`, etc.

    Raises:
        ConfigError: naming the variable, if one is not a number of zero or more.
    """

    max_running: int = Field(
        2, ge=0, title="running jobs", description="Jobs at once on the server."
    )
    max_waiting: int = Field(4, ge=0, title="waiting jobs", description="Jobs in the waiting line.")
    max_kept: int = Field(
        60,
        ge=0,
        title="kept jobs",
        description="Finished jobs that are remembered.",
    )
    max_steps: int = Field(300_000, ge=0, title="outer steps", description="Outer steps of a job.")
    max_hidden: int = Field(
        128, ge=0, title="hidden width", description="Units in each hidden layer."
    )
    max_meta_batch: int = Field(
        256, ge=0, title="meta-batch", description="Tasks of an outer step."
    )
    max_inner_steps: int = Field(
        20, ge=0, title="inner steps", description="Inner steps of an adaptation."
    )
    max_examples: int = Field(
        100, ge=0, title="examples", description="Shots, and query points, of a task."
    )
    max_step_work: int = Field(
        200_000_000,
        ge=0,
        title="work of a step",
        description="`TrainConfig.step_work`. It is what keeps Pause and Stop prompt, whatever the "
        "other limits are.",
    )
    max_seconds: float = Field(
        900.0, ge=0, title="seconds", description="Wall time of a job, pauses included."
    )
    max_paused_seconds: float = Field(
        180.0,
        ge=0,
        title="paused seconds",
        description="How long a job may stand still, for others may be waiting.",
    )
    grace_seconds: float = Field(
        8.0, ge=0, title="grace seconds", description="How long a job outlives its visitor."
    )

    def maximum(self, setting: str) -> int | None:
        """The largest value of a config's setting, or None if only its own range bounds it."""
        if setting in ("shots", "queries"):
            return self.max_examples
        return getattr(self, f"max_{setting}", None)

    def check(self, config: TrainConfig) -> None:
        """Raises ConfigError if `config` asks for more than this server gives."""
        for name, value in config:
            maximum = self.maximum(name)
            if maximum is not None and value > maximum:
                raise ConfigError(f"may be at most {maximum:,} on this server, not {value:,}", name)
        if config.step_work > self.max_step_work:
            raise ConfigError(
                "one outer step would be too much work for this server: make hidden, meta_batch, "
                "inner_steps, shots or queries smaller (it is "
                f"{config.step_work / self.max_step_work:.1f} times what a step may be)"
            )
