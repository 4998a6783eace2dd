"""Numbers for people, JSON for machines."""

from __future__ import annotations

import json
import math
from typing import Any

DIVERGES = "diverges"
"""What stands for a number that left the finite ones."""


def readable(value: float | None, decimals: int = 4) -> str:
    """A number in at most `decimals` + 5 characters, so that a column of them keeps its shape.

    >>> readable(0.25), readable(1e38), readable(float("nan"))
    ('0.2500', '1.00e+38', 'diverges')
    """
    if value is None or not math.isfinite(value):
        return DIVERGES
    text = f"{value:.{decimals}f}"
    return text if len(text) <= decimals + 5 else f"{value:.2e}"


def percent(share: float) -> str:
    """A share; what is nearly all is not all, and what is nearly nothing is something.

    A half is rounded up, as the browser does: both write the same numbers side by side.
    """
    if not math.isfinite(share):  # of weights that ran away
        return "–"
    if 0.995 < share < 1:
        return ">99 %"
    return "<1 %" if 0 < share < 0.005 else f"{math.floor(100 * share + 0.5)} %"


def digits(value: float) -> str:
    """A number that comes back to the last bit, in as few digits as that takes.

    >>> digits(3.0), digits(0.1)
    ('3', '0.1')
    """
    return repr(float(value)).removesuffix(".0")


def to_json(document: Any, **options: Any) -> str:
    """Strict JSON, which knows neither NaN nor infinity: null stands for them.

    >>> to_json({"mean": (0.5, float("inf"))})
    '{"mean": [0.5, null]}'
    """
    return json.dumps(_strict(document), allow_nan=False, **options)


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
