"""Training scripts that are taken home: the same recipe, and so as good a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import PAIRS
from safetensors.torch import load_file
from subjects import WITHOUT_WORDS

from metademo.algorithms.alpaca import ALPaCA
from metademo.algorithms.cnp import CNP
from metademo.algorithms.in_context import InContext
from metademo.algorithms.maml import MAML
from metademo.export import training
from metademo.export.training import training_script
from metademo.recipes import RECIPES, configure
from metademo.scores import Conditions, measure
from metademo.settings import TrainConfig
from metademo.tasks import wave_families
from metademo.training import MetaTrainer

FEW = dict(hidden=12, steps=12, meta_batch=4)
FEW_TASKS = Conditions(tasks=40)
CONFIGS = {
    f"{name} on {family}": configure(name, family, **FEW)
    for name, family in PAIRS
    if name not in WITHOUT_WORDS and family in wave_families()
}
CONFIGS |= {
    f"{recipe}, {name} on {family}": configure(name, family, recipe, **FEW)
    for recipe, name, family in (
        ("original", "maml", "two-phase"),
        ("original", "daml", "any-phase"),
        ("best", "daml", "two-phase"),
        ("best", "maml++", "any-phase"),
        ("finn", "meta-sgd", "finn"),
        ("finn-best", "maml++w", "finn"),
    )
}
CONFIGS["weighted along the way"] = configure(
    "maml++", "two-phase", intermediate_weight=0.2, **(FEW | {"seed": 3})
)
CONFIGS["no inner step"] = configure("maml", "finn", inner_steps=0, **FEW)
CONFIGS["all points, and no standard deviation"] = configure(
    "in-context", "any-phase", fewest_shots=None, loss="mse", **FEW
)
CONFIGS["fewer points than are to be shown"] = configure(
    "alpaca", "any-phase", fewest_shots=4, shots=3, inner_steps=5, **FEW
)
CONFIGS |= {
    f"learned step sizes of {name}": configure(name, "finn", step_size="learned", **FEW)
    for name in ("maml", "fomaml", "anil")
}
CONFIGS["tanh"] = configure("fomaml", "two-phase", activation="tanh", **FEW)


def run(config: TrainConfig, name: str = "taken home") -> dict:
    text = training_script(config)
    assert "metademo" not in text
    space = {"__name__": name}
    exec(compile(text, "script", "exec"), space)
    return space


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_it_reaches_the_same_error(config, monkeypatch):
    """In a few steps rounding has not come far: the losses and the weights are the same, too."""
    trainer = MetaTrainer(config, engine="torch")
    losses = next(trainer.run(every=config.steps)).query_losses
    monkeypatch.setattr(training, "Conditions", lambda: FEW_TASKS)
    found = run(config)
    theta, own = found["train"](report=lambda text: None)
    np.testing.assert_allclose(own, losses, rtol=2e-3)
    assert theta.keys() == trainer.meta.keys()
    for name, value in trainer.meta.items():
        if name.endswith(
            "keys.bias"
        ):  # shifts all scores of a softmax alike: Adam follows rounding
            continue
        torch.testing.assert_close(theta[name], value, rtol=0.02, atol=2e-3, msg=name)
    expected = measure(config, trainer.meta, FEW_TASKS).mean
    np.testing.assert_allclose(found["held_out_errors"](theta), expected, rtol=0.01, atol=1e-3)


@pytest.mark.parametrize("recipe", RECIPES)
def test_its_numbers_are_those_of_the_recipe(recipe):
    family = (RECIPES[recipe].families or ("any-phase",))[0]
    config = configure("maml", family, recipe)
    found = run(config)
    rates = config.learning_rates(0, config.steps)
    for step in (0, 1, config.steps // 30, config.steps // 2, config.steps - 1):
        assert found["learning_rate"](step) == pytest.approx(rates[step], rel=1e-9)
    assert (found["STEPS"], found["META_BATCH"]) == (config.steps, config.meta_batch)


def test_steps_that_run_away_are_left_out_or_end_it():
    wild = dict(steps=6, inner_lr=3.0, inner_steps=12, meta_batch=2, clip=None, hidden=32)
    config = configure("maml", "finn", "finn-best", **(wild | {"skips": 500}))
    trainer = MetaTrainer(config, engine="torch")
    losses = next(trainer.run(every=6)).query_losses
    assert trainer.skipped
    np.testing.assert_allclose(run(config)["train"](str)[1][:2], losses[:2], rtol=1e-3)
    with pytest.raises(SystemExit, match="It diverged at outer step 1"):
        run(config.changed(skips=0))["train"](str)


def test_run_as_a_program_it_tells_of_itself_and_keeps_the_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(CONFIGS["daml on two-phase"], "__main__")
    told = capsys.readouterr().out
    assert "outer step 12: query loss" in told
    assert told.count("held-out error after") == 6
    kept = load_file("daml-two-phase.safetensors")
    assert kept.keys() == CONFIGS["daml on two-phase"].learner.shapes.keys()


def test_it_is_written_as_our_own_code_is(tmp_path):
    for number, config in enumerate(CONFIGS.values()):
        Path(tmp_path, f"script_{number}.py").write_text(training_script(config), encoding="utf-8")
    config = ["--config", str(Path(__file__).resolve().parent.parent / ".ruff.toml")]
    for command in (["check"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_subclass_changes_is_not_told_as_what_it_is_made_from():
    class Odd(MAML):
        def outer_loss(self, meta, episode, weights=None):
            return 2 * super().outer_loss(meta, episode, weights)

    class Drawn(MAML):
        def init(self, rng):
            return super().init(rng)

    class Generous(ALPaCA):
        def _shown(self, support, query):
            return torch.ones_like(support.x)

    class Normal(InContext):
        def init(self, rng):
            return super().init(rng)

    for told in (MAML(), ALPaCA(), InContext(), CNP()):
        assert told.training_in_torch() is not None
    for learner in (Odd(), Drawn(), Generous(), Normal()):
        assert learner.training_in_torch() is None
        assert learner.in_torch() is not None
