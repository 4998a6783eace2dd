"""A new algorithm that takes gradient steps is one class and one row."""

import numpy as np
import pytest
from helpers import ENGINES, assert_near, draw, generic_meta, meta_gradient, small

from metademo import algorithms
from metademo.algorithms import GradientBased
from metademo.algorithms.maml import MAML
from metademo.checkpoints import load
from metademo.command_line import main
from metademo.engines import make_engine, uncovered
from metademo.network import regressor


class Momentous(GradientBased):
    """A toy: its inner steps shrink, which the compiled engine has not heard of."""

    name = "toy"
    title = "Toy"
    summary = "takes smaller and smaller inner steps"

    def step_sizes(self, meta, step):
        return dict.fromkeys(self.moving, self.inner_lr / (step + 1))


class HeadFirst(GradientBased):
    """A toy that both engines can carry out: first order, and only the biases move."""

    name = "toy"
    title = "Toy"
    summary = "moves biases only"
    order = "first"
    compiled = True

    @property
    def moving(self):
        return tuple(name for name in self.network.shapes if name.endswith("bias"))


@pytest.mark.parametrize(("toy", "engine"), [(Momentous, "torch"), (HeadFirst, "fused")])
def test_a_new_algorithm_is_one_class_and_one_row(toy, engine, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(algorithms.ALGORITHMS, "toy", toy)
    assert main(["list"]) == 0
    line = next(ln for ln in capsys.readouterr().out.splitlines() if ln.startswith("  toy "))
    assert line.split() == ["toy", *toy.summary.split()]
    out = tmp_path / "toy.safetensors"
    tiny = ["--hidden", "4", "--steps", "3", "--inner-steps", "2", "--out", str(out)]
    assert main(["train", "toy", "--family", "finn", *tiny]) == 0
    assert f"{engine} engine" in capsys.readouterr().err or engine == "torch"
    saved = load(out)
    assert saved.config.algorithm == "toy"
    assert make_engine(saved.config.learner, saved.meta, optimizer="adam").name == engine
    assert main(["evaluate", str(out), "--tasks", "20"]) == 0
    assert main(["adapt", str(out), "--points", "0,0 1,1"]) == 0


class Wavy(MAML):
    """A toy: MAML with another network, made from a class that the compiled engine covers."""

    @property
    def network(self):
        return regressor(self.hidden, "tanh")


def test_what_a_subclass_changes_is_not_trained_as_what_it_is_made_from():
    assert "does not cover maml" in uncovered(Wavy())
    meta = Wavy().init(np.random.default_rng(0))
    assert make_engine(Wavy(), meta, optimizer="sgd").name == "torch"
    with pytest.raises(ValueError, match="fused engine does not cover maml"):
        make_engine(Wavy(), meta, optimizer="sgd", engine="fused")


def test_engines_agree_on_a_new_algorithm(monkeypatch):
    monkeypatch.setitem(algorithms.ALGORITHMS, "toy", HeadFirst)
    config = small("toy", hidden=8)
    meta, episode = generic_meta(config), draw(config, 3)
    (one, _), (other, _) = (meta_gradient(e, config.learner, meta, episode) for e in ENGINES)
    assert_near(one, other, 1e-10)


def test_query_weights_have_one_for_each_point_along_the_inner_loop():
    config = small("maml", inner_steps=2)
    meta, episode = generic_meta(config), draw(config, 1)
    with pytest.raises(ValueError, match="zip"):
        config.learner.meta_gradient(meta, episode, [1.0, 0.0])
