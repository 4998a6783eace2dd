"""Waves and the drawing of tasks as text: what it says is what ours do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from metademo.tasks import FAMILIES, SHAPES, Waves, wave_families
from metademo.tasks.waves_in_numpy import number_in_numpy, wave_in_numpy

CASES = [(name, False) for name in wave_families()]
CASES += [(name, True) for name, family in wave_families().items() if family.has_source_domain]


@pytest.mark.parametrize(("name", "unlabelled"), CASES)
def test_the_same_tasks_are_drawn(name, unlabelled):
    family, space = FAMILIES[name], {"np": np, "torch": torch}
    exec(family.in_numpy(unlabelled=unlabelled), space)
    drawn = space["draw_tasks"](np.random.default_rng(3), 50, 5, 4)
    tasks, (support, query) = family.sample_episodes(
        np.random.default_rng(3), 50, shots=5, queries=4, sources=5 if unlabelled else 0
    )
    expected = (support.x, support.y, query.x, query.y)
    for ours, theirs in zip(expected, drawn, strict=False):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(theirs, ours, atol=1e-6)
    np.testing.assert_allclose(drawn[-1](family.grid), tasks(family.grid), atol=1e-12)


@pytest.mark.parametrize("changes", [dict(shape="square"), dict(frequencies=(1.0, 2.0))])
def test_what_is_not_told_has_no_words(changes):
    assert replace(wave_families()["finn"], **changes).in_numpy(unlabelled=False) == ""
    assert wave_families()["finn"].in_numpy(unlabelled=True) == ""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("numbers", [(1.0, 1.0, 0.0), (0.3, 1.7, -0.4), (4.2, 1.0, math.pi)])
def test_a_wave_of_any_shape_is_told(shape, numbers):
    x, wave = np.linspace(-6, 6, 101), Waves.one(*numbers, shape)
    np.testing.assert_allclose(eval(wave_in_numpy(wave)), wave(x)[0], atol=1e-12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (math.pi, "np.pi"),
        (-math.pi / 2, "-np.pi / 2"),
        (3 * math.pi / 4, "3 * np.pi / 4"),
        (-5.0, "-5.0"),
    ],
)
def test_a_number_is_written_as_a_person_would(value, text):
    assert number_in_numpy(value) == text
    assert eval(text) == pytest.approx(value)
