"""What the Train page draws and says of settings and runs, without a page."""

from __future__ import annotations

import functools
import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from metademo.algorithms import ALGORITHMS, Conditioned
from metademo.jobs import JobState, Limits, Progress, Registry, Snapshot, held_out_errors
from metademo.moments.train_view import TrainView
from metademo.recipes import can_train, configure, recipe_of, recipes_for
from metademo.tasks import FAMILIES, GLYPHS, shown_families, wave_families
from metademo.training import MetaTrainer
from metademo.ui.components.kernel.curves import Curve
from metademo.ui.components.train_stage import train_stage
from metademo.ui.scenes import train_remedies, train_scene, train_waves, train_words
from metademo.ui.scenes.train_kind import untrained
from metademo.ui.scenes.train_scene import kind_of, loss_line, unstarted
from metademo.ui.scenes.train_signs import WAYS
from metademo.ui.scenes.train_words import brief, describe

CONDITIONED = [name for name, kind in ALGORITHMS.items() if issubclass(kind, Conditioned)]
SHORT = (("hidden", 4), ("meta_batch", 1), ("queries", 4), ("steps", 30))


@pytest.fixture
def registry():
    """A registry whose jobs use no compiler; all stopped at the end."""
    made = Registry(Limits(max_running=1, max_waiting=1))
    submit = made.submit
    made.submit = lambda *args, **options: submit(*args, engine="torch", **options)
    yield made
    for job in list(made._jobs.values()):
        job.stop()
        assert job.join(10)


@pytest.mark.parametrize("family", wave_families())
def test_probes_are_fixed_few_and_lie_apart(family):
    config = configure("maml", family)
    probes, again = kind_of(config), kind_of(config)
    np.testing.assert_array_equal(probes.truths, again.truths)
    assert 2 <= len(probes) <= 4
    gaps = [abs(a - b).mean() for i, a in enumerate(probes.truths) for b in probes.truths[:i]]
    assert min(gaps) > 0.3
    assert len(probes.points) == config.shots * len(probes)


def test_the_untrained_network_is_what_a_run_starts_from(registry):
    config = TrainView(own=SHORT).config
    job = registry.submit(config, "a")
    assert job.join(20)
    first = job.snapshot().snapshots[0]
    np.testing.assert_allclose(untrained(config).errors, first.errors)


def test_the_plateau_of_the_original_recipe_is_explained():
    config = configure("daml", "two-phase", "original")
    assert "plateau" in train_words.note_on(config)
    assert train_words.note_on(configure("maml", "two-phase", "original")) == ""


def test_a_run_longer_than_the_server_allows_is_said_before_start():
    limits = Limits()
    said = train_words.promise(TrainView().config, 3.0, limits)
    assert "about 33 minutes. A run is stopped here after 15 minutes." in said
    assert "stopped" not in train_words.promise(TrainView().config, None, limits)


def test_a_fault_calls_a_setting_by_its_title():
    assert TrainView(own=(("inner_lr", 11.0),)).fault == (
        "inner learning rate α must be from 0 to 10, not 11.0"
    )
    assert TrainView(own=(("hidden", 8.5),)).fault == "hidden width must be a whole number, not 8.5"
    # Those that can't be trained together at all are not kept together.
    assert TrainView(algorithm="daml", family="finn").family == "two-phase"


def test_words_for_settings():
    assert recipe_of(configure("daml", "two-phase", "fast")) == ("fast", [])
    config = configure("maml", "any-phase", "fast", outer_lr=0.1)
    assert describe(config) == "MAML, any-phase, fast, outer learning rate β 0.1"
    assert brief(config) == "fast, β 0.1"
    for family in shown_families():
        for recipe in recipes_for(family):
            config = configure("maml", family, recipe)
            assert recipe_of(config) == (recipe, [])
            assert "about" in train_words.promise(config, None, Limits())


def test_a_snapshot_is_sent_until_the_browser_has_it(monkeypatch):
    state = {}
    monkeypatch.setattr(train_stage.st, "session_state", state)
    unsent = functools.partial(train_stage._unsent, "stage")
    have = lambda run, steps: {"stage": {"have": {"turn": 1, "run": run, "steps": steps}}}  # noqa: E731
    assert unsent("a", [0, 1, 2]) == [0, 1, 2]
    assert unsent("a", [0, 1, 2]) == [0, 1, 2], "it may have been lost on the way"
    state.update(have("a", [0, 1]))
    assert unsent("a", [0, 1, 2, 7]) == [2, 3]
    assert unsent("b", [0, 1]) == [0, 1]
    state.update(have("", [0]))
    assert unsent("", [0]) == [0], "the settings may have changed since"
    for nonsense in (None, [], {"run": "a", "steps": 3}, {"run": ["a"], "steps": [[0], {}]}):
        state.update({"stage": {"have": nonsense}})
        assert unsent("a", [0]) == [0]


def test_a_row_is_a_whole_number_of_base64s_quartets():
    curve = Curve("after 0", "", np.random.default_rng(0).normal(size=(5, train_waves.POINTS)))
    rows = train_stage._encode_rows(curve, [1, 3], (-2, 2))
    one = train_stage._encode_rows(curve, [3], (-2, 2))
    assert rows["moves"]
    assert rows["rows"] == 2
    assert "=" not in rows["y"]
    assert rows["y"][len(rows["y"]) // 2 :] == one["y"]
    assert train_stage._encode_rows(curve, [], (-2, 2))["y"] == ""
    still = replace(curve, y=curve.y[0])
    assert not train_stage._encode_rows(still, [], (-2, 2))["moves"]


def test_a_line_is_thinned_and_smooth(registry):
    job = registry.submit(TrainView(own=SHORT).config, "a")
    assert job.join(30)
    losses = np.exp(-np.arange(950) / 300) + np.random.default_rng(0).random(950)
    progress = replace(job.snapshot(), loss_steps=2.0 * np.arange(1, 951), losses=losses)
    line = loss_line("run 1", 1, progress)
    assert len(line.raw) <= train_scene.LINE_POINTS
    assert line.steps[-1] == 1900
    width = -(-950 // train_scene.LINE_POINTS)
    assert line.raw[0] == pytest.approx(losses[:width].mean())
    assert line.smooth.std() < line.raw.std()
    assert (line.error_steps[0], line.error_steps[-1]) == (0, 30)


def test_a_snapshot_that_runs_away_says_so():
    config = TrainView(own=SHORT).config
    run, start = unstarted(config), untrained(config)
    for error in (math.nan, math.inf, 3e28):
        wild = Snapshot(9, start.meta, np.array([0.6, error]))
        assert "runs away" in train_scene._caption(run, wild, moved=True)


def test_the_caption_says_where_the_inner_loop_does_nothing_or_harm():
    def caption(view: TrainView) -> str:
        run = unstarted(view.config)
        return train_scene.train_scene(run, [untrained(run.config)]).captions[0]

    error = "the mean error on a new wave"
    nothing = f"Before meta-training, 5 inner steps change next to nothing: {error} stays 0."
    assert caption(TrainView(algorithm="daml")).startswith(nothing)
    assert caption(TrainView(own=(("inner_lr", 0.0),))).startswith(nothing)
    assert (
        "5 inner steps do not help: the mean error on a new wave goes from 0.64 to 0.71"
        in caption(TrainView())
    )


@pytest.mark.parametrize("name", CONDITIONED)
def test_what_reads_points_is_told_in_points(name):
    config = TrainView(algorithm=name).config
    shown = train_scene.train_scene(unstarted(config), [untrained(config)])
    labels = {curve.label for curve in shown.figure.curves}
    assert labels == {"the true waves", "before any point", f"after {config.shots} points"}
    assert shown.captions[0].startswith(f"Before meta-training, {config.shots} points ")
    told = [*shown.captions, *shown.details, *shown.about.values()]
    facts = [about for _, about in (*shown.caption_facts[0], *shown.detail_facts[0])]
    assert not [text for text in (*told, *facts) if "inner step" in text or "any step" in text]


def test_a_likelihood_is_not_drawn_among_errors(registry):
    """It falls below zero, where the axis of errors has no room: the held-out errors are drawn."""
    for name in ("alpaca", "in-context"):
        job = registry.submit(TrainView(algorithm=name, own=SHORT).config, "a")
        assert job.join(30)
        progress = job.snapshot()
        line = loss_line("run 1", 1, progress)
        shown = train_scene.train_scene(unstarted(progress.config), progress.snapshots[:1])
        drawn = shown.keys["query"]
        if name == "alpaca":
            np.testing.assert_array_equal(line.smooth, line.errors)
            np.testing.assert_array_equal(line.steps, line.error_steps)
        else:
            assert len(line.raw) == 30
        assert drawn == ("" if name == "alpaca" else "query loss")


@pytest.mark.parametrize("name", CONDITIONED)
def test_the_time_of_one_pass_is_not_that_of_many_inner_steps(name):
    """Each of them took less than 15 s of one core with the recipe fast."""
    assert "second" in train_words.promise(TrainView(algorithm=name).config, None, Limits())


def test_probes_keep_the_curves_of_present_snapshots_only():
    config = TrainView(own=SHORT).config
    probes, first = kind_of(config), untrained(config)
    passing = [replace(first, step=step) for step in range(1, 50)]
    for newest in passing:
        probes.draw([first, newest])
    assert list(probes._drawn) == [0, 49]
    kept = probes._drawn[0]
    assert probes.draw([first])[0] is kept, "it is not drawn anew"


# ---------------------------------------------------------------------------- signs


SIGNS = configure("anil", "glyphs", hidden=4, meta_batch=2, steps=4)


def test_a_probe_of_signs_shows_probabilities_of_three_before_and_after():
    run, first = kind_of(SIGNS), untrained(SIGNS)
    scene = train_scene.train_scene(run, [first])
    before, after = (curve.y.reshape(1, WAYS, WAYS) for curve in scene.figure.curves)
    np.testing.assert_allclose(before, 1 / WAYS)  # a head of zeros can't tell
    np.testing.assert_allclose(after.sum(-1), 1, rtol=1e-5)
    assert np.shape(scene.figure.images) == (2, WAYS, 14 * 14)
    right = after[0].diagonal().mean()
    assert f"{100 * right:.0f} % after" in scene.details[0]
    assert "from 20 % to" in scene.captions[0]


def test_of_shares_more_is_better(registry):
    job = registry.submit(SIGNS, "a")
    assert job.join(60)
    progress = job.snapshot()
    start = progress.snapshots[0]
    run = unstarted(SIGNS)
    assert run.without == start.errors[-1]
    for share, learned in ((1.0, True), (run.without, False), (0.1, False)):
        ended = replace(start, step=4, errors=np.array([0.2, share]))
        assert run.has_learned(ended) is learned
        said = train_scene.verdict(replace(progress, snapshots=(ended,)))
        does = "better" if share < run.without else "as well"
        assert said == "" if learned else f"Random weights would do {does}" in said
    line = loss_line("run 1", 1, progress)
    np.testing.assert_allclose(line.raw, np.exp(-progress.losses))
    assert line.top == 1


def test_every_kind_of_task_that_is_shown_has_its_words():
    assert {family.kind for family in shown_families().values()} == set(train_scene.KINDS)
    assert FAMILIES["glyphs"].kind is GLYPHS
    for config in (SIGNS, TrainView().config):
        run = unstarted(config)
        assert set(run.keys) == set(run.about()) == {"query", "heldOut", "ignoring"}


# ---------------------------------------------------------------------------- time left


def progress_at(step: int, rate: float, seconds: float, **changes):
    config = configure("maml", "two-phase", "fast")
    nothing = np.empty(0)
    values = dict(
        state=JobState.RUNNING, config=config, engine="fused", step=step, steps_per_second=rate,
        seconds=seconds, seconds_left=None, loss_steps=nothing, losses=nothing, snapshots=(),
        reason="", position=0,
    )  # fmt: skip
    return Progress(**(values | changes))


def test_the_first_moments_of_a_run_do_not_frighten():
    """The first steps are few and full of snapshots: at their rate it would take minutes."""
    begun = progress_at(step=9, rate=11.0, seconds=0.8)
    assert train_words.seconds_left(begun) < 10
    assert "second" in train_words.report("run 1", begun, None).text
    assert "minute" not in train_words.report("run 1", begun, None).text
    assert "tasks/s" not in train_words.report("run 1", begun, None).text


def test_the_time_left_is_what_was_measured_in_the_end():
    late = progress_at(step=5000, rate=100.0, seconds=50)
    assert train_words.seconds_left(late) == pytest.approx(10, rel=0.25)
    slow = progress_at(step=10, rate=3.0, seconds=3)
    assert train_words.seconds_left(slow, pace=3.0) == pytest.approx(5990 / 3)


@pytest.mark.parametrize(
    ("state", "word", "bad"),
    [
        (JobState.PAUSED, "Paused at 3,000 of 6,000", False),
        (JobState.STOPPED, "Stopped at 3,000 of 6,000", False),
        (JobState.DIVERGED, "Diverged after 3,000 of 6,000", True),
        (JobState.FAILED, "Failed after 3,000 of 6,000", True),
    ],
)
def test_no_ending_reads_like_success(state, word, bad):
    progress = progress_at(3000, 6000.0, 0.5, state=state, reason="of a reason")
    report = train_words.report("run 1", progress, None)
    assert word in report.text
    assert report.bad is bad
    assert "left" not in report.text
    if bad:
        assert "of a reason" in train_scene.verdict(progress)


# ---------------------------------------------------------------------------- learned or not


@pytest.mark.parametrize("family", wave_families())
@pytest.mark.parametrize("algorithm", ["maml", "daml"])
def test_a_run_is_judged_on_its_own_held_out_tasks(algorithm, family):
    if not can_train(algorithm, family):
        return
    config = configure(algorithm, family, seed=3)
    meta = {n: torch.zeros_like(v) for n, v in config.learner.init(np.random.default_rng()).items()}
    zero = held_out_errors(config, meta)[0]
    waves = train_waves.held_out_tasks(config)
    assert len(waves) == 40
    size = config.task_family.kind.metrics[config.task_family.metric](
        waves(config.task_family.grid), 0
    ).mean()
    assert size == pytest.approx(zero, rel=0.02), "held_out_errors looks at fewer points"


@pytest.mark.parametrize(("family", "loss", "known"), [
    ("two-phase", "l1", 2 / math.pi), ("any-phase", "l1", None), ("finn", "mse", 3.01),
])  # fmt: skip
def test_one_fixed_curve_is_as_good_as_can_be(family, loss, known, monkeypatch):
    """Against a known value (Finn et al.: see the README), and against curves beside it."""
    config = configure("maml", family, loss=loss)
    many = config.task_family.sample_tasks(np.random.default_rng(1), 4000)
    monkeypatch.setattr(train_waves, "held_out_tasks", lambda config: many)
    train_waves.ignoring_error.cache_clear()
    error = train_waves.ignoring_error(config)
    train_waves.ignoring_error.cache_clear()
    if known:
        assert error == pytest.approx(known, rel=0.04)
    grid = config.task_family.grid
    best = (np.median if loss == "l1" else np.mean)(many(grid), axis=0)
    measure = config.task_family.kind.metrics[loss]
    assert error < 1.01 * measure(many(grid), best).mean()


def test_what_to_try_follows_from_the_settings_and_from_what_was_tried():
    plain = configure("daml", "any-phase", "fast")
    remedies = lambda *tried: train_remedies.remedies(tried[0], 0.0, tried)  # noqa: E731
    assert [r.label for r in remedies(plain)] == ["Try seed 1", "Try the recipe “best”"]
    assert remedies(plain)[0].view.config == plain.changed(seed=1)
    again = remedies(plain.changed(seed=1), plain)
    assert again[0].view.config == plain.changed(seed=2)
    wild = plain.changed(outer_lr=1.0)
    assert [r.label for r in remedies(wild, plain)] == ["Try the recipe “best”"]
    assert remedies(wild)[0].view.config == plain


@pytest.mark.parametrize("family", ["two-phase", "any-phase"])
def test_a_large_outer_rate_learns_nothing_and_does_not_diverge(family):
    """What the help of the setting promises."""
    trainer = MetaTrainer(configure("maml", family, "fast", outer_lr=0.3))
    trainer.advance(trainer.config.steps)
    errors = held_out_errors(trainer.config, trainer.meta)
    assert errors[-1] >= 0.99 * train_waves.ignoring_error(trainer.config)
    assert np.isfinite(errors).all()


def test_views_are_mended():
    view = TrainView.from_dict(dict(algorithm="x", family="y", recipe="z", own=[["a", 1]], pace=-1))
    assert view == TrainView()
    assert TrainView.from_dict(TrainView(own=SHORT).to_dict()) == TrainView(own=SHORT)


def test_a_view_keeps_a_recipe_that_suits_and_own_settings_that_differ():
    view = TrainView(recipe="original", own=(("meta_batch", 25), ("hidden", 8)))
    finn = view.with_family("finn")
    assert (finn.recipe, finn.own) == ("fast", (("hidden", 8), ("meta_batch", 25)))
    assert view.with_family("any-phase").recipe == "original"
    own = finn.changed(recipe="finn").with_setting("seed", 1)
    assert own.own == (("hidden", 8), ("seed", 1)), "25 is what this recipe has anyway"
    assert TrainView(family="finn", recipe="best").recipe == "fast"
    assert TrainView(family="finn").with_algorithm("daml").fault == ""


def test_no_run_outlives_these_tests(registry):
    began = time.monotonic()
    job = registry.submit(TrainView(own=SHORT[:3]).config, "a")
    job.stop()
    assert job.join(5)
    assert time.monotonic() - began < 5
