"""What the chart and the source line make of whatever the browser sends."""

import base64
import json
import math

import numpy as np
import pytest

from metademo.ui.components.kernel.curves import Band, Curve, encode_curve, pi_label, pi_ticks
from metademo.ui.components.source_line.source_line import clean_value

X, Y = (-6.0, 6.0), (-2.0, 2.0)


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


def test_a_band_is_sent_as_its_curve_is():
    y, wide = np.sin(np.linspace(-6, 6, 50)), np.linspace(0, 1, 50)
    low, high = y - wide, np.where(wide > 0.5, np.nan, y + wide)
    sent = encode_curve(Curve("a", "a", y, band=Band("band", low, high)), Y)["band"]
    np.testing.assert_allclose(decode(sent["low"])[0], low, atol=2e-4)
    np.testing.assert_allclose(decode(sent["high"])[0], high, atol=2e-4)
    assert encode_curve(Curve("a", "a", y), Y)["band"] is None


def test_ticks_are_multiples_of_pi():
    ticks = pi_ticks(-2 * math.pi, 2 * math.pi, every=math.pi)
    assert ticks.labels == ["−2π", "−π", "0", "π", "2π"]
    labels = [pi_label(v) for v in (math.pi / 4, -0.75 * math.pi, 1.0)]
    assert labels == ["π/4", "−3π/4", "1.00"]
