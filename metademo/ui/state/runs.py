"""The runs of one visit: started here, found again after a reload, named, compared, kept for play.

The jobs themselves live in a registry that the whole server shares; a visitor's session holds which
of them are the visitor's own. Their tokens stand in the address of the Train page.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from metademo.checkpoints import Checkpoint
from metademo.described import ConfigError, titled
from metademo.jobs import Busy, Job, Progress, Snapshot
from metademo.settings import TrainConfig
from metademo.ui.scenes.train_kind import RunKind
from metademo.ui.scenes.train_scene import kind_of
from metademo.ui.scenes.train_words import brief, describe
from metademo.ui.server.trainings import registry as registry  # the pages have it from here

MAX_RUNS = 6
"""How many runs lie over each other on the charts."""
TOKEN = "run"


@dataclass
class Run:
    """One run of this visit, with what shows its present snapshots."""

    number: int
    job: Job
    kind: RunKind = field(init=False)

    def __post_init__(self) -> None:
        self.kind = kind_of(self.job.config)

    @property
    def config(self) -> TrainConfig:
        return self.job.config

    @property
    def name(self) -> str:
        return f"run {self.number}"

    @property
    def title(self) -> str:
        return f"{self.name}: {describe(self.config)}"

    @property
    def label(self) -> str:
        """For a legend."""
        return f"{self.name} ({brief(self.config)})"

    @property
    def progress(self) -> Progress:
        return registry().progress(self.job)

    @property
    def started(self) -> bool:
        """Whether there is anything to see of it."""
        return bool(self.job.snapshot().snapshots)

    def snapshot(self, step: int | None) -> Snapshot:
        """The snapshot of an outer step, or the newest if there is none of it."""
        kept = self.job.snapshot().snapshots
        return next((s for s in kept if s.step == step), kept[-1])

    def checkpoint(self, snapshot: Snapshot) -> Checkpoint:
        return Checkpoint(self.config, snapshot.meta, snapshot.step)


class Visit:
    """The visitor's runs, in the session."""

    def __init__(self) -> None:
        self._state = st.session_state.setdefault(
            "train visit",
            {
                "owner": secrets.token_hex(8),
                "runs": {},
                "chosen": None,
                "count": 0,
                "seen": set(),
                "refusal": (None, ""),
                "notices": [],
            },
        )

    @property
    def runs(self) -> list[Run]:
        return list(self._state["runs"].values())

    @property
    def chosen(self) -> Run | None:
        """The run on the stage."""
        return self._state["runs"].get(self._state["chosen"])

    @property
    def under_way(self) -> Run | None:
        """The run that trains or waits."""
        return next((run for run in self.runs if not run.job.state.over), None)

    def refusal(self, config: TrainConfig) -> str:
        """Why the last press of Start, if it was with these settings, started nothing; or ""."""
        refused, reason = self._state["refusal"]
        return reason if refused == config else ""

    @property
    def notices(self) -> list[str]:
        """What happened to runs without the visitor's doing, since the last press of Start."""
        return self._state["notices"]

    def choose(self, token: str) -> None:
        self._state["chosen"] = token

    def start(self, config: TrainConfig, pace: float | None) -> None:
        """Start a run, or say in `refusal` why there is none."""
        if self.under_way:  # a second click on the button
            return
        self._state.update(refusal=(None, ""), notices=[])
        try:
            job = registry().submit(config, self._state["owner"], pace=pace, alive=_presence())
        except (Busy, ConfigError) as fault:
            self._state["refusal"] = config, _in_words(fault)
        else:
            self._add(job)

    def remove(self, run: Run) -> None:
        """Forget a run; the last one started of the others comes on the stage."""
        run.job.stop()
        self._state["runs"].pop(run.job.token, None)
        if self.chosen is None and self.runs:
            self.choose(self.runs[-1].job.token)

    def follow_address(self) -> None:
        """Find the runs that the address names, after a reload."""
        for token in st.query_params.get_all(TOKEN)[:MAX_RUNS]:
            if token in self._state["seen"]:  # removed runs do not come back either
                continue
            self._state["seen"].add(token)
            job = registry().attach(token, self._state["owner"], _presence())
            if job is not None:
                self._add(job)
            else:
                self._state["notices"].append(
                    "A run in the address is no longer kept on this server."
                )

    @property
    def address(self) -> str:
        """Names the runs of this visit in the address, so that a reload finds them."""
        return urlencode([(TOKEN, run.job.token) for run in self.runs])

    def _add(self, job: Job) -> None:
        """Take a run in: it comes on the stage, unless another is under way."""
        self._state["seen"].add(job.token)
        self._state["count"] += 1
        self._state["runs"][job.token] = Run(self._state["count"], job)
        self.choose((self.under_way or self.runs[-1]).job.token)
        for run in self.runs[:-MAX_RUNS]:
            del self._state["runs"][run.job.token]
            self._state["notices"].append(
                f"{run.name.capitalize()} was taken off the charts: they hold {MAX_RUNS} runs. "
                "Remove those you do not need to keep the others."
            )


def _in_words(fault: Busy | ConfigError) -> str:
    return titled(TrainConfig, fault) if isinstance(fault, ConfigError) else str(fault)


def _presence() -> Callable[[], bool]:
    """A question that any thread may ask: is this session still connected?"""
    context = get_script_run_ctx(suppress_warning=True)
    session = context.session_id if context else ""

    def connected() -> bool:
        try:
            return bool(get_instance().is_active_session(session))
        except RuntimeError:  # without a server, as in tests, nobody can leave
            return True

    return connected
