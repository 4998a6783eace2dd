"""Where the ways of learning to learn were published: a record for each paper, with its address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A publication.

    Attributes:
        authors: their family names; "" if not known.
        venue: where it appeared, as it stands before the year.
        url: where to read it; "" if not known.
        place: which part of it is meant, such as "section 5.2"; "" for the whole.
    """

    authors: str
    title: str
    venue: str
    year: int
    url: str = ""
    place: str = ""

    @property
    def markdown(self) -> str:
        """The reference, with a link at its title.

        >>> Paper("Doe", "A title", "ICML", 2017, "https://x.org").markdown
        'Doe: [*A title*](https://x.org), ICML 2017'
        """
        return self._reference(f"[*{self.title}*]({self.url})" if self.url else f"*{self.title}*")

    @property
    def text(self) -> str:
        """The reference in plain text, with its address.

        >>> Paper("Doe", "A title", "ICML", 2017, "https://x.org", "section 2").text
        'Doe: A title, ICML 2017, section 2, https://x.org'
        """
        return ", ".join(filter(None, [self._reference(self.title), self.url]))

    def _reference(self, title: str) -> str:
        who = f"{self.authors}: " if self.authors else ""
        where = f", {self.place}" if self.place else ""
        return f"{who}{title}, {self.venue} {self.year}{where}"


def in_markdown(papers: Iterable[Paper]) -> str:
    """References in a row, with links."""
    return "; ".join(paper.markdown for paper in papers)


def in_text(papers: Iterable[Paper]) -> str:
    """References in a row, in plain text."""
    return "; ".join(paper.text for paper in papers)


RASMUSSEN_2006 = Paper(
    "Rasmussen, Williams",
    "Gaussian Processes for Machine Learning",
    "MIT Press",
    2006,
    "https://gaussianprocess.org/gpml/",
)
FINN_2017 = Paper(
    "Finn, Abbeel, Levine",
    "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks",
    "ICML",
    2017,
    "https://arxiv.org/abs/1703.03400",
)
LI_2017 = Paper(
    "Li, Zhou, Chen, Li",
    "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning",
    "arXiv",
    2017,
    "https://arxiv.org/abs/1707.09835",
)
NICHOL_2018 = Paper(
    "Nichol, Achiam, Schulman",
    "On First-Order Meta-Learning Algorithms",
    "arXiv",
    2018,
    "https://arxiv.org/abs/1803.02999",
)
YU_2018 = Paper(
    "Yu, Finn, Xie, Dasari, Zhang, Abbeel, Levine",
    "One-Shot Imitation from Observing Humans via Domain-Adaptive Meta-Learning",
    "RSS",
    2018,
    "https://arxiv.org/abs/1802.01557",
)
GARNELO_2018 = Paper(
    "Garnelo, Rosenbaum, Maddison, Ramalho, Saxton, Shanahan, Teh, Rezende, Eslami",
    "Conditional Neural Processes",
    "ICML",
    2018,
    "https://arxiv.org/abs/1807.01613",
)
HARRISON_2018 = Paper(
    "Harrison, Sharma, Pavone",
    "Meta-Learning Priors for Efficient Online Bayesian Regression",
    "WAFR",
    2018,
    "https://arxiv.org/abs/1807.08912",
)
ANTONIOU_2019 = Paper(
    "Antoniou, Edwards, Storkey",
    "How to Train Your MAML",
    "ICLR",
    2019,
    "https://arxiv.org/abs/1810.09502",
)
ZINTGRAF_2019 = Paper(
    "Zintgraf, Shiarlis, Kurin, Hofmann, Whiteson",
    "Fast Context Adaptation via Meta-Learning",
    "ICML",
    2019,
    "https://arxiv.org/abs/1810.03642",
)
SNELL_2017 = Paper(
    "Snell, Swersky, Zemel",
    "Prototypical Networks for Few-shot Learning",
    "NeurIPS",
    2017,
    "https://arxiv.org/abs/1703.05175",
)
RAGHU_2020 = Paper(
    "Raghu, Raghu, Bengio, Vinyals",
    "Rapid Learning or Feature Reuse? Towards Understanding the Effectiveness of MAML",
    "ICLR",
    2020,
    "https://arxiv.org/abs/1909.09157",
)
GARG_2022 = Paper(
    "Garg, Tsipras, Liang, Valiant",
    "What Can Transformers Learn In-Context? A Case Study of Simple Function Classes",
    "NeurIPS",
    2022,
    "https://arxiv.org/abs/2208.01066",
)
NGUYEN_2022 = Paper(
    "Nguyen, Grover",
    "Transformer Neural Processes: Uncertainty-Aware Meta Learning Via Sequence Modeling",
    "ICML",
    2022,
    "https://arxiv.org/abs/2207.04179",
)
ARTICLE = Paper("", "Meta Learning in PyTorch", "an article of", 2018)
"""Both experiments come from it. Neither its author nor its address is known."""
