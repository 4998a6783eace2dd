"""How it works: two algorithms step by step, and every one in its own words."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from metademo.algorithms import ALGORITHMS, YARDSTICKS, Learner
from metademo.algorithms.papers import ARTICLE, in_markdown
from metademo.checkpoints import Checkpoint
from metademo.figures import DASHES, Style, style_of
from metademo.models import Model
from metademo.moments.drawn import draw_points
from metademo.moments.views import DamlView, MamlView
from metademo.tasks import as_waves
from metademo.ui.components.link.link import copy_link
from metademo.ui.components.symbols.symbols import light_symbols
from metademo.ui.controls import keep, layout
from metademo.ui.controls.how_figures import (
    beside,
    daml_figure,
    how_state,
    inner_figure,
    shown,
    signs_figure,
    slow_motion,
    task_figure,
)
from metademo.ui.scenes.maml_story import Story
from metademo.ui.scenes.sentences import inner_loop, learned_loss, outer_loop, preparation
from metademo.ui.scenes.symbols import DAML_SYMBOLS, OUTER_SYMBOLS, inner_symbols, linked
from metademo.ui.scenes.ways import WAYS_MEASURED, members_in_words, ways_table
from metademo.ui.state.state import present

PROBLEM = r"""
## The problem

An ordinary network learns *one* thing from many examples. Here there are many things to learn, and
each comes with very few examples: a *task* is one sine wave, and its **support set** is the handful
of points that you click. That is far too little to train a whole network from nothing.

So the network is prepared. Before it ever meets your points it practises on task after task, and it
is trained for one purpose only: *to be good after a few steps of gradient descent*. That is
meta-learning, learning to learn. It has two loops, one inside the other.
"""

INNER = r"""
## The inner loop: what happens when you click

Start from the meta-trained weights $\theta_0$. Measure how far the network $f_\theta$ is off at the $K$
points $(x_i, y_i)$ of the support set:

$$
L_{\text{support}}(\theta) = \frac{1}{K} \sum_{i=1}^{K} \ell\big(f_\theta(x_i) - y_i\big)
$$

This is the **loss**, a mean of either $\ell(e) = |e|$ or $\ell(e) = e^2$.

Then take a step of plain gradient descent, and repeat until $S$ steps are done:

$$
\theta_{k+1} = \theta_k - \alpha \, \nabla L_{\text{support}}(\theta_k)
$$

$\alpha$ is the **inner learning rate**. The results are called *adapted* (or fast) weights. There is
nothing else to it: no trick happens at this point.
"""

OUTER = r"""
## The outer loop: where the starting point comes from

During meta-training each task also has a **query set**, further points of the same wave that the
inner loop never sees; $L_{\text{query}}$ is a mean over those. The outer loop asks how well the *adapted*
weights do on them, and changes the *starting* weights to make that better, over a **meta-batch** of
tasks at a time:

$$
\begin{aligned}
g &= \nabla_{\theta_0} \operatorname*{mean}_{\text{tasks}} L_{\text{query}}(\theta_S) \\
\theta_0 &\leftarrow \theta_0 - \beta \, \operatorname{step}(g)
\end{aligned}
$$

$\beta$ is the **outer learning rate**. In plain gradient descent (SGD) the step is $g$ itself; the
optimiser Adam rescales it, weight by weight, by what the gradients were like so far. This is
Model-Agnostic Meta-Learning, **MAML** (Finn, Abbeel and Levine 2017). Notice the index: the loss is
taken at $\theta_S$, but the gradient with respect to $\theta_0$, $S$ steps earlier. It has to go back
through the inner loop:

$$
\begin{aligned}
\lambda_S &= \nabla L_{\text{query}}(\theta_S) \\
\lambda_k &= \lambda_{k+1} - \alpha \, H(\theta_k) \, \lambda_{k+1}
\end{aligned}
$$

and $\lambda_0$ is the gradient of a task, of which $g$ is the mean. $H(\theta_k)$, the Hessian of the
support loss, says how the inner gradient itself changes when the weights do. It is never written out:
only its product with a vector is needed, which costs about as much as two gradients.
"""

DAML = r"""
## DAML: when there are no labels

The story behind it: a robot watches one video of a person at work, and must then do the same itself. The
video has no labels, for nothing in it says what the robot's own motors should do. What is watched is the
**source domain**, and where one acts is the **target domain**.

On the DAML page the video is one number $x_s$, and the act is a wave over $x$. Which wave is hidden in where
$x_s$ lies. Of two waves, the right band of inputs means $\sin(x)$ and the left one $\sin(x + \pi)$; of waves
with any phase, each input means its own. The captions that say so are for you: they never reach the network.
The network reads $x_s$ where it otherwise reads $x$, which is all that the two have in common.

Without a label there is no error to descend. So the loss is learned, too: a second network $g_\psi$
looks at what goes on *inside* the first one at $x_s$, at its hidden activations $h_1, h_2$ and its output
$y$, and answers with one number. The inner loop drives that number towards
zero:

$$
\begin{aligned}
L_{\text{adapt}}(\theta, \psi; x_s) &= \tfrac{1}{2} \, g_\psi(y, h_2, h_1)^2 \\
\theta_{k+1} &= \theta_k - \alpha \nabla_{\!\theta} L_{\text{adapt}}(\theta_k, \psi; x_s)
\end{aligned}
$$

The units of $g_\psi$ are *leaky* ReLUs, which let a little through on their closed side, too. The article
of 2018 has $|g_\psi|$ with plain ones. There all units of a layer may close: the loss is then flat, and a step
on it changes nothing.

The outer loop trains $\theta_0$ and $\psi$ together, by the labelled query set in the target domain. Nobody
tells $g_\psi$ what a good loss is: it is judged only by what descending it does to the network. This is
Domain-Adaptive Meta-Learning, **DAML** (Yu et al. 2018).
"""

SIGNS = r"""
## Signs: classes in place of curves

On the Draw page a task is a few *signs*, the support set is an example of each, and what is asked is which
of them another drawing is. Three things are different from waves:

* **The network** reads $14 \times 14$ pixels. Three layers of convolutions turn a drawing $x$ into 128
  features $\varphi_\theta(x)$.
* **The head.** A last layer has an output for each sign, $z = W \varphi_\theta(x) + b$. It is not
  meta-learned: every task begins with $W = 0$ and $b = 0$, so there may be as many signs as you like, and
  before the first step each of them is as likely as any other.
* **The loss** says how likely the right sign was held to be (the cross-entropy). On the support set each sign
  $c$ counts for one, however many examples $K_c$ of it there are, so that a step makes the answers as sure
  among five signs as among three:

$$
\begin{aligned}
L_{\text{support}} &= - \sum_c \frac{1}{K_c} \sum_{i:\, y_i = c} \log p_c(x_i) \\
p_c(x) &= \frac{\exp z_c}{\sum_l \exp z_l}
\end{aligned}
$$

All else stays as it is, and so does the code: the inner loop that descends this loss on your examples, the
query set (further drawings of the same signs), and the outer gradient, back through the inner loop. MAML
moves all weights in its inner loop and ANIL the head alone; how far each step moves a layer is learned as
well. The prototypical network takes no step: it compares features with those of your examples.
"""

WAYS = """
## Three families of learning to learn

All that follow practise on task after task, so that a few points will do for a new one. They differ in what
they then do with these points.

* **Optimise** ({optimise}). The outer loop learns where to start, and maybe how far to step or which loss to
  descend. A new task is learned by gradient descent from there.
* **Condition** ({condition}). A network reads the points beside $x$, and what it puts out is the curve. No
  weight changes: learning has become a forward pass. Language models learn from the examples in a prompt in
  the same way.
* **Infer** ({infer}). The outer loop learns what to expect, a *prior*, and the points turn it into a
  *posterior* by Bayes’ rule, in closed form. A Gaussian process does the same with a kernel in place of
  learned features.
"""

EVERY = r"""
## Every way of learning to learn

Those that optimise share one inner loop, and differ in what the outer loop learns, and how. Beside each is
its look in the charts. An outer step is written for one task and as plain gradient descent: it takes the
mean over the meta-batch, and Adam may rescale it.
"""

MEASURED = """
## What they are measured against

Yardsticks, which no outer loop has trained. They adapt and are scored like the rest. Gaussian processes have a
few numbers from the family, fitted in less than a second; the others have nothing.
"""

COMPARED = r"""
## Which is best?

That depends on the tasks. The **Compare** page puts several side by side: the same wave, the same points,
the same number of steps. For numbers there is a **standard benchmark** (Finn et al. 2017, here the task
family `finn`): waves $A \sin(x - \varphi)$ with $A$ from 0.1 to 5 and $\varphi$ from 0 to $\pi$, seen at a
few points in $[-5, 5]$, and the mean squared error on waves that were never trained on, after 1, 5 and 10
inner steps, or points where those stand for steps. `python -m metademo reproduce` trains and scores on it all that learn from labelled points,
beside the published figures.
"""

FILES = f"""
## Where it is in the code

In the folder `metademo/`:

| what you have read | file |
|---|---|
| the network as a function of its weights | `network.py` |
| tasks, support and query sets, source bands | `tasks/` |
| the inner loop | `inner.py` |
| what every way of learning shares, and the outer gradient | `algorithms/learner.py`, `algorithms/gradient_based.py` |
| each way of learning, what is said of it here, its equation | one file each in `algorithms/` |
| their list, from which this page is made | `algorithms/__init__.py` |
| the same mathematics, compiled | `fused/` |
| the outer loop | `training.py` |
| error on held-out tasks | `evaluation.py` |
| the standard benchmark | `reproduce.py` |
| colours and dash patterns | `figures.py` |

Both experiments, MAML and DAML on sine waves, come from {ARTICLE.markdown}.
"""


def your_steps(checkpoint: Checkpoint) -> None:
    """The inner loop of the MAML page as the visitor left it, step by step in numbers."""
    view, family, model = (
        present("maml", MamlView),
        as_waves(checkpoint.config.task_family),
        Model.of(checkpoint),
    )
    if not view.points:
        return
    story = Story(view, family, {"maml": model}, {"maml": draw_points(view, family, model)})
    st.markdown(
        f"This is the step that you scrub through on the MAML page. With {story.points} there now, "
        f"and the mean |error| against {story.wave}:"
    )
    layout.room("your steps", 35 * (view.steps + 2) + 2).dataframe(
        {
            "step k": list(range(view.steps + 1)),
            "loss L": story.runs["maml"].losses.round(3),
            "error": story.errors["maml"].round(3),
        },
        hide_index=True,
        width="content",
    )


def every_way() -> None:
    """All that the registries hold, first by family."""
    st.markdown(WAYS.format_map(members_in_words()))
    st.markdown(ways_table())
    st.caption(WAYS_MEASURED)
    st.markdown(EVERY)
    for algorithm in ALGORITHMS.values():
        one_way(algorithm)
    st.markdown(MEASURED)
    for yardstick in YARDSTICKS.values():
        one_way(yardstick)


def one_way(algorithm: type[Learner]) -> None:
    """A way of learning in its own words: what it says of itself, as far as it does."""
    with st.container(gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(swatch(style_of(algorithm.name)), width="content")
            st.markdown(f"### {algorithm.title}", width="content")
        st.markdown(algorithm.about or f"It {algorithm.summary}.")
        if algorithm.formula:
            st.markdown(f"$$\n{algorithm.formula}\n$$")
        if algorithm.papers:
            st.markdown(in_markdown(algorithm.papers))


def swatch(style: Style) -> str:
    """A stretch of a curve as the charts draw it, on either ground."""
    colour, stops, at = f"light-dark({style.light}, {style.dark})", [], 0
    for i, length in enumerate(map(int, DASHES[style.dash].split() or ["44"])):
        stops.append(f"{'transparent' if i % 2 else colour} {at}px {at + length}px")
        at += length
    line = f"repeating-linear-gradient(to right, {', '.join(stops)})"
    return f'<div style="width: 44px; height: 4px; position: relative; top: 2px; background: {line}"></div>'


def page() -> None:
    layout.headline("How it works", "For readers who know gradient descent, and nothing more.")
    keep.arrival(how_state())
    maml, daml = shown("maml", MamlView), shown("daml", DamlView)
    with beside("problem", lambda: task_figure(maml)):
        st.markdown(PROBLEM)
        here("MAML", maml, preparation)
    with beside("inner", lambda: inner_figure(maml)):
        seen = inner_symbols(present("maml", MamlView))
        layout.room("inner loop", 500).markdown(linked(INNER, seen, 1))
        here("MAML", maml, inner_loop)
        if maml:
            your_steps(maml)
        st.page_link(
            "metademo/ui/pages/maml.py", label="Scrub through it", icon=":material/touch_app:"
        )
        light_symbols("how inner symbols", seen, 1, page="how inner")
    with beside("outer", st.fragment(slow_motion)):
        st.markdown(linked(OUTER, OUTER_SYMBOLS, 2))
        here("MAML", maml, outer_loop)
        light_symbols("how outer symbols", OUTER_SYMBOLS, 2, page="how")
    with beside("daml", lambda: daml_figure(daml)):
        st.markdown(linked(DAML, DAML_SYMBOLS, 3))
        here("DAML", daml, learned_loss)
        st.page_link("metademo/ui/pages/daml.py", label="Try it", icon=":material/swap_horiz:")
        light_symbols("how daml symbols", DAML_SYMBOLS, 3, page="how daml")
    with beside("signs", signs_figure):
        st.markdown(SIGNS)
        st.page_link("metademo/ui/pages/draw.py", label="Draw some", icon=":material/draw:")
    text, _ = st.columns([3, 1])
    with text:
        every_way()
        st.markdown(COMPARED)
        st.markdown(FILES)
        copy_link("how")


def here(page: str, checkpoint: Checkpoint | None, fact: Callable[[Checkpoint], str]) -> None:
    """What the text says in general, in the numbers of the weights that a page shows."""
    if checkpoint:
        st.markdown(f"*The weights on the {page} page:* {fact(checkpoint)}")


page()
