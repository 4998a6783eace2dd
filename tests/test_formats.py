"""Numbers for people, JSON for machines."""

import json
import math

import pytest

from metademo.formats import readable, to_json

NUMBERS = [0.0, 1e-9, 0.25, 1.0, 123.4567, 9999.9, 99999.9, 1e12, 1e38, 1.7e308, 5e-324]
NUMBERS += [-value for value in NUMBERS[2:]]


@pytest.mark.parametrize("decimals", [3, 4])
@pytest.mark.parametrize("value", [*NUMBERS, math.inf, -math.inf, math.nan, None])
def test_a_column_of_numbers_keeps_its_shape(value, decimals):
    text = readable(value, decimals)
    assert len(text) <= 10
    assert " " not in text
    if value is not None and math.isfinite(value):
        assert float(text) == pytest.approx(value, rel=0.005, abs=10**-decimals)
    else:
        assert text == "diverges"


def test_what_is_not_finite_is_null_however_deep():
    document = {"a": [1.5, math.nan, {"b": (math.inf, -math.inf, None)}], "c": True, "d": "NaN"}
    expected = {"a": [1.5, None, {"b": [None, None, None]}], "c": True, "d": "NaN"}
    assert json.loads(to_json(document, indent=1)) == expected
    assert "\n" not in to_json(document)
