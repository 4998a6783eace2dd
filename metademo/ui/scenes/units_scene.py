"""The network's own parts as the page draws them, with what there is to see. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from metademo.analysis.units import SLOPES, Layer, Parts, parts
from metademo.analysis.walk import Walk
from metademo.figures import style_of
from metademo.tasks import Array, Examples
from metademo.ui.components.kernel.curves import DISGUISES, Curve, WaveChart, pi_ticks
from metademo.ui.components.kernel.gestures import Range
from metademo.ui.scenes.compare_scene import in_a_row
from metademo.ui.scenes.sentences import RAN_AWAY, after, number

PLACES = 257
"""Where the units are looked at; every `EVERY`-th place is drawn."""
EVERY = 4
MOST = 64
"""Units of a layer that are shown one by one, those that moved most; the others are one part."""
FAR = 20.0
"""Times the height of the wave: a network that is beyond has run away."""
MOST_BENDS = 5
LAYERS = {1: "first", 2: "second"}


@dataclass(frozen=True)
class Unit:
    """One hidden unit: its number in its layer, from 1; how far it moved; what it did."""

    number: int
    moved: float
    about: str


@dataclass(frozen=True)
class UnitsLayer:
    """The units of a layer, those first that moved most.

    Attributes:
        number: 1 or 2.
        title: such as "second layer, 32 units".
        units: those that are shown.
        others: how many are not; their contributions are together the last one.
        activations: (S + 1, units, points).
        contributions: (S + 1, units, points), with one more if there are others.
        rest: what the biases add, (S + 1, points).
        pushes: (S + 1, points of the support set, units), in the order of x.
        telling: of how many units the sum is worth a first look.
    """

    number: int
    title: str
    units: Sequence[Unit]
    others: int
    activations: Array
    contributions: Array
    rest: Array
    pushes: Array
    telling: int


@dataclass(frozen=True)
class UnitsScene(WaveChart):
    """All that is drawn of a network's parts, for all steps.

    Attributes:
        sentence: what there is to see.
        share, total: how the contribution of one unit and the sum of several are drawn; their `y`
            is made in the browser.
        seen: what pushes, in words, in the order of x.
        layers: see `Parts.layers`. The first unit of the last one is what to look at first: its
            share needs no explanation.
    """

    sentence: str
    share: Curve
    total: Curve
    seen: Sequence[str]
    layers: Sequence[UnitsLayer]


def units_scene(walk: Walk, *, name: str, truth_label: str = "the true wave") -> UnitsScene:
    """The parts of the network of a walk, over the x of its truth.

    Args:
        name: whose colour it has, see `figures.style_of`.
        truth_label: what the truth is.

    Raises:
        ValueError: see `parts`.
    """
    walk = replace(walk, support=_from_left(walk.support))
    grid = walk.truth.x[0].numpy()
    x_range = (float(grid[0]), float(grid[-1]))
    x = np.linspace(*x_range, PLACES)
    truth = np.interp(x, grid, walk.truth.labels[0].numpy())
    found = _within_sight(parts(walk, x), truth)
    layers = [_layer(walk, found, layer) for layer in found.layers]
    style, true_style = style_of(name), style_of("truth")
    share, total = DISGUISES
    support = walk.support.x[0].numpy()
    labels = None if walk.support.y is None else walk.support.y[0].numpy()
    return UnitsScene(
        sentence=_sentence(walk, layers),
        wave=Curve("wave", "the network's wave", found.curve[:, ::EVERY], style.colours, width=4.0),
        truth=Curve("truth", truth_label, truth[::EVERY], true_style.colours, true_style.dash, 1.5),
        share=Curve("share", "unit {unit}'s share", np.empty(0), **share, width=2.5),
        total=Curve("total", "sum of {parts}", np.empty(0), **total, width=2.5),
        x_range=x_range,
        y_range=_heights(found, truth),
        x_ticks=pi_ticks(*x_range) if _is_wide(x_range) else None,
        seen=_seen(support, labels),
        points=[] if labels is None else list(zip(support.tolist(), labels.tolist(), strict=True)),
        layers=layers,
    )


def _from_left(support: Examples[Tensor]) -> Examples[Tensor]:
    """Labelled points in the order of x; unlabelled inputs are seen in their own."""
    if support.y is None:
        return support
    order = support.x[0].argsort()
    return support.map(lambda values: values[:, order])


def _within_sight(found: Parts, truth: Array) -> Parts:
    """The parts without the steps after which the network has run away: no number stands there."""
    highest = max(np.abs(truth).max(), np.abs(found.curve[0]).max())
    gone = ~(np.abs(found.curve).max(1) < FAR * highest)
    if not gone.any():
        return found

    def seen(values: Array) -> Array:
        values = values.copy()
        values[gone] = np.nan
        return values

    layers = [
        Layer(
            layer.number,
            *map(seen, (layer.activations, layer.contributions, layer.rest, layer.pushes)),
        )
        for layer in found.layers
    ]
    return Parts(found.x, seen(found.curve), tuple(layers))


def _is_wide(x_range: Range) -> bool:
    """Whether it ends at multiples of π, as the range of waves of amplitude 1 does."""
    return abs(x_range[1] / np.pi - round(x_range[1] / np.pi)) < 1e-6


def _layer(walk: Walk, found: Parts, layer: Layer) -> UnitsLayer:
    """A layer as it is drawn: its units in order, on every so-many-th place."""
    shown, others = np.split(layer.order, [MOST])
    shares = layer.contributions[:, shown, ::EVERY]
    if others.size:
        together = layer.contributions[:, others, ::EVERY].sum(1, keepdims=True)
        shares = np.concatenate([shares, together], axis=1)
    moved = layer.moved
    many = f", the {MOST} that moved most of them" if others.size else ""
    return UnitsLayer(
        number=layer.number,
        title=f"{LAYERS[layer.number]} hidden layer, {len(moved)} units{many}",
        units=[Unit(int(i) + 1, float(moved[i]), _about(walk, found, layer, i)) for i in shown],
        others=len(others),
        activations=layer.activations[:, shown, :: 2 * EVERY],
        contributions=shares,
        rest=layer.rest[:, ::EVERY],
        pushes=layer.pushes[:, :, shown],
        telling=min(_half_of(moved), len(shown)),
    )


def _half_of(moved: Array) -> int:
    """How many units, those first that moved most, did half of all moving; half if none moved."""
    way = np.cumsum(np.sort(np.nan_to_num(moved))[::-1])
    return int(np.searchsorted(way, way[-1] / 2)) + 1 if way[-1] else len(moved) // 2


def _sentence(walk: Walk, layers: Sequence[UnitsLayer]) -> str:
    """What there is to see."""
    layer = layers[-1]
    adds_up = "Each unit adds its share, and all shares and the biases together are the wave."
    if not np.isfinite(layer.units[0].moved):
        return f"{after(walk.steps)} {RAN_AWAY}"
    if not layer.units[0].moved:
        return f"{adds_up} No unit has moved."
    few, all_of_them = layer.telling, len(layer.units) + layer.others
    did = f"{few} of the {all_of_them} units" if few > 1 else f"one of the {all_of_them} units"
    only = ""
    if len(layers) == 1:
        only = " Through tanh the first layer's shares do not add up exactly, so they are left out."
    return (
        f"{adds_up} In the {LAYERS[layer.number]} layer {did} did half of all the moving. "
        "Add them up with the slider below: at its end the dashed sum is the wave."
        f"{only}"
    )


def _about(walk: Walk, found: Parts, layer: Layer, unit: int) -> str:
    """What one unit did, in a few sentences."""
    share = np.abs(layer.contributions[:, unit]).mean(-1)
    if not np.isfinite(share[-1]):
        return "At the last step it has run away with all others."
    if not layer.activations[:, unit].any():
        return "It is closed on the whole chart at every step, and adds nothing."
    before, now = number(share[0]), number(share[-1])
    verb = "grew" if share[-1] > share[0] else "shrank"
    way = f"stayed at {now}" if before == now else f"{verb} from {before} to {now}"
    if before == now and layer.moved[unit] >= 0.005:
        way += f", and it moved by {number(layer.moved[unit])}"
    words = [_bends(walk, found.x, layer, unit), f"its share {way} on average"]
    if pushed := _pushed(walk, layer, unit):
        words.append(pushed)
    text = f"{'; '.join(words)}."
    return text[0].upper() + text[1:]


def _bends(walk: Walk, x: Array, layer: Layer, unit: int) -> str:
    """Where a unit opens or closes after the last step."""
    activation = layer.activations[-1, unit]
    above = activation > 0
    k = np.flatnonzero(above[1:] != above[:-1])
    doing = {1: "bends"}.get(layer.number, "opens or closes")
    if getattr(walk.learner, "activation", "relu") not in SLOPES:
        doing = "crosses zero"
    if not k.size:
        where = "open" if above.all() else "closed"
        return f"it is {where} on the whole chart"
    if k.size > MOST_BENDS:
        return f"it {doing} at {k.size} places"
    return f"it {doing} at x = {in_a_row(_place(v) for v in (x[k] + x[k + 1]) / 2)}"


def _pushed(walk: Walk, layer: Layer, unit: int) -> str:
    """Which labelled point pushed a unit most in all steps taken; "" if there is nothing to say."""
    pushes = layer.pushes[: walk.steps, :, unit].sum(0)
    if walk.support.y is None or not walk.steps or len(pushes) < 2:
        return ""
    if not pushes.any():
        return "no point pushed it"
    hardest = float(walk.support.x[0, pushes.argmax()])
    return f"over all steps the point at x = {_place(hardest)} pushed it most"


def _place(value: float) -> str:
    """A place on the chart: two digits are less than a pixel."""
    return f"{round(float(value), 2) + 0.0:g}".replace("-", "−")


def _seen(x: Array, y: Array | None) -> list[str]:
    """What pushes, in words."""
    if y is not None:
        return [f"x {_place(a)}, y {_place(b)}" for a, b in zip(x, y, strict=True)]
    if len(x) == 1:
        return [f"source input {_place(x[0])}"]
    return ["source input of the step"] if len(x) else []


def _heights(found: Parts, truth: Array) -> Range:
    """Room for the curves, and for parts and sums of them as far as that leaves the wave large."""
    curves = np.append(found.curve, truth)
    highest = float(np.abs(curves[np.isfinite(curves)]).max())
    reach = highest
    for layer in found.layers:
        sums = layer.contributions[:, layer.order].cumsum(1) + layer.rest[:, None]
        reach = max(reach, *(float(np.nanmax(np.abs(v))) for v in (sums, layer.contributions)))
    top = 1.08 * min(reach, 2 * highest, 2 * float(np.abs(truth).max()) + 1)
    return -top, top
