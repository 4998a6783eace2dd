"""Figures: what is drawn from which numbers."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import plotly.io as pio
import pytest

from metademo import figures
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.figures import CYCLE, DASHES, OTHER, STYLES, adaptation_figure, style_of
from metademo.tasks import FAMILIES

X = np.linspace(-1, 1, 5)
CURVES = np.arange(15.0).reshape(3, 5)
LOSS = np.array([0.5, 0.3, 0.1])
POINTS = np.array([[0.0, 1.0], [0.5, -1.0]])


def _traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_each_step_has_its_curve_and_the_last_is_shown():
    traces = _traces(adaptation_figure("maml", X, CURVES, LOSS))
    names = ["after 0 steps", "after 1 step", "after 2 steps"]
    assert [name for name in traces if name.startswith("after")] == names
    for name, curve in zip(names, CURVES, strict=True):
        np.testing.assert_array_equal(traces[name].x, X)
        np.testing.assert_array_equal(traces[name].y, curve)
    assert [traces[name].visible for name in names] == [False, False, True]
    np.testing.assert_array_equal(traces["before any step"].y, CURVES[0])


def test_the_loss_has_a_panel_of_its_own():
    *_, loss = adaptation_figure("maml", X, CURVES, LOSS).data
    np.testing.assert_array_equal(loss.x, [0, 1, 2])
    np.testing.assert_array_equal(loss.y, LOSS)
    assert loss.xaxis == "x2"


def test_examples_are_dots():
    trace = _traces(adaptation_figure("maml", X, CURVES, LOSS, POINTS))["examples"]
    assert trace.mode == "markers"
    np.testing.assert_array_equal(trace.x, POINTS[:, 0])
    np.testing.assert_array_equal(trace.y, POINTS[:, 1])


@pytest.mark.parametrize("points", [None, [], np.empty((0, 2))], ids=["none", "list", "array"])
def test_without_examples_there_are_no_dots(points):
    assert "examples" not in _traces(adaptation_figure("daml", X, CURVES, LOSS, points))


@pytest.mark.parametrize("points", [None, POINTS], ids=["no examples", "examples"])
def test_the_slider_shows_one_step_at_a_time_and_hides_nothing_else(points):
    figure = adaptation_figure("maml", X, CURVES, LOSS, points)
    (slider,) = figure.layout.sliders
    assert slider.active == 2
    assert [step.label for step in slider.steps] == ["0", "1", "2"]
    for k, step in enumerate(slider.steps):
        (change,) = step.args
        shown = [t.name for t, on in zip(figure.data, change["visible"], strict=True) if on]
        fixed = ["before any step", "examples"] if points is not None else ["before any step"]
        assert shown == [*fixed, f"after {k} step{'s' * (k != 1)}", None]


def test_without_any_step_there_is_the_initialisation_alone():
    figure = adaptation_figure("maml", X, CURVES[:1], LOSS[:1])
    assert _traces(figure)["after 0 steps"].visible is True


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_has_its_colour(algorithm):
    traces = _traces(adaptation_figure(algorithm, X, CURVES, LOSS))
    assert traces["after 2 steps"].line.color == STYLES[algorithm].light


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, *YARDSTICKS])
def test_every_row_of_the_registries_has_a_look_of_its_own(algorithm):
    assert style_of(algorithm) is STYLES[algorithm]


def test_an_algorithm_without_a_look_gets_one_that_nothing_else_has():
    assert style_of("toy") is OTHER
    assert OTHER not in STYLES.values()
    assert _traces(adaptation_figure("toy", X, CURVES, LOSS))["before any step"].line.color == (
        OTHER.light
    )


# Who sees which colours apart

GROUNDS = {"light": "#ffffff", "dark": "#171614"}
"""Those of Streamlit's two themes; a test with a browser looks."""
LOOKS = STYLES | {"another": OTHER}
LEARNERS = ALGORITHMS | YARDSTICKS


def _learned(name):
    """The families that a curve of this look may be of: those of its learner, or any."""
    return {
        n for n, f in FAMILIES.items() if name not in LEARNERS or not LEARNERS[name].unsuited(f)
    }


MEETING = [pair for pair in combinations(LOOKS, 2) if set.intersection(*map(_learned, pair))]
"""Any two that may be on one chart."""
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
EYES = {  # Machado, Oliveira & Fernandes 2009, severity 1.0, for linear RGB
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
CONTRAST = 3.0
"""WCAG 2.1, criterion 1.4.11, of graphical objects with their ground."""
APART, APART_NORMAL, APART_SAME_DASH = 8.0, 15.0, 20.0
"""Smallest CIEDE2000 distances: of any two to any eye, of any two to the normal eye, and of any two
with the same dash pattern to any eye. About 2 can just be noticed."""

APART_QUARTERS = 20
"""The same of any two colours of a cycle, a quarter of a turn or more from each other."""


def _linear(colour):
    """Linear RGB, 0 to 1, of "rgb(r, g, b)" or "#rrggbb"."""
    if colour.startswith("#"):
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    else:
        channels = np.array([int(number) for number in re.findall(r"\d+", colour)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _contrast(one, other):
    darker, lighter = sorted(TO_XYZ[1] @ _linear(colour) + 0.05 for colour in (one, other))
    return lighter / darker


def _lab(colour, eye):
    """CIE L*a*b* (white D65) of a colour as an eye sees it."""
    seen = TO_XYZ @ np.clip(EYES[eye] @ _linear(colour), 0, 1) / TO_XYZ.sum(1)
    x, y, z = np.where(seen > (6 / 29) ** 3, np.cbrt(seen), seen / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _ciede2000(one, other):
    """The distance of two L*a*b* colours (Sharma, Wu & Dalal 2005; angles in degrees)."""
    (l1, a1, b1), (l2, a2, b2) = one, other

    def fading(chroma):
        return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))

    stretch = 1.5 - 0.5 * fading((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    light, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, (h1 + turn / 2) % 360
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    t = 1 + sum(size * np.cos(np.radians(n * hue + shift)) for size, n, shift in waves)
    dl = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    tilt = np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.sqrt(dl**2 + dc**2 + dh**2 - 2 * fading(chroma) * tilt * dc * dh)


@pytest.mark.parametrize(
    ("one", "other", "distance"),  # of Sharma, Wu & Dalal's table 1
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_distance_of_colours_is_that_of_its_authors(one, other, distance):
    assert _ciede2000(one, other) == pytest.approx(distance, abs=5e-5)


@pytest.mark.parametrize("eye", EYES)
def test_every_eye_sees_greys_as_they_are(eye):
    for colour in ("#000000", "#808080", "#ffffff"):
        np.testing.assert_allclose(_lab(colour, eye), _lab(colour, "normal"), atol=0.01)
    assert _contrast("#ffffff", "#000000") == pytest.approx(21)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", LOOKS)
def test_a_curve_stands_out_from_its_ground(name, ground):
    colour = getattr(LOOKS[name], ground)
    assert re.fullmatch(r"rgb\(\d+, \d+, \d+\)", colour)
    assert _contrast(colour, GROUNDS[ground]) >= CONTRAST


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("eye", EYES)
def test_any_two_kinds_of_curve_are_told_apart(ground, eye):
    for one, other in MEETING:
        look, other_look = LOOKS[one], LOOKS[other]
        colours = (_lab(getattr(style, ground), eye) for style in (look, other_look))
        least = APART_NORMAL if eye == "normal" else APART
        if look.dash == other_look.dash:
            least = APART_SAME_DASH
        assert _ciede2000(*colours) >= least, (one, other)


@pytest.mark.parametrize("ground", GROUNDS)
def test_no_two_kinds_of_curve_look_the_same(ground):
    looks = {name: (getattr(style, ground), style.dash) for name, style in LOOKS.items()}
    assert all(looks[one] != looks[other] for one, other in MEETING)
    assert {dash for _, dash in looks.values()} <= DASHES.keys()


@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_the_quarters_of_a_turn_apart(eye):
    for one, other in combinations(CYCLE, 2):
        assert _ciede2000(_lab(one, eye), _lab(other, eye)) >= APART_QUARTERS, (one, other)


def test_the_charts_in_the_browser_have_the_same_dash_patterns():
    script = (Path(figures.__file__).parent / "ui/components/kernel/formats.js").read_text(
        encoding="utf-8"
    )
    (table,) = re.findall(r"export const DASHES = \{(.*?)\};", script, re.DOTALL)
    assert dict(re.findall(r'(\w+): "([\d ]*)"', table)) == DASHES


def test_the_look_does_not_depend_on_the_default_template(monkeypatch):
    plain = adaptation_figure("maml", X, CURVES, LOSS).to_json()
    monkeypatch.setattr(pio.templates, "default", "plotly_dark")
    assert adaptation_figure("maml", X, CURVES, LOSS).to_json() == plain
