"""The input for a setting that is a number, from what the setting says of itself."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from metademo.described import Setting
from metademo.jobs import Limits


def within_reach(setting: Setting, value: float, limits: Limits) -> float:
    """The value, or the nearest one that `number_input` takes."""
    return setting.kind(min(max(value, setting.low), _highest(setting, limits)))


def number_input(setting: Setting, limits: Limits, **arguments: Any) -> float:
    """The input, as far up as an input and this server go.

    Args:
        arguments: its value and its key, or what binds it to a view.
    """
    kind, high = setting.kind, _highest(setting, limits)
    style = dict(step=1) if kind is int else dict(step=0.001, format="%.4g")
    return st.number_input(
        setting.heading,
        kind(setting.low),
        kind(high),
        help=f"{setting.help} {setting.range_to(high).capitalize()}.",
        **style,
        **arguments,
    )


def _highest(setting: Setting, limits: Limits) -> float:
    return min(setting.by_hand, limits.maximum(setting.name) or math.inf)
