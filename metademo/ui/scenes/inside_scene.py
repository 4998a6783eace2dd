"""From one inner loop to pictures of why it works: where it walks, and what a learned loss sees.

All sentences are put together from what was computed, so they hold for any points. No Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from metademo.algorithms import GradientBased
from metademo.analysis.gradients import Seen, Slopes, instead, seen, slopes
from metademo.analysis.ground import (
    ALONG,
    Plane,
    Slice,
    random_plane,
    reach_of,
    slice_of,
    walked_plane,
)
from metademo.analysis.walk import Walk, start_of
from metademo.figures import style_of
from metademo.models import Model
from metademo.moments.views import DamlView
from metademo.tasks import PI, Array, WaveFamily
from metademo.ui.components.kernel.curves import Curve, Panel, Scene, Series, Ticks, pi_ticks
from metademo.ui.components.kernel.insights import (
    ImageFigure,
    Insight,
    Line,
    LineFigure,
    MapFigure,
    Rows,
    span_of,
)
from metademo.ui.scenes.scenes import Y_RANGE, look
from metademo.ui.scenes.sentences import IN_WORDS, after, number, ran_away

ALONG_TICKS = Ticks((-1, 0, 1), ("−1", "0: no step", "1: all steps"))
LANDED = 1 / 3
"""A walk has landed if it leaves less than that of the error it began with."""
ALIKE = 0.7
"""A cosine from which on two gradients point much the same way: 45° or less."""
TOP = 1.6
"""The greatest error that a slice shows, in amplitudes: that of a wave upside down is 1.27."""
EVERY = 8
"""Maps measure the error on every eighth point of the grid, which is fifty."""
SOURCES = np.linspace(-PI / 2, PI / 2, 61)
SWAPPED = {
    "truth": "its own weights, on the true error",
    "maml": "MAML’s weights, on this learned loss",
    "pretrained": "ordinary weights, on this learned loss",
    "random": "untrained weights, on this learned loss",
}
"""What is then descended, and from which weights."""
SWAPS = {
    "truth": "the true error",
    "maml": "MAML’s weights",
    "pretrained": "ordinary weights",
    "random": "untrained weights",
}
"""The same in short: what is put in the place of the learned loss, or of its weights."""
STANDS_STILL = "Nothing to see inside: without points the network takes no steps."
NO_STEPS = "Nothing to see inside: this learner takes no gradient steps."
AWAY = "The weights have run away, so there is no ground to show: choose a smaller α."


def away(walk: Walk) -> bool:
    """Whether a walk has led beyond anything that could be drawn."""
    return walk.ran_away or ran_away(float(walk.true_losses.max()))


# ------------------------------------------------------------------------ the ground


def ground(walk: Walk, name: str, contrasts: Mapping[str, Walk]) -> list[Insight]:
    """What a walk goes over: a slice of the losses along it, and planes.

    Args:
        name: of the style of the one who walks.
        contrasts: the same task walked by others, by their style.
    """
    return [_slices({name: walk, **contrasts}), _planes(walk, name)]


def _slices(walks: Mapping[str, Walk]) -> Insight:
    figures = [_slice(name, walk) for name, walk in walks.items() if not away(walk)]
    return Insight(
        "A straight line through the weights",
        "Each network has its weights θ₀ at 0 and those after the last step at 1; what lies "
        "between and beyond are weights on the line through both. The error is measured against "
        "the wave, and against the same wave upside down.",
        figures,
    )


def _slice(name: str, walk: Walk) -> LineFigure:
    found = slice_of(walk)
    amplitude = max(1e-9, float(walk.truth.labels.abs().max()))
    lines = [
        Line("error", found.true, *look(name), width=2.5),
        Line("upside down", found.mirror, *look("truth")),
    ]
    if not walk.learner.unlabelled:
        lines.append(Line("loss on the points", found.inner, look(name)[0], "dot", 1.5))
    return LineFigure(
        _whose(name),
        [_slice_in_words(found)],
        lines,
        (float(ALONG[0]), float(ALONG[-1])),
        "s: how far along the way from θ₀",
        ALONG_TICKS,
        dots=list(zip(found.at, walk.true_losses.tolist(), strict=True)),
        top=TOP * amplitude,
    )


def _whose(name: str) -> str:
    return {"daml": "Meta-trained with its loss"}.get(name, IN_WORDS[name].capitalize())


def _slice_in_words(found: Slice) -> str:
    start, end = (int(np.argmin(np.abs(found.s - s))) for s in (0, 1))
    way = f"Its steps lead {number(found.length)} far, among weights of length {found.norm:.0f}."
    change = (
        f"The error goes from {number(found.true[start])} to {number(found.true[end])}; upside "
        f"down, from {number(found.mirror[start])} to {number(found.mirror[end])}."
    )
    return f"{way} {change} {_valleys(found)}"


def _valleys(found: Slice) -> str:
    """Whether there is a valley for the wave on one side, and for its mirror on the other."""
    start = int(np.argmin(np.abs(found.s)))
    here, there = found.true, found.mirror
    ahead, back = here[start:].min() < here[start] / 2, there[:start].min() < there[start] / 2
    if ahead and back:
        return "So it stands on a ridge between two valleys: one for the wave, one for its mirror."
    if ahead:
        return "So there is a valley for this wave ahead, and none for its mirror behind."
    return "There is no valley within reach."


def _planes(walk: Walk, name: str) -> Insight:
    quick, reach = walk.every(EVERY), reach_of(walk)
    errors = walk.true_losses.numpy()  # on the whole grid, as the chart tells them
    walked = Plane(quick, walked_plane(walk), reach)
    figures = [_map("Error against the wave", name, walked, walked.true, errors)]
    if not walk.learner.unlabelled:
        about = "Loss on the points"
        figures.append(_map(about, name, walked, walked.inner, walked.inner_at_steps))
    random = Plane(quick, random_plane(walk), reach)
    flat = _map("Error, in a random plane", name, random, random.true, errors, random=True)
    figures.append(replace(flat, span=span_of(walked.true)))
    return Insight(
        "A plane through the weights",
        "Of all planes through θ₀ the one that the walk leaves least (the singular vectors of "
        "θₖ − θ₀, not centred), both axes on one scale; the more colour, the less the loss. At "
        "each step stands its true loss. For contrast, a random plane of the same size, in the "
        "same colours (directions normalised unit by unit, its bias with its weights).",
        figures,
    )


def _map(
    title: str, name: str, plane: Plane, values: Array, losses: Array, *, random: bool = False
) -> MapFigure:
    return MapFigure(
        title,
        [
            _place_in_words(k, float(losses[k]), float(share), random)
            for k, share in enumerate(plane.lost)
        ],
        values,
        float(plane.places[-1]),
        plane.steps,
        losses,
        plane.lost,
        look(name)[0],
    )


def _place_in_words(k: int, loss: float, lost: float, random: bool) -> str:
    if k == 0:
        return f"Before any step, at θ₀ in the middle: {number(loss)}."
    off = f"{100 * lost:.0f} %" if lost >= 0.005 else "Less than 1 %"
    seen_as = ": it seems to stay where it began" if random and lost > 0.9 else ""
    return f"{after(k)}: {number(loss)}. {off} of its way is off this plane{seen_as}."


# ------------------------------------------------------------------------ the slopes


def _slope_panels(found: Slopes) -> list[Panel]:
    """Both losses along a walk, the lengths of their gradients, and the angle between those."""
    mine, true = look("daml"), look("truth")

    def both(title: str, learned: Array, error: Array) -> Panel:
        lines = [
            Series("learned loss", learned.tolist(), *mine),
            Series("true error", error.tolist(), *true),
        ]
        return Panel(title, lines, log=True)

    return [
        both("Both losses", found.inner, found.true),
        both("Length of their gradients", found.inner_length, found.true_length),
        Panel(
            "Cosine between the gradients",
            [Series("cosine", found.cosine.tolist(), *mine)],
            note="1: they point the same way; 0: at right angles. Where one of them is zero it is "
            "undefined.",
            without="undefined",
        ),
    ]


# ------------------------------------------------------------------------ the learned loss


def meant(view: DamlView, family: WaveFamily) -> str:
    """What the truth of a walk from a source input is, see `source_walk`."""
    known = family.band_of(view.source) is not None
    return "the wave it stands for" if known else "the wave it comes nearest to"


def learned_loss(walk: Walk, view: DamlView) -> list[Insight]:
    """What a learned loss is along the walk, and what it sees and makes of it."""
    found, slope = seen(walk, SOURCES), slopes(walk)
    return [
        Insight(
            "Which way the learned loss points",
            _slopes_in_words(slope),
            (),
            _slope_panels(slope),
        ),
        Insight(
            "What the learned loss sees",
            "It looks at the hidden activations h₁ and h₂ and the output y, here at each source "
            "input xₛ; the dashed line is yours. Each row is one unit, relative to the most it "
            "ever does (below zero in the colour of the text). Move over a row, or use the arrow "
            "keys, to ask what it is.",
            (_looked_at(found, view), _answered(found, view), _output(found)),
        ),
    ]


def _slopes_in_words(found: Slopes) -> str:
    cosine, ratio = found.cosine[0], found.inner_length[0] / max(found.true_length[0], 1e-12)
    if not np.isfinite(cosine):
        return "Before the first step one of the gradients is zero, so they have no angle."
    apart = np.degrees(np.arccos(cosine))
    return (
        f"Before the first step the gradient of the learned loss is {number(ratio)} times as long "
        f"as that of the true error, and {apart:.0f}° off its direction (cosine {cosine:.2f}). "
        + _landing(found.true, cosine)
    )


def _landing(errors: Array, cosine: float) -> str:
    """What the outer loop has taught the loss, as far as this walk bears it out."""
    way = f"from {number(errors[0])} to {number(errors[-1])}"
    if errors[-1] < LANDED * errors[0] and cosine < ALIKE:
        return (
            "The outer loop has not taught it the slope of the error. It has taught it where to "
            f"land: the error goes {way}."
        )
    return f"From here its steps take the error {way}."


def _relative(values: Array) -> Array:
    """Each row relative to the most that it does in any step: (S + 1, rows, places)."""
    most = np.abs(values).max(axis=(0, 2), keepdims=True)
    return values / np.where(most > 0, most, 1)


def _looked_at(found: Seen, view: DamlView) -> ImageFigure:
    h1, h2 = found.h1, found.h2
    return ImageFigure(
        "What it looks at: h₁, h₂ and y",
        _one_sentence(h1, h2),
        np.concatenate([_relative(h1), _relative(h2), _relative(found.y[:, None])], axis=1),
        (
            Rows("h₁", [f"Unit {i + 1} of h₁{_most(row)}" for i, row in enumerate(h1[0])]),
            Rows("h₂", [f"Unit {i + 1} of h₂{_most(row)}" for i, row in enumerate(h2[0])]),
            Rows("y", ["The output y, negative in the text’s colour"]),
        ),
        **_over_sources(view),
    )


def _one_sentence(*layers: Array) -> list[str]:
    said = []
    for k in range(len(layers[0])):
        silent = sum(int((~layer[k].any(axis=1)).sum()) for layer in layers)
        units = sum(layer.shape[1] for layer in layers)
        said.append(f"{after(k)} {silent} of {units} units are closed on the whole line.")
    return said


def _most(row: Array) -> str:
    """Where a unit does most."""
    if not row.any():
        return ": closed on the whole line before any step."
    return f": before any step at most {row.max():.2f}, at xₛ = {SOURCES[row.argmax()]:.2f}."


def _answered(found: Seen, view: DamlView) -> ImageFigure:
    return ImageFigure(
        "What its own units do",
        _told_apart(found),
        np.concatenate([_relative(found.units1), _relative(found.units2)], axis=1),
        (
            Rows("1st", [_answers(i, row, found) for i, row in enumerate(found.answers)]),
            Rows(
                "2nd", [f"Unit {i + 1} of its second layer" for i in range(found.units2.shape[1])]
            ),
        ),
        **_over_sources(view),
    )


def _answers(unit: int, weights: Array, found: Seen) -> str:
    """What one unit of the loss network answers to most."""
    names = ["y"]
    names += [f"h₂ {i + 1}" for i in range(found.h2.shape[1])]
    names += [f"h₁ {i + 1}" for i in range(found.h1.shape[1])]
    order = np.argsort(-np.abs(weights))[:3]
    total = np.abs(weights).sum()
    if not total:
        return f"Unit {unit + 1} of its first layer answers to nothing"
    parts = [f"{'−' if weights[i] < 0 else '+'}{names[i]}" for i in order]
    share = np.abs(weights[order]).sum() / total
    most = f"{', '.join(parts)} ({share:.0%} of all)"
    return f"Unit {unit + 1} of its first layer answers most to {most}"


def _told_apart(found: Seen) -> list[str]:
    """How many of the loss network's units tell one half of the source line from the other."""
    half = len(found.inputs) // 2
    said = []
    for k in range(len(found.units1)):
        units = np.concatenate([found.units1[k], found.units2[k]])
        left, right = units[:, :half].mean(axis=1), units[:, -half:].mean(axis=1)
        spread = np.maximum(units.std(axis=1), 1e-12)
        telling = int((np.abs(left - right) > spread).sum())
        said.append(
            f"{after(k)} {telling} of {len(units)} units do something else on the left than on the "
            "right: by these it can be told which wave is meant."
        )
    return said


def _output(found: Seen) -> LineFigure:
    return LineFigure(
        "What it puts out: g",
        [
            f"{after(k)} g goes from {row[0]:.2f} at the left end over {row[len(row) // 2]:.2f} to "
            f"{row[-1]:.2f}. The step drives it towards zero at your input.".replace("-", "−")
            for k, row in enumerate(found.g)
        ],
        [
            Line("g at this step", found.g, *look("daml"), width=2.5),
            Line("before any step", found.g[0], *look("truth")),
        ],
        (float(SOURCES[0]), float(SOURCES[-1])),
        "source input xₛ",
        pi_ticks(-PI / 2, PI / 2, PI / 4),
    )


def _over_sources(view: DamlView) -> dict[str, Any]:
    return {
        "x": (float(SOURCES[0]), float(SOURCES[-1])),
        "x_name": "source input xₛ",
        "x_ticks": pi_ticks(-PI / 2, PI / 2, PI / 4),
        "at": view.source,
        "color": look("daml")[0],
    }


# ------------------------------------------------------------------------ put in its place


def swapped_walk(walk: Walk, swap: str, other: Model | None) -> Walk:
    """As many steps on the true error; or on the learned loss, from other weights.

    Args:
        swap: one of `views.SWAPS`.
        other: whose weights.
    """
    if swap == "truth":
        return instead(walk, truth=True)
    assert other is not None
    return instead(walk, start=start_of(other))


def fits(walk: Walk, model: Model) -> bool:
    """Whether the weights of a model can take the place of the walk's."""
    learner = model.learner
    return isinstance(learner, GradientBased) and dict(learner.network.shapes) == dict(walk.shapes)


def swapped_scene(walk: Walk, other: Walk, swap: str, family: WaveFamily, truth: str) -> Scene:
    """What becomes of the wave and of the error when something is put in another's place.

    Args:
        truth: what the truth of both walks is, see `meant`.
    """
    what = SWAPPED[swap]
    style = style_of("oracle" if swap == "truth" else swap)
    with np.errstate(over="ignore", invalid="ignore"):
        curves = [one.curves for one in (walk, other)]
    errors = [one.true_losses.numpy() for one in (walk, other)]
    wave = walk.truth.labels[0].numpy()
    shown = [
        Curve("truth", truth, wave, *look("truth"), width=1.5),
        Curve("daml", "its own weights, on the learned loss", curves[0], *look("daml"), 2.0, 0.6),
        Curve("swapped", what, curves[1], style.colours, style.dash, 4.0),
    ]
    series = [
        Series("its own weights, on the learned loss", errors[0].tolist(), *look("daml")),
        Series(what, errors[1].tolist(), style.colours, style.dash),
    ]
    return Scene(
        "The wave when something is put in another’s place",
        shown,
        x_range=family.x_range,
        y_range=Y_RANGE,
        x_ticks=pi_ticks(*family.x_range),
        panels=[Panel("True error", series, log=True)],
        captions=[_swap_in_words(k, what, errors) for k in range(len(errors[0]))],
        height=300,
    )


def _swap_in_words(k: int, what: str, errors: Sequence[Array]) -> str:
    own, other = (error[k] for error in errors)
    lands = "has run away" if ran_away(other) else f"is off by {number(other)}"
    return f"{after(k)} with {what}, it {lands}; as it was trained, by {number(own)}."
