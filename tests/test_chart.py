"""What the chart and the source line make of whatever the browser sends."""

import base64
import json
import math

import numpy as np
import pytest

from metademo.ui.components.chart.chart import clean
from metademo.ui.components.kernel.curves import Curve, encode_curve, pi_label, pi_ticks
from metademo.ui.components.source_line.source_line import clean_value

X, Y = (-6.0, 6.0), (-2.0, 2.0)


def test_good_points_pass_untouched():
    points = [(0.1, 0.2), (-6.0, 2.0)]
    assert clean(points, X, Y) == (points, "")
    assert clean([[1, 2]], X, Y) == ([(1.0, 2.0)], "")
    assert clean([], X, Y) == ([], "")
    assert clean(None, X, Y) == ([], "")


@pytest.mark.parametrize(
    "bad",
    [
        [math.nan, 0],
        [0, math.inf],
        ["1", 0],
        [None, 0],
        [True, 0],
        [10**400, 0],
        [1],
        [1, 2, 3],
        {},
        "ab",
        None,
        7,
    ],
)
def test_what_is_no_point_is_left_out_and_said(bad):
    points, message = clean([[1, 1], bad], X, Y)
    assert points == [(1.0, 1.0)]
    assert message == "1 point was left out: not two finite numbers."


@pytest.mark.parametrize("garbage", [7, "points", {"points": []}, object(), math.nan])
def test_what_is_no_list_gives_no_points(garbage):
    assert clean(garbage, X, Y) == ([], "The points could not be read.")


def test_outside_and_beyond_the_cap():
    points, message = clean([(7, 0), (0, 3), *((k / 10, 0) for k in range(25))], X, Y, 20)
    assert points == [(k / 10, 0.0) for k in range(20)]
    assert "2 points were left out: outside the chart." in message
    assert "20 points are the most; 5 points were left out." in message
    assert clean([(0, 99)], X, None)[0] == [(0.0, 99.0)]


@pytest.mark.parametrize(
    ("raw", "value"), [(1.5, 1.5), (9, 6.0), (-9, -6.0), ("1", 0.5), (None, 0.5), (math.nan, 0.5)]
)
def test_a_value_is_kept_within_the_line(raw, value):
    assert clean_value(raw, X, 0.5) == value


def decode(curve: dict) -> np.ndarray:
    """As kernel/plot.js does it."""
    numbers = np.frombuffer(base64.b64decode(curve["y"]), "<i2").astype(float)
    values = np.where(numbers == -32768, np.nan, curve["start"] + (numbers + 32500) * curve["unit"])
    return values.reshape(curve["rows"], -1)


def test_curves_survive_the_journey():
    y = np.stack([np.linspace(-2, 2, 400), np.sin(np.linspace(-6, 6, 400))])
    sent = encode_curve(Curve("a", "a", y), Y)
    np.testing.assert_allclose(decode(sent), y, atol=2e-4)
    assert len(json.dumps(sent)) < 2_500
    odd = np.array([0, np.nan, np.inf, -1e30, 1e30])
    wild = decode(encode_curve(Curve("a", "a", odd), Y))[0]
    assert np.isnan(wild[[1, 2]]).all()
    assert wild[3] < -6  # far outside the axes, but within reach of 16 bits
    assert wild[4] > 6


def test_ticks_are_multiples_of_pi():
    ticks = pi_ticks(-2 * math.pi, 2 * math.pi, every=math.pi)
    assert ticks.labels == ["−2π", "−π", "0", "π", "2π"]
    labels = [pi_label(v) for v in (math.pi / 4, -0.75 * math.pi, 1.0)]
    assert labels == ["π/4", "−3π/4", "1.00"]
