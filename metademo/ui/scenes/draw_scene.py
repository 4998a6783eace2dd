"""From a view to what the Draw page shows and says. No Streamlit here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from metademo.algorithms import GradientBased
from metademo.formats import percent
from metademo.moments.asked import Asked
from metademo.moments.candidates import Candidate
from metademo.moments.outside_of_signs import CHANGES
from metademo.moments.signs import ORDINALS, DrawView, strokes_of
from metademo.moments.tour import PANELS, SENTENCES
from metademo.tasks import Array
from metademo.ui.components.kernel.curves import Color, Facts
from metademo.ui.scenes.facts import sentences, told
from metademo.ui.scenes.sentences import after


@dataclass(frozen=True)
class Answer:
    """How sure a learner is.

    Attributes:
        shares: the probability of each sign that is drawn, (S + 1, ways).
        about: how it was computed, for whoever asks its name.
    """

    label: str
    shares: Array
    color: Color
    dash: str
    about: str


@dataclass(frozen=True)
class DrawScene:
    """All that the page's component shows, for all steps at once, so that the browser scrubs alone.

    Attributes:
        signs, question: the drawings, as text.
        seen: what a network sees of each sign's drawings, (examples, 196).
        seen_question: and of the question, (196,).
        ways: the signs that there are shares of.
        captions, details, caption_facts, detail_facts: as of a `Scene`.
    """

    signs: Sequence[Sequence[str]]
    question: str
    seen: Sequence[Array]
    seen_question: Array
    ways: Sequence[int]
    answers: Sequence[Answer]
    steps: int
    captions: Sequence[str] = ()
    details: Sequence[str] = ()
    caption_facts: Sequence[Facts] = ()
    detail_facts: Sequence[Facts] = ()

    def without(self, hide: Collection[str]) -> DrawScene:
        """The scene without what a lesson hides: that is not even sent."""
        scene = self
        if PANELS in hide:
            scene = replace(scene, answers=())
        if SENTENCES in hide:
            scene = replace(scene, captions=(), details=(), caption_facts=(), detail_facts=())
        return scene


def draw_scene(before: DrawView, view: DrawView, asked: Asked) -> DrawScene:
    """The drawings, what each learner says of the question, and that in words.

    Args:
        before: the view without the stroke that is going on: the browser shows that one itself.
        view: what the learners were asked about.
    """
    there = [one for one in asked.chosen if one.name in asked.shares]
    steps = range(asked.steps + 1)
    return DrawScene(
        before.examples,
        before.question,
        asked.signs,
        asked.question,
        asked.ways,
        [_answer(one, asked) for one in there],
        asked.steps,
        **sentences(
            [asked.missing or _caption(k, asked, there) for k in steps],
            [_detail(k, view, there) for k in steps],
        ),
    )


def _answer(one: Candidate, asked: Asked) -> Answer:
    return Answer(one.title, asked.shares[one.name], *one.colours_and_dash, about=one.summary)


def _caption(k: int, asked: Asked, there: Sequence[Candidate]) -> str:
    first, *others = there
    shares, mine = asked.at(first.name, k), asked.pick(first.name, k)
    if mine is None:
        share = told(percent(shares[0]), f"1 of {len(shares)}: all outputs are the same")
        said = f"{first.in_a_sentence} can’t tell: {share} for each sign"
    else:
        said = f"{first.in_a_sentence} says: the {ORDINALS[mine]} sign, {_share(asked, shares)}"
    return ". ".join([f"{after(k)} {said}", *_others(k, asked, mine, others)]) + "."


def _others(k: int, asked: Asked, mine: int | None, others: Sequence[Candidate]) -> list[str]:
    """What the other learners say: those of one mind together."""
    found: dict[int | None, list[str]] = {}
    for one in others:
        said = f"{one.in_a_sentence} ({_share(asked, asked.at(one.name, k))})"
        found.setdefault(asked.pick(one.name, k), []).append(said)
    return [_minds(pick, names, pick == mine) for pick, names in found.items()]


def _minds(pick: int | None, names: Sequence[str], agree: bool) -> str:
    who = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    who = who[0].upper() + who[1:]
    several = len(names) > 1
    if pick is None:
        return f"{who} can’t tell"
    if agree:
        return f"{who} agree{'s' * (not several)}"
    return f"{who} {'say' if several else 'says'}: the {ORDINALS[pick]} sign"


def _share(asked: Asked, shares: Array) -> str:
    """The largest of some shares, and how they were computed."""
    each = ", ".join(
        f"{percent(share)} the {ORDINALS[sign]}"
        for share, sign in zip(shares, asked.ways, strict=True)
    )
    return told(
        percent(shares.max()),
        f"{percent(shares.max())} = exp(zᵢ) / Σⱼ exp(zⱼ) of its outputs z: {each}",
    )


def _detail(k: int, view: DrawView, there: Sequence[Candidate]) -> str:
    if outside := _outside(view):
        return f"Outside of what they were trained on: {outside}."
    if k == 0 and any(isinstance(one.model.learner, GradientBased) for one in there):
        return (
            "Whoever learns by steps has not looked at your examples yet. Move the scrubber: each "
            "step is a gradient step on them, and on nothing else."
        )
    return (
        "None of these drawings was in training: that was on random strokes alone. A network sees "
        "14 × 14 pixels of each drawing, moved and scaled into a box; where and how large you draw "
        "does not matter. It has to choose one of the signs, even if your drawing is none of them."
    )


def _outside(view: DrawView) -> str:
    """What about the drawings does not occur in training, or ""."""
    found = [
        f"the question’s {CHANGES[name].title.lower()} is {value} (trained: "
        f"{CHANGES[name].trained_in_words})"
        for name, value in view.outside.items()
    ]
    if len({point for stroke in strokes_of(view.question) for point in stroke}) == 1:
        found.append("the question is a single dot")
    if len({sum(map(bool, examples)) for examples in view.examples} - {0}) > 1:
        found.append("some signs have more examples than others")
    return " and ".join(found)
