"""How it works: both algorithms step by step, tied to the pages and to the files of the project."""

from __future__ import annotations

import streamlit as st

from metademo.tasks import FAMILIES
from metademo.ui import layout, resources
from metademo.ui.scenes import Learner, points_run
from metademo.ui.state import PageState
from metademo.ui.views import MamlView

PROBLEM = r"""
### The problem

An ordinary network learns *one* thing from many examples. Here there are many things to learn, and
each comes with very few examples: a *task* is one sine wave, and its **support set** is the handful
of points that you click. Four points are far too few to train a network of 1,153 weights from
nothing.

So the network is prepared. Before it ever meets your points it is shown thousands of other waves,
and it is trained for one purpose only: *to be good after a few steps of gradient descent*. That is
meta-learning, learning to learn. It has two loops, one inside the other.
"""

INNER = r"""
### The inner loop: what happens when you click

Start from the meta-trained weights $\theta_0$. Measure the error on the support set, and take a step
of plain gradient descent. Repeat, $S$ times in all:

$$\theta_{k+1} = \theta_k - \alpha \, \nabla L_{\text{support}}(\theta_k), \qquad k = 0, \dots, S-1$$

$\alpha$ is the **inner learning rate**, 0.03 here, and $S$ is 5. The results are called *adapted* (or
fast) weights. There is nothing else to it: no trick happens at this point.
"""

OUTER = r"""
### The outer loop: where the starting point comes from

During meta-training each task also has a **query set**, further points of the same wave that the
inner loop never sees. The outer loop asks how well the *adapted* weights do on them, and changes the
*starting* weights to make that better, over a **meta-batch** of tasks at a time:

$$\theta_0 \leftarrow \theta_0 - \beta \, \nabla_{\theta_0} \; \text{mean over tasks of } L_{\text{query}}(\theta_S)$$

$\beta$ is the **outer learning rate**. This is Model-Agnostic Meta-Learning, **MAML** (Finn, Abbeel and
Levine 2017). Notice the index: the loss is taken at $\theta_S$, but the gradient with respect to
$\theta_0$, five steps earlier. It has to go back through the inner loop:

$$\lambda_S = \nabla L_{\text{query}}(\theta_S), \qquad
\lambda_k = \lambda_{k+1} - \alpha \, H(\theta_k) \, \lambda_{k+1}$$

and $\lambda_0$ is the gradient that is wanted. $H(\theta_k)$, the Hessian of the support loss, says how
the inner gradient itself changes when the weights do. It is never written out: only its product with
a vector is needed, which costs about as much as two gradients.
"""

RELATIVES = r"""
### Two relatives that leave something out

**First-order MAML** (FOMAML, same paper) drops $H$: then $\lambda_0 = \lambda_S$, the query gradient at the
adapted weights, used as if it belonged to the starting weights. Cheaper, and often nearly as good.

**Reptile** (Nichol, Achiam and Schulman 2018) needs no query set at all. It adapts to a task, then
moves the starting point a little towards where the inner loop ended:

$$\theta_0 \leftarrow \theta_0 + \beta \; \text{mean over tasks of } (\theta_S - \theta_0)$$
"""

DAML = r"""
### DAML: when there are no labels

On the DAML page the network is told even less. It sees one number $x_s$ from a **source domain**, and no
$y$ for it. Which wave it should become in the **target domain** is hidden in where $x_s$ lies: in the
right band it means $\sin(x)$, in the left band $\sin(x + \pi)$.

Without a label there is no error to descend. So the loss is learned, too: a second network $g_\psi$
looks at what goes on *inside* the first one at $x_s$, at its hidden activations $h_1, h_2$ and its output
$y$, and answers with one number. The inner loop descends that:

$$L_{\text{adapt}}(\theta, \psi; x_s) = \bigl|\, g_\psi(y, h_2, h_1) \,\bigr|, \qquad
\theta_{k+1} = \theta_k - \alpha \, \nabla_{\!\theta} \, L_{\text{adapt}}(\theta_k, \psi; x_s)$$

The outer loop trains $\theta_0$ and $\psi$ together, by the labelled query set in the target domain. Nobody
tells $g_\psi$ what a good loss is: it is judged only by what descending it does to the network. This is
Domain-Adaptive Meta-Learning, **DAML** (Yu et al. 2018).
"""

FILES = """
### Where it is in the code

| what you have read | file |
|---|---|
| the network as a function of its weights | `metademo/network.py` |
| tasks, support and query sets, source bands | `metademo/tasks.py` |
| the inner loop | `metademo/inner.py` |
| the outer gradient of MAML, and what every algorithm shares | `metademo/algorithms/base.py`, `maml.py` |
| the learned loss | `metademo/algorithms/daml.py` |
| ordinary training, the contrast | `metademo/algorithms/pretrained.py` |
| the outer loop | `metademo/training.py` |
| error on held-out tasks | `metademo/evaluation.py` |

### Sources

Finn, Abbeel, Levine: *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*, ICML 2017 ·
Nichol, Achiam, Schulman: *On First-Order Meta-Learning Algorithms*, 2018 ·
Yu, Finn, Xie, Dasari, Zhang, Abbeel, Levine: *One-Shot Imitation from Observing Humans via
Domain-Adaptive Meta-Learning*, RSS 2018 · *Meta Learning in PyTorch*, an article of 2018, from which
both experiments come.
"""


def your_steps() -> None:
    """The inner loop of the MAML page as the visitor left it, step by step in numbers."""
    usable, _ = resources.library()
    state = PageState("maml", MamlView.first)
    chosen = usable.get(state.view.weights)
    if chosen is None or not state.view.points:
        return
    family = FAMILIES[chosen.config.family]
    run = points_run(state.view, family, Learner.of(chosen))
    errors = run.errors(state.view.wave(family.grid)[0])
    st.markdown(
        f"This is the step that you scrub through on the MAML page. With the "
        f"{len(state.view.points)} points that are there now:"
    )
    st.dataframe(
        {
            "step k": list(range(len(errors))),
            "loss on your points": run.losses.round(3),
            "error against the true wave": errors.round(3),
        },
        hide_index=True,
        width="content",
    )


def page() -> None:
    layout.headline("How it works", "For readers who know gradient descent, and nothing more.")
    text, _ = st.columns([3, 1])
    with text:
        st.markdown(PROBLEM)
        st.markdown(INNER)
        your_steps()
        st.page_link("metademo/ui/maml.py", label="Scrub through it", icon=":material/touch_app:")
        st.markdown(OUTER)
        st.markdown(RELATIVES)
        st.markdown(DAML)
        st.page_link("metademo/ui/daml.py", label="Try it", icon=":material/swap_horiz:")
        st.markdown(FILES)


page()
