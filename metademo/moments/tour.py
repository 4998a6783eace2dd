"""The guided tour: moments on the real pages, each with a question to answer before it is shown.

What is claimed here is measured: `tests/test_tour.py` plays each stop on the shipped weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CONTROLS, SENTENCES, PANELS = "controls", "sentences", "errors"
"""What can be hidden of a page beside the curves of its chart."""


@dataclass(frozen=True)
class Stop:
    """One stop.

    Attributes:
        link: the moment that the page is brought to, see `address`.
        options: answers to the question; `right` is the place of the one that is true.
        answer: why, once the visitor has chosen.
        hide: what is not shown until then, see `Scene.without`.
        disguise: names for curves that are shown without their look until then.
    """

    title: str
    link: str
    question: str
    options: tuple[str, ...]
    right: int
    answer: str
    hide: tuple[str, ...] = ()
    disguise: Mapping[str, str] = field(default_factory=dict, hash=False)


TOUR = (
    Stop(
        "Four points",
        "/",
        "The dots are four points of a wave that this network has not met before; the faint line "
        "is the network. It now takes five gradient steps on these four points. What will it look "
        "like?",
        (
            "It passes the four points, and is anything between them",
            "It becomes the whole wave, also where there are no points",
            "It hardly changes: five steps are next to nothing",
        ),
        1,
        "It becomes the whole wave. Meta-training has prepared it for just this: it met thousands "
        "of waves, four points at a time, and was scored after five steps, on other points of the "
        "wave.",
        ("maml", SENTENCES, PANELS),
    ),
    Stop(
        "Which is which?",
        "/?contrast=1",
        "Two networks of the same size have seen the same waves in training, and have now taken "
        "the same five steps on these points. Only one of them was meta-trained. Which?",
        ("A", "B"),
        1,
        "B. The other was trained the ordinary way, on all waves at once. Its best answer to all "
        "of them is their average, and from there five steps on four points go only part of the "
        "way.",
        ("maml-before", "random", SENTENCES, PANELS),
        {"pretrained": "network A", "maml": "network B"},
    ),
    Stop(
        "How many steps?",
        "/",
        "Back to one network, and to its five steps. After which of them is most of the error "
        "gone?",
        ("After the first", "After the third", "Only after the fifth"),
        0,
        "After the first. Move the slider below the chart: the first step finds the wave, the "
        "others mend the details.",
        ("maml", SENTENCES, PANELS),
    ),
    Stop(
        "Where must the next point go?",
        "/?weights=maml-two-phase&phase=0&points=0,0",
        "This network knows only two waves, and both of them pass through this point: it can’t "
        "tell which one is meant. Where would a second point help?",
        (
            "Where the two waves cross again, at x = π",
            "At a crest, at x = π/2",
            "It makes no difference: two points are too few",
        ),
        1,
        "At a crest, where the two waves are furthest apart. Click there, and see. A point at a "
        "crossing says nothing new: both waves have that one, too.",
    ),
    Stop(
        "No label",
        "/daml?x=1.2",
        "The line above the chart says which wave each band stands for, but the network is not "
        "told: all that it sees is the number 1.2, without a label. What will five steps make of "
        "it?",
        (
            "The wave that the band stands for",
            "Something between the two waves",
            "Nothing: without a label there is nothing to learn from",
        ),
        0,
        "The wave that the band stands for. In training, inputs from this band always came with "
        "that wave, and the loss that the network descends is itself a network: it has learned "
        "what the number means.",
        ("daml", SENTENCES, PANELS),
    ),
    Stop(
        "Between the bands",
        "/daml?x=0",
        "Now the number is 0: between the bands, where no input ever was in training. What "
        "happens?",
        (
            "It becomes whichever of the two waves is nearer",
            "Its learned loss falls, and it becomes neither of them",
            "Nothing: the learned loss is 0 there",
        ),
        1,
        "The learned loss falls, step by step, and the network is as far from both waves as "
        "before. A learned loss is right where it was learned, and confident everywhere.",
        ("daml", SENTENCES, PANELS),
    ),
    Stop(
        "Twice as high",
        "/compare?chosen=maml,pretrained&amplitude=2",
        "All waves of training were as high as 1. This one is twice as high. What will MAML do?",
        (
            "Follow it as well as any other",
            "Come part of the way",
            "Run away: its steps were made for other waves",
        ),
        1,
        "It comes part of the way, and ordinary training none. What is meta-learned is a start "
        "from which *these* waves are near; open “Outside of what they learned” to leave them "
        "further behind.",
        ("maml", SENTENCES, PANELS),
    ),
    Stop(
        "What does the shortcut lose?",
        "/compare?family=any-phase&chosen=maml,fomaml",
        "First-order MAML leaves the second derivatives out, and with them most of the work of the "
        "outer loop. What does it lose?",
        (
            "Nearly everything",
            "Something: about a third more error",
            "Nothing that could be measured",
        ),
        1,
        "Something. On held-out waves its error after five steps is about a third larger: see the "
        "scores at the foot of the page. On two waves, and at one step, it loses even less.",
        ("maml", "fomaml", SENTENCES, PANELS),
    ),
    Stop(
        "Where it comes from",
        "/train",
        "All of this was learned, and here you can watch it. The network at the right has random "
        "weights. What do five steps do for it before any meta-training?",
        ("As much as later, only less exactly", "They don’t help", "They make it run away"),
        1,
        "They don’t help: its curves move, but on new waves it is no better off. Press Start: "
        "6,000 outer steps take a few seconds, and the slider goes back to any of them. This was "
        "the last stop.",
    ),
)
