"""Drawn signs as a subject: a learner that is asked which of them a drawing is, as a script.

The drawings are in it as the network sees them: what puts strokes into a box and draws them is
compiled code, which would be longer than all the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from metademo.algorithms.in_torch import InTorch
from metademo.export.subject import Subject
from metademo.export.text import numbers, quotable, wrapped
from metademo.moments.asked import Asked
from metademo.moments.candidates import Candidate
from metademo.tasks import Array


@dataclass(frozen=True, kw_only=True)
class SignSubject(Subject):
    """One learner on drawn signs: its script says how likely each is to be the question.

    Attributes:
        support: x (1, examples, pixels), and y (1, examples), which counts the `signs`.
        question: the image that it is asked about, (pixels,).
        signs: those that it chooses among, counted from 0 as on the page.
    """

    lacking = "draw two signs and a question first"
    finds = "gives these very answers, from the drawings as a network sees them"
    adapting_is = "How likely each sign is after 0, 1, 2, .. steps."
    without_picture = "With matplotlib there is a picture, too."

    question: Array
    signs: Sequence[int]

    @property
    def empty(self) -> bool:
        return len(self.signs) < 2 or not self.question.any()

    @property
    def sees(self) -> str:
        count = self.support.x.shape[1]
        return f"on {count} drawing{'s' * (count != 1)}"

    def task(self, told: InTorch) -> str:
        kind = ", dtype=torch.float64" * told.double
        settings = "".join(f"{name} = {value!r}\n" for name, value in told.settings.items())
        x, pixels = self.support.x[0], self.question.size
        return (
            f"# What a network sees of each drawing, {self._side} x {self._side} pixels "
            "row by row: 0 is paper, 1 is ink.\n"
            + wrapped(
                "x = torch.tensor(",
                numbers(x.ravel(), double=told.double),
                f"{kind}).reshape({len(x)}, {pixels})",
            )
            + f"y = torch.tensor({self.support.labels[0].tolist()})  # which of the signs it is\n"
            + f"signs = {[1 + sign for sign in self.signs]}\n"
            + wrapped(
                "question = torch.tensor(",
                numbers(self.question, double=told.double),
                f"{kind}).reshape(1, {pixels})",
            )
            + f"steps = {self.steps}\n{settings}"
        )

    def adapting(self, told: InTorch) -> str:
        return """\
outputs = run(theta, x, y, question, steps)
probabilities = outputs.softmax(-1).squeeze(1)  # (steps + 1, len(signs))
"""

    @property
    def results(self) -> str:
        return f"""\
for k, shares in enumerate(probabilities.tolist()):
    said = ", ".join(f"sign {{n}} {{share:.4f}}" for n, share in zip(signs, shares, strict=True))
    print(f"{self.learner.a_step} {{k}}: {{said}}")
"""

    @property
    def picture(self) -> str:
        side = self._side
        return f"""\
shares = probabilities[-1].tolist()
names = [f"sign {{signs[label]}}: {{shares[label]:.0%}}" for label in y] + ["which is it?"]
_, axes = plt.subplots(1, len(names), figsize=(2 * len(names), 2.5))
for axis, name, image in zip(axes, names, [*x, *question], strict=True):
    axis.imshow(image.reshape({side}, {side}), cmap="gray_r")
    axis.set_title(name)
    axis.axis("off")
plt.suptitle("{quotable(self.title)}")
plt.show()
"""

    @property
    def _side(self) -> int:
        return math.isqrt(self.question.size)


def of_asked(asked: Asked, one: Candidate) -> SignSubject:
    """One of the learners that the Draw page asks."""
    steps = len(asked.shares.get(one.name, ())) - 1
    return SignSubject(
        title=one.title,
        model=one.model,
        support=asked.support,
        steps=steps if steps > 0 else one.model.learner.trained_steps,
        weights=one.weights,
        question=asked.question,
        signs=asked.ways,
    )
