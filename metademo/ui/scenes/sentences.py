"""Numbers and settings in words. No Streamlit here.

Whatever a page says is put together from what was computed, so that it holds for any points.
"""

from __future__ import annotations

import math

from metademo.algorithms import GradientBased, Learner
from metademo.checkpoints import Checkpoint
from metademo.settings import TrainConfig
from metademo.tasks import SourceBand, WaveFamily, as_waves
from metademo.ui.scenes.facts import unfold

LOSSES = {"l1": "the mean |error|", "mse": "the mean squared error"}
IN_WORDS = {
    "maml": "meta-trained",
    "daml": "the network",
    "pretrained": "trained the ordinary way",
    "random": "not trained at all",
}
RAN_AWAY = "it has run away: choose a smaller inner learning rate."
LEARNED_LOSSES = {
    "absolute": "the learned loss is $|g_\\psi|$ with plain ReLUs, as in the article",
    "squared": "the learned loss is $g_\\psi^2 / 2$, with leaky units",
}
OPTIMIZERS = {"sgd": "plain gradient descent (SGD)", "adam": "Adam"}


def after(k: int) -> str:
    return "Before any step" if k == 0 else f"After {k} step{'s' * (k > 1)}"


def ran_away(error: float) -> bool:
    """Whether an error is beyond anything that could be drawn."""
    return not error < 1e6


def number(value: float) -> str:
    """A distance as a sentence gives it: 0.07, 1.25, 340, less than 0.01."""
    if ran_away(value):
        return "more than a million"
    if value < 0.005:
        return "less than 0.01"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def went(before: str, now: str, *, falls: bool) -> str:
    """A number's way, such as "falls from 0.70 to 0.21"."""
    if unfold(before)[0] == unfold(now)[0]:
        return f"stays at {now}"
    return f"{'falls' if falls else 'rises'} from {before} to {now}"


def wave_name(phase: float, amplitude: float = 1.0) -> str:
    """A wave in words: sin(x), sin(x + π), sin(x − 57°), 2.5 sin(x + 10°). Phase in radians."""
    degrees = round(math.degrees(phase)) % 360
    degrees -= 360 * (degrees > 180)
    sign = "−" if degrees < 0 else "+"
    inner = {0: "x", 180: "x + π"}.get(degrees, f"x {sign} {abs(degrees)}°")
    height = f"{amplitude:.3g}"
    return f"sin({inner})" if height == "1" else f"{height} sin({inner})"


def band_in_words(band: SourceBand) -> str:
    """What inputs from a band of the source domain mean."""
    low, high = (wave_name(phase) for phase in band.phases)
    return f"means {low}" if band.means_one else f"each input means its own wave: {low} to {high}"


def family_in_words(family: WaveFamily) -> str:
    """The waves of a family, such as "sine waves sin(x + b) with b anywhere from 0° to 180°"."""
    if family.two_phase and family.unit_amplitude:
        return "two sine waves, {} and {}".format(*map(wave_name, family.phases))
    low, high = (f"{math.degrees(phase):.0f}°".replace("-", "−") for phase in family.phases)
    phases = f"b {low} or {high}" if family.two_phase else f"b anywhere from {low} to {high}"
    if family.unit_amplitude:
        return f"sine waves sin(x + b) with {phases}"
    heights = "{:g} to {:g}".format(*family.amplitudes)
    return f"sine waves A sin(x + b) with A from {heights} and {phases}"


def promise(config: TrainConfig) -> str:
    """What the MAML page holds out, true for any number of points and steps."""
    return (
        f"This network has learned to learn {family_in_words(as_waves(config.task_family))}. "
        "Click where yours should pass, and watch a few gradient steps bend the network to it."
    )


def preparation(checkpoint: Checkpoint) -> str:
    """How large a network is, and what it has practised."""
    config = checkpoint.config
    learner = config.learner
    shapes = learner.network.shapes if isinstance(learner, GradientBased) else learner.shapes
    weights = sum(math.prod(shape) for shape in shapes.values())
    if not checkpoint.steps:
        return f"{weights:,} of them, to which no outer step has been done here."
    tasks = checkpoint.steps * config.meta_batch
    return (
        f"{weights:,} of them, prepared by {config.learner.title} on {tasks:,} tasks, each with "
        f"points of its own, of one family: {family_in_words(as_waves(config.task_family))}."
    )


def inner_loop(checkpoint: Checkpoint) -> str:
    """The inner loop of trained weights in numbers."""
    learner = checkpoint.config.learner
    if not isinstance(learner, GradientBased):
        return f"{learner.title} takes no gradient steps."
    alpha = f"$\\alpha$ = {learner.inner_lr:g}"
    if learner.learns_step_sizes:
        alpha = f"step sizes that were learned, from {alpha} on"
    return (
        f"$L$ is {losses_of(learner)[0]}; they were trained with {alpha} and "
        f"$S$ = {learner.trained_steps}."
    )


def outer_loop(checkpoint: Checkpoint) -> str:
    """The outer loop of trained weights in numbers."""
    config = checkpoint.config
    if not checkpoint.steps:
        return "No outer step has been done here."
    peak = "" if config.schedule == "constant" and not config.warmup else " at its peak"
    return (
        f"{checkpoint.steps:,} outer steps by {OPTIMIZERS[config.optimizer]}, with $\\beta$ = "
        f"{config.outer_lr:g}{peak} and meta-batches of {config.meta_batch}. "
        f"$L_{{\\text{{query}}}}$ is {LOSSES[config.loss]}."
    )


def learned_loss(checkpoint: Checkpoint) -> str:
    """How the learned loss of trained weights is made, and their outer loop in numbers."""
    kind = checkpoint.config.learned_loss
    return f"{LEARNED_LOSSES[kind]}; {outer_loop(checkpoint)}"


def descent(learner: Learner) -> str:
    """What the inner loop descends."""
    if not isinstance(learner, GradientBased):
        return f"{learner.title} takes no gradient steps."
    if learner.unlabelled:
        return "Each inner step descends the learned loss, which sees an unlabelled input alone."
    return f"Each inner step descends {losses_of(learner)[0]} on the points."


def losses_in_words(learner: Learner) -> str:
    """What the inner loop descends, and what the network was judged by in training."""
    if not isinstance(learner, GradientBased):
        return descent(learner)
    steps = learner.trained_steps
    when = f"after {steps} step{'s' * (steps != 1)}" if steps else "without any step"
    if learner.intermediate_weight:
        when += " (and a little on the way there)"
    points = "labelled points" if learner.unlabelled else "further points"
    return (
        f"{descent(learner)} In training the network was judged {when}, by "
        f"{losses_of(learner)[1]} at {points} of the wave."
    )


def losses_of(learner: GradientBased) -> tuple[str, str]:
    """What the inner loop and the outer loop measure on labelled points, in words."""
    inner = learner.support_loss or learner.loss
    return LOSSES[inner], LOSSES[learner.loss]
