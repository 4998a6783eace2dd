"""What learners make of drawn signs, that in words, and how often they are right."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from metademo import checkpoints
from metademo.formats import percent
from metademo.models import Model
from metademo.moments.asked import ask, seen, turned
from metademo.moments.candidates import Candidate, candidates
from metademo.moments.outside_of_signs import CHANGES
from metademo.moments.ready_made import READY_MADE
from metademo.moments.signs import DrawView, Place, strokes_of
from metademo.tasks import FAMILIES, as_image, probabilities
from metademo.ui.scenes.draw_scene import draw_scene
from metademo.ui.scenes.sign_scores_scene import sign_sweep, sign_table
from metademo.ui.server import sign_scores
from metademo.ui.server.sign_scores import MEASURED_ON, Measured

FIRST = DrawView.first()
ASKED = ("anil", "protonet")


@pytest.fixture(scope="module")
def found() -> dict[str, Candidate]:
    weights = {
        f"{name}-glyphs": checkpoints.load(checkpoints.SHIPPED / f"{name}-glyphs.safetensors")
        for name in ASKED
    }
    return candidates(weights, {}, FAMILIES["glyphs"])


@pytest.fixture(scope="module")
def both(found) -> list[Candidate]:
    return [found[name] for name in ASKED]


def test_a_network_sees_what_the_generator_would_draw():
    text = READY_MADE["house"][0]
    strokes = [[(float(x), float(y)) for x, y in stroke] for stroke in strokes_of(text)]
    np.testing.assert_array_equal(seen(text), as_image(strokes))
    np.testing.assert_array_equal(seen(text, thickness=4.0), as_image(strokes, thickness=4.0))
    assert not seen("").any()


def test_a_turn_is_clockwise_and_brings_all_back_after_four_quarters():
    [[[x, y]]] = [stroke.tolist() for stroke in turned([np.array([[1.0, 0.0]])], 90)]
    assert (x, y) == pytest.approx((0, 1)), "y goes down"
    text = READY_MADE["key"][0]
    upright, quarter = seen(text).reshape(14, 14), seen(text, 90).reshape(14, 14)
    np.testing.assert_allclose(np.rot90(upright, -1), quarter, atol=1e-5)


def test_smaller_is_smaller_and_nearer_to_the_middle():
    whole, half = (seen(READY_MADE["star"][0], size=size) for size in (1.0, 0.5))
    assert 0.3 < half.sum() / whole.sum() < 0.7
    rows = np.flatnonzero(half.reshape(14, 14).any(1))
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(6.5, abs=0.6)


def test_learners_are_asked_about_the_signs_that_are_drawn(both):
    view = FIRST.changed(signs=(FIRST.signs[0], "", *FIRST.signs[1:]))
    asked = ask(view, both)
    assert asked.ways == (0, 2, 3)
    for name, rows in ask(FIRST, both).shares.items():
        np.testing.assert_allclose(asked.shares[name], rows, atol=1e-5)
        np.testing.assert_allclose(rows.sum(1), 1, rtol=1e-5)
    assert asked.steps == both[0].trained_steps


def test_an_answer_is_what_its_own_network_says(found):
    """The prototypical network once more, from its equation."""
    model = found["protonet"].model
    images = np.stack([seen(one) for one in (*FIRST.signs, FIRST.question)])
    features = model.learner.network.features(
        {k.partition(".")[2]: v for k, v in model.meta.items() if "." in k},
        torch.from_numpy(images)[None],
    )[0].numpy()
    distances = np.square(features[:3] - features[3]).mean(1)
    expected = probabilities(-np.exp(float(model.meta["log_scale"])) * distances)
    np.testing.assert_allclose(
        ask(FIRST, [found["protonet"]]).at("protonet", 0), expected, atol=1e-5
    )


def test_signs_in_another_order_have_the_same_answers_in_that_order(both):
    asked, other = (ask(v, both) for v in (FIRST, FIRST.changed(signs=FIRST.signs[::-1])))
    for name in ASKED:
        np.testing.assert_allclose(asked.shares[name], other.shares[name][:, ::-1], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"question": ""}, "Now draw one of the signs, in a way of your own."),
        ({"signs": ("1234", "")}, "Draw one example of two signs at least"),
    ],
)
def test_what_is_missing_is_said(both, changes, said):
    view = FIRST.changed(**changes)
    scene = draw_scene(view, view, ask(view, both))
    assert scene.answers == []
    assert scene.captions[0].startswith(said)


def words(both: list[Candidate], **shares: list[list[float]]) -> list[str]:
    """The sentences about these shares."""
    asked = replace(ask(FIRST, both), shares={n: np.array(rows) for n, rows in shares.items()})
    return list(draw_scene(FIRST, FIRST, asked).captions)


def test_who_agrees_who_differs_and_who_can_not_tell(both):
    third = [[1 / 3] * 3, [0.04, 0.02, 0.94]]
    assert words(both, anil=third, protonet=[[0.1, 0.1, 0.8]]) == [
        "Before any step ANIL can’t tell: 33 % for each sign. "
        "The prototypical network (80 %) says: the third sign.",
        "After 1 step ANIL says: the third sign, 94 %. The prototypical network (80 %) agrees.",
    ]
    [_, said] = words(both, anil=third, protonet=[[0.7, 0.1, 0.2]])
    assert said.endswith("The prototypical network (70 %) says: the first sign.")
    [_, said] = words(both, anil=third, protonet=[[1 / 3] * 3])
    assert said.endswith("The prototypical network (33 %) can’t tell.")


def test_what_does_not_occur_in_training_is_said(both):
    def detail(view: DrawView) -> str:
        return draw_scene(view, view, ask(view, both)).details[-1]

    assert detail(FIRST).startswith("None of these drawings was in training")
    more = detail(FIRST.with_room(0).redrawn(Place(0, 1), READY_MADE["spiral"][1]).changed(turn=30))
    assert more == (
        "Outside of what they were trained on: the question’s turn is 30° (trained: −16° to 16°) "
        "and some signs have more examples than others."
    )
    assert detail(FIRST.with_room(0)) == detail(FIRST), "an empty pad is no example"
    said = detail(FIRST.changed(question="5050.5050"))
    assert said == "Outside of what they were trained on: the question is a single dot."


def test_each_number_of_a_sentence_says_how_it_was_computed(both):
    scene = draw_scene(FIRST, FIRST, ask(FIRST, both))
    for caption, facts in zip(scene.captions, scene.caption_facts, strict=True):
        assert [shown for shown, _ in facts] == re.findall(r"[<>]?\d+ %", caption)
        assert all(about for _, about in facts)


def test_accuracy_is_best_where_it_was_trained(found):
    model = found["protonet"].model
    for along, change in CHANGES.items():
        accuracy = sign_scores.accuracy_along(model, along, 3, 1)[-1]
        assert accuracy.shape == (len(change.values),)
        inside = [a for a, v in zip(accuracy, change.values, strict=True) if change.contains(v)]
        assert max(accuracy) == max(inside) > 0.8
        assert min(accuracy) < max(inside) - 0.2, "and far outside it breaks"


def test_what_is_done_to_questions_by_nothing_is_the_usual_measurement(found):
    """At no turn the re-drawn questions are those of the generator, but for where they lie."""
    model: Model = found["protonet"].model
    upright = CHANGES["turn"].values.index(0)
    swept = sign_scores.accuracy_along(model, "turn", 3, 1)[-1][upright]
    usual = sign_scores.held_out_accuracy(model, "generated signs", 3, 1)
    assert swept == pytest.approx(usual.mean[-1], abs=0.05)


def test_the_table_says_what_is_known_and_what_is_waited_for(both):
    _, protonet = both
    known = sign_scores.held_out_accuracy(protonet.model, "real digits", 3, 1)
    measured = Measured({"generated signs": {}, "real digits": {"protonet": known}}, {}, ("anil",))
    rows = sign_table(both, measured).splitlines()[2:]
    assert rows[0] == "| ANIL | measuring… | measuring… | – |"
    assert rows[1].startswith("| Prototypical network | could not be measured | **")
    assert f"**{100 * known.mean[-1]:.1f}**\u00a0± {100 * known.ci95[-1]:.1f}\u00a0%" in rows[1]
    assert rows[1].endswith(f" | {100 * known.calibration_error[-1]:.1f} % |")
    assert [*MEASURED_ON] == [*measured.held_out]
    sweep = sign_sweep(FIRST, both, measured)
    assert (sweep.series, sweep.note) == ([], "Measuring ANIL, Prototypical network…")


def test_a_turn_in_words(both):
    values = np.linspace(0.4, 0.9, len(CHANGES["turn"].values))[None]
    measured = Measured({}, {one.name: values for one in both})
    note = sign_sweep(FIRST, both, measured).note
    at = dict(zip(CHANGES["turn"].values, values[0], strict=True))
    assert f"ANIL is right about {percent(at[0])} of those that stand upright" in note
    assert f"{percent(at[45])} at 45° and {percent(at[90])} at 90°" in note
