"""The figures of the page How it works. No Streamlit here.

They show what the visitor has left on the other pages.
"""

from __future__ import annotations

from dataclasses import replace

from metademo.models import Model
from metademo.moments.drawn import draw_points
from metademo.moments.views import DamlView, MamlView
from metademo.tasks import WaveFamily
from metademo.ui.components.kernel.curves import Curve, Panel, Scene, Series
from metademo.ui.scenes.facts import loss_of, wave_formula
from metademo.ui.scenes.maml_story import Story
from metademo.ui.scenes.scenes import daml_scene, look, maml_scene, points_chart
from metademo.ui.scenes.sentences import IN_WORDS, descent, wave_name

HEIGHT = 240
SUPPORT_LOSS = "The support loss"
SOURCE = "Source domain: one unlabelled input"
LEARNED_LOSS = "The learned loss: all that it sees"


def problem_scene(view: MamlView, family: WaveFamily) -> Scene:
    """One task: a wave, and the few points of it that a network gets to see."""
    story = Story(view, family, {}, {})
    name = wave_name(view.phase, view.amplitude)
    truth = Curve(
        "truth",
        story.wave_label,
        story.truth,
        *look("truth"),
        width=1.5,
        about=wave_formula(name, view.frequency, view.shape),
    )
    which = "a wave" if view.fitted or not view.points else f"the wave {name}"
    caption = f"A task: {which}. The network gets to see {view.points_in_words}, and nothing else."
    return figure(
        points_chart(view, family, "A task", details=(), curves=[truth], captions=[caption])
    )


def inner_scene(view: MamlView, family: WaveFamily, model: Model) -> Scene:
    """The visitor's inner loop, with what it descends."""
    run = draw_points(view, family, model)
    losses = [float(value) for value in run.losses]
    steps = range(view.steps + 1) if view.points else range(0)
    about = [loss_of(model.learner, run, k) for k in steps]
    panel = Panel(
        SUPPORT_LOSS,
        [Series(IN_WORDS["maml"], losses, *look("maml"), about)],
        note=descent(model.learner),
    )
    return figure(replace(maml_scene(view, family, model, {}), panels=[panel] if steps else []))


def adapted_scene(view: DamlView, family: WaveFamily, model: Model) -> Scene:
    """What the learned loss makes of the network at the visitor's input."""
    scene = daml_scene(view, family, model)
    learned, true = scene.panels
    return figure(
        replace(
            scene, panels=[replace(learned, title=LEARNED_LOSS, note=descent(model.learner)), true]
        )
    )


def figure(scene: Scene) -> Scene:
    """The same, for the side of a text."""
    return replace(scene, height=HEIGHT, details=(), detail_facts=(), snap="")
