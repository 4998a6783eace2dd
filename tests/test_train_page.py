"""The Train page through Streamlit's own test harness: settings, runs, and what comes of them."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import Toy
from pages import ROOT, component, widget
from streamlit.testing.v1 import AppTest

from metademo.algorithms import ALGORITHMS
from metademo.described import ConfigError
from metademo.figures import OTHER
from metademo.jobs import Busy, JobState, Limits, Registry
from metademo.models import Model
from metademo.moments.drawn import draw_points
from metademo.moments.train_view import TrainView, algorithms_of_waves
from metademo.recipes import can_train, configure
from metademo.tasks import FAMILIES, Examples
from metademo.training import MetaTrainer
from metademo.ui.scenes import train_words
from metademo.ui.scenes.train_words import OWN, SETTINGS
from metademo.ui.state import runs
from metademo.ui.state.history import History

SHORT = (("hidden", 4), ("meta_batch", 1), ("queries", 4), ("steps", 30))


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """A registry of its own for each test, whose jobs use no compiler; all stopped at the end."""
    made = Registry(Limits(max_running=1, max_waiting=1))
    submit = made.submit
    made.submit = lambda *args, **options: submit(*args, engine="torch", **options)
    monkeypatch.setattr(runs, "registry", lambda: made)
    yield made
    for job in list(made._jobs.values()):
        job.stop()
        assert job.join(10)


def start(view: TrainView | None = None, **query: str | list[str]) -> AppTest:
    """The app, opened at the Train page, as by a visitor who has come to this view."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    app.switch_page("metademo/ui/pages/train.py")
    for name, value in query.items():
        app.query_params[name] = value
    if view is not None:
        app.session_state["history of train"] = History(TrainView()).commit(view)
    return app.run()


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=f"train {key}").click().run()


def runs_of(app: AppTest) -> list:
    return list(app.session_state["train visit"]["runs"].values())


def finish(app: AppTest, state: JobState = JobState.FINISHED) -> AppTest:
    job = runs_of(app)[-1].job
    assert job.join(20)
    assert job.state is state
    return app.run()


def stage(app: AppTest) -> dict:
    return component(app, "train_stage")


def bar(app: AppTest) -> dict:
    return stage(app)["progress"]


def intention(app: AppTest) -> str:
    """What stands beside the buttons."""
    first = ("Start trains", "Training ", ":material/")
    return next(m.value for m in app.markdown if m.value.startswith(first))


def labels(app: AppTest) -> list[str]:
    return [line["label"] for line in stage(app)["lines"]]


def quiet(app: AppTest) -> bool:
    return not (app.exception or app.error or app.warning)


def test_the_first_look_is_never_empty():
    app = start()
    assert quiet(app)
    data = stage(app)
    assert [curve["name"] for curve in data["curves"]][-1] == "after 1"
    assert data["snapshots"] == [0]
    assert data["captions"][0].startswith("Before meta-training")
    assert "Start trains MAML" in intention(app)
    assert bar(app)["text"].startswith("Not trained yet")
    assert app.button(key="train pause").disabled
    assert app.button(key="train stop").disabled


@pytest.mark.parametrize("algorithm", algorithms_of_waves())
def test_every_algorithm_of_the_registry_trains_here(algorithm):
    family = next(f for f in FAMILIES if can_train(algorithm, f))
    app = start(TrainView(algorithm=algorithm, family=family, own=SHORT))
    press(app, "start")
    finish(app)
    assert quiet(app)
    data = stage(app)
    assert data["snapshots"][0] == 0
    assert data["snapshots"][-1] == 30
    rows = {curve["name"]: curve["rows"] for curve in data["curves"]}
    assert rows["before"] == rows["after 0"] == len(data["snapshots"]) == len(data["captions"])
    assert labels(app) == ["run 1 (fast, width 4, points 4, …)"]


def test_a_new_row_of_the_registry_can_be_chosen_and_trained(monkeypatch):
    monkeypatch.setitem(ALGORITHMS, "toy", Toy)
    app = start()
    choice = widget(app, "selectbox", "algorithm", "train")
    assert choice.options[-1] == Toy.title
    assert Toy.summary in choice.help
    choice.set_value("toy").run()
    view = app.session_state["history of train"].present
    assert view.algorithm == "toy"
    app = start(view.changed(own=SHORT))
    press(app, "start")
    finish(app)
    assert quiet(app)
    assert stage(app)["lines"][0]["color"] == [OTHER.light, OTHER.dark]


def test_settings_follow_the_registries_and_the_limits():
    app = start()
    assert widget(app, "selectbox", "algorithm", "train").options == [
        ALGORITHMS[name].title for name in algorithms_of_waves()
    ]
    hidden = widget(app, "number_input", "hidden", "train")
    assert (hidden.min, hidden.max, hidden.value) == (1, 128, 32)
    hidden.set_value(8).run()
    assert app.session_state["history of train"].present.config.hidden == 8
    widget(app, "button_group", "recipe", "train").set_value("original").run()
    view = app.session_state["history of train"].present
    assert view.config == configure("maml", "two-phase", "original")
    assert quiet(app)


@pytest.mark.parametrize("name", OWN)
def test_a_number_is_asked_for_in_the_words_of_its_setting(name):
    setting, shown = SETTINGS[name], widget(start(), "number_input", name, "train")
    assert shown.label.casefold() == setting.title.casefold()
    most = min(setting.by_hand, Limits().maximum(name) or setting.high)
    assert (shown.min, shown.max) == (setting.low, most)
    assert shown.help.startswith(setting.help)
    assert shown.help.endswith(f" From {setting.in_words(setting.low)} to {most:,}.")


def test_a_family_is_offered_the_recipes_that_suit_it():
    app = start()
    recipes = lambda: widget(app, "button_group", "recipe", "train")  # noqa: E731
    assert recipes().options == ["Original", "Fast", "Best"]
    recipes().set_value("best").run()
    widget(app, "number_input", "seed", "train").set_value(3).run()
    widget(app, "selectbox", "family", "train").set_value("any-phase").run()
    assert recipes().value == "best"
    widget(app, "selectbox", "family", "train").set_value("finn").run()
    assert recipes().options == ["Fast", "Finn", "Finn-best"]
    view = app.session_state["history of train"].present
    assert (recipes().value, view.own) == ("fast", (("seed", 3),))
    recipes().set_value("finn").run()
    view = app.session_state["history of train"].present
    assert view.config == configure("maml", "finn", "finn")
    widget(app, "selectbox", "family", "train").set_value("two-phase").run()
    assert recipes().value == "fast"
    assert quiet(app)


def test_what_a_server_does_not_give_is_said_before_start():
    wanted = (("meta_batch", 256), ("hidden", 128), ("shots", 100))
    app = start(TrainView(own=wanted))
    assert app.button(key="train start").disabled
    assert "Can’t start: This is too much work for this server" in intention(app)
    limits = Limits()
    config = TrainView(own=wanted).config
    for name, words in (("meta_batch", "meta-batch"), ("hidden", "hidden width")):
        largest = train_words.largest_accepted(config, name, limits)
        assert f"{words} {largest:,} at most" in intention(app)
        limits.check(config.changed(**{name: largest}))
        with pytest.raises(ConfigError):
            limits.check(config.changed(**{name: largest + 1}))
    widget(app, "number_input", "shots", "train").set_value(1).run()
    widget(app, "number_input", "hidden", "train").set_value(24).run()
    assert not app.button(key="train start").disabled


def test_a_limit_of_one_setting_is_said_before_start(registry):
    registry.limits = registry.limits.changed(max_steps=1000)
    app = start()
    assert "outer steps 1,000 at most" in intention(app)
    assert app.button(key="train start").disabled


def test_pause_resume_stop():
    app = start(TrainView(own=SHORT[:3], pace=100.0))
    press(app, "start")
    job = runs_of(app)[0].job
    assert app.button(key="train start").disabled
    press(app, "pause")
    assert job.state is JobState.PAUSED
    assert app.button(key="train pause").label == "Resume"
    press(app, "pause")
    assert job.state is JobState.RUNNING
    press(app, "stop")
    assert job.state is JobState.STOPPED
    app.run()
    assert not app.button(key="train start").disabled
    assert quiet(app)


def test_the_pace_can_be_changed_while_it_runs():
    app = start(TrainView(own=SHORT[:3], pace=100.0))
    press(app, "start")
    widget(app, "select_slider", "pace", "train").set_value(3.0).run()
    assert runs_of(app)[0].job.pace == 3.0


def test_start_says_what_it_will_do_again_after_a_run_and_after_a_change():
    app = start(TrainView(own=SHORT))
    press(app, "start")
    assert intention(app).startswith("Training MAML, two-phase")
    widget(app, "number_input", "seed", "train").set_value(3).run()
    finish(app)
    assert stage(app)["snapshots"][-1] == 30, "the last run stays on the stage"
    assert intention(app).startswith("Start trains MAML")
    assert "seed 3" in intention(app)
    widget(app, "select_slider", "pace", "train").set_value(3.0).run()
    assert "30 steps of 1 task, about 10 seconds" in intention(app)


def test_settings_changed_during_a_run_count_for_the_next():
    app = start(TrainView(own=SHORT[:3], pace=100.0))
    press(app, "start")
    assert "next run" not in intention(app)
    widget(app, "number_input", "seed", "train").set_value(3).run()
    assert intention(app).endswith("Changed settings count for the next run.")


def test_the_oldest_run_does_not_vanish_without_a_word(monkeypatch):
    monkeypatch.setattr(runs, "MAX_RUNS", 2)
    app = start(TrainView(own=SHORT))
    for _ in range(2):
        press(app, "start")
        finish(app)
    assert not app.info
    press(app, "start")
    finish(app)
    assert [run.name for run in runs_of(app)] == ["run 2", "run 3"]
    assert "Run 1 was taken off the charts" in app.info[0].value
    press(app, "remove")
    press(app, "start")
    finish(app)
    assert not app.info, "there was room"


def test_runs_keep_their_number():
    app = start(TrainView(own=SHORT))
    for _ in range(2):
        press(app, "start")
        finish(app)
    assert [line["number"] for line in stage(app)["lines"]] == [2, 1]
    app.selectbox(key="train chosen").set_value(runs_of(app)[0].job.token).run()
    assert [line["number"] for line in stage(app)["lines"]] == [1, 2]


def test_runs_lie_over_each_other_and_can_be_removed():
    app = start(TrainView(own=SHORT))
    for seed in (0, 1):
        widget(app, "number_input", "seed", "train").set_value(seed).run()
        press(app, "start")
        finish(app)
    assert [label.split(" (")[0] for label in labels(app)] == ["run 2", "run 1"]
    first, second = runs_of(app)
    assert "seed 1" in second.title
    app.selectbox(key="train chosen").set_value(first.job.token).run()
    assert [label.split(" (")[0] for label in labels(app)] == ["run 1", "run 2"]
    press(app, "remove")
    app.run()
    assert runs_of(app) == [second]
    assert [label.split(" (")[0] for label in labels(app)] == ["run 2"]


@pytest.mark.parametrize(("algorithm", "page"), [("maml", "maml"), ("daml", "daml")])
def test_play_opens_the_page_on_these_weights(algorithm, page):
    app = start(TrainView(algorithm=algorithm, own=(*SHORT, ("inner_steps", 3))))
    press(app, "start")
    finish(app)
    press(app, "play")
    view = app.session_state[f"history of {page}"].present
    assert (view.weights, view.steps) == ("run 1, step 30", 3)
    assert quiet(app)
    assert len(component(app, "chart")["captions"]) == 4


@pytest.mark.parametrize("algorithm", ["maml", "maml++"])
def test_weights_are_played_with_the_alpha_they_were_trained_with(algorithm):
    app = start(TrainView(algorithm=algorithm, own=(*SHORT, ("inner_lr", 0.01))))
    press(app, "start")
    finish(app)
    run = runs_of(app)[0]
    press(app, "play")
    view = app.session_state["history of maml"].present
    assert widget(app, "number_input", "inner_lr", "maml").value == 0.01
    shown = draw_points(
        view, FAMILIES["two-phase"], Model.of(run.checkpoint(run.progress.snapshots[-1]))
    )
    x, y = np.array(view.points).T
    support = Examples(x[None], y[None])
    trained = run.job.config.learner.adapt(run.progress.snapshots[-1].meta, support)
    np.testing.assert_allclose(shown.losses, trained.losses[:, 0], rtol=1e-5)


def test_divergence_is_shown_with_its_step_and_reason():
    wild = (("outer_lr", 10.0), ("inner_lr", 10.0), ("hidden", 4))
    app = start(TrainView(recipe="original", own=wild))
    press(app, "start")
    finish(app, JobState.DIVERGED)
    data = stage(app)
    assert data["progress"]["bad"]
    assert data["progress"]["text"].startswith("run 1 · Diverged after ")
    assert data["verdict"].startswith("The training diverged: ")
    assert "at outer step" in data["verdict"]
    assert "smaller learning rate" in data["verdict"]
    last = runs_of(app)[0].progress.snapshots[-1]
    assert data["snapshots"][-1] == last.step
    assert [b.label for b in app.button if "remedy" in (b.key or "")] == [
        "Try the recipe’s own settings (original)",
        "Try the recipe “fast”",
    ]
    press(app, "play")
    assert quiet(app)


@pytest.mark.parametrize("fault", [RuntimeError("out of tea"), MemoryError(), SystemExit()])
def test_a_training_that_dies_is_told_and_the_next_one_can_begin(fault, monkeypatch):
    def die(self, steps):
        raise fault

    app = start(TrainView(own=SHORT))
    with monkeypatch.context() as patch:
        patch.setattr(MetaTrainer, "advance", die)
        press(app, "start")
        finish(app, JobState.FAILED)
    data, reason = stage(app), runs_of(app)[0].progress.reason
    assert data["progress"]["bad"]
    assert "Failed after 0 of 30 outer steps" in data["progress"]["text"]
    assert data["verdict"].startswith(f"The training failed: {reason}. The last good weights")
    assert not app.exception
    press(app, "start")
    assert finish(app)
    assert "Finished" in bar(app)["text"]


def test_a_reload_finds_the_run_by_the_address(registry):
    app = start(TrainView(own=SHORT))
    press(app, "start")
    token = runs_of(finish(app))[0].job.token
    assert stage(app)["moment"]["aside"] == f"run={token}"
    again = start(run=token)
    assert [run.job.token for run in runs_of(again)] == [token]
    assert stage(again)["snapshots"][-1] == 30


def test_a_reload_finds_the_pace_of_the_run_under_way(registry):
    app = start(TrainView(own=SHORT[:3], pace=10.0))
    press(app, "start")
    again = start(run=runs_of(app)[0].job.token)
    assert widget(again, "select_slider", "pace", "train").value == 10.0
    assert runs_of(again)[0].job.pace == 10.0


def test_a_live_run_beside_a_forgotten_one_is_live(registry):
    job = registry.submit(TrainView(own=SHORT[:3]).config, "someone", pace=20.0)
    app = start(run=[job.token, "forgotten"])
    assert "no longer kept" in app.info[0].value
    assert intention(app).startswith("Training MAML")
    assert bar(app)["text"].startswith("run 1 · ")
    assert not app.button(key="train pause").disabled
    assert not app.warning


def test_the_run_under_way_comes_on_the_stage_after_a_reload(registry):
    over = registry.submit(TrainView(own=SHORT).config, "someone")
    assert over.join(20)
    live = registry.submit(TrainView(own=SHORT[:3]).config, "someone", pace=20.0)
    app = start(run=[live.token, over.token])
    assert stage(app)["run"] == live.token


def test_an_unknown_run_in_the_address_is_said_and_the_page_works():
    app = start(run="nonsense")
    assert "no longer kept" in app.info[0].value
    assert intention(app).startswith("Start trains"), "nobody has pressed it"
    assert stage(app)["snapshots"] == [0]
    assert runs_of(app) == []


def test_the_line_has_a_position_and_an_end(registry):
    config = TrainView(own=SHORT[:3]).config
    registry.submit(config, "someone else", pace=20.0)
    app = start(TrainView(own=SHORT[:3]))
    press(app, "start")
    assert "number 1 in the waiting line" in bar(app)["text"]
    third = start(TrainView(own=SHORT[:3]))
    press(third, "start")
    assert "Not started: The server is busy" in intention(third)
    widget(third, "number_input", "seed", "train").set_value(3).run()
    assert intention(third).startswith("Start trains"), "with these it was not tried yet"
    press(app, "stop")
    assert runs_of(app)[0].job.state is JobState.STOPPED
    with pytest.raises(Busy):
        registry.submit(config, "someone else")


def test_a_bad_limit_of_the_host_is_named(monkeypatch):
    def broken():
        return Registry(Limits())

    monkeypatch.setenv("METADEMO_MAX_RUNNING", "two")
    monkeypatch.setattr(runs, "registry", broken)
    app = start()
    assert "METADEMO_MAX_RUNNING must be a whole number" in app.error[0].value
    assert not app.exception


def test_a_run_that_has_not_learned_says_so_and_the_button_starts_another():
    app = start(TrainView(own=(*SHORT, ("inner_lr", 0.0))))
    press(app, "start")
    finish(app)
    data = stage(app)
    assert data["progress"]["bad"]
    assert "Finished, but not learned" in data["progress"]["text"]
    assert data["verdict"].startswith("This run has not learned to adapt: after 5 inner steps its")
    remedy = next(b for b in app.button if b.label == "Try the recipe “best”")
    assert "Try the recipe’s own settings (fast)" in [b.label for b in app.button]
    remedy.click().run()
    second = runs_of(app)[1]
    assert second.config == configure("maml", "two-phase", "best")
    assert widget(app, "button_group", "recipe", "train").value == "best"
    press(app, "stop")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"inner_steps": "-1"}, "inner steps must be from 0 to 100, not -1"),
        ({"outer_lr": "1e100"}, "not 1e+100"),
        ({"hidden": "100000"}, "hidden width must be"),
    ],
)
def test_a_link_to_settings_that_cannot_be_used_leads_to_a_page_that_says_so(said, why):
    app = start(**said)
    assert not app.exception
    assert any("Can’t start" in text.value and why in text.value for text in app.markdown)
    widget(app, "selectbox", "family", "train").set_value("any-phase")
    app.run()
    assert not app.exception


def test_a_link_to_a_family_that_an_algorithm_cannot_be_trained_on_leads_to_another():
    app = start(algorithm="daml", family="finn")
    assert not app.exception
    assert app.session_state["history of train"].present.family == "two-phase"
    assert any("family=finn" in text.value for text in app.warning)
