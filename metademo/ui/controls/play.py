"""Opening the page that weights of this visit are for, on them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from metademo.algorithms import Conditioned
from metademo.checkpoints import Checkpoint
from metademo.moments.signs import DrawView
from metademo.moments.views import ContextView, DamlView, MamlView
from metademo.tasks import GLYPHS, as_waves
from metademo.ui.server import resources
from metademo.ui.state.state import PageState

TITLES = {"maml": "MAML", "daml": "DAML", "context": "In context", "draw": "Draw"}
"""Of the pages on which weights adapt to what the visitor does."""


def page_of(checkpoint: Checkpoint) -> str:
    """The page on which such weights adapt to what the visitor does."""
    if checkpoint.config.task_family.kind is GLYPHS:
        return "draw"
    if isinstance(checkpoint.config.learner, Conditioned):
        return "context"
    return "daml" if checkpoint.config.learner.unlabelled else "maml"


def play(name: str, checkpoint: Checkpoint, here: str) -> None:
    """Keep the weights under this name, and open their page on them.

    Args:
        here: the page that the visitor is on.
    """
    config, page = checkpoint.config, page_of(checkpoint)
    resources.keep(name, checkpoint)
    changes: dict[str, Any] = dict(weights=name, steps=max(1, config.inner_steps), inner_lr=None)
    if page == "daml":
        daml = PageState("daml", DamlView)
        daml.commit(daml.view.changed(**changes))
    elif page == "draw":
        draw = PageState("draw", DrawView)
        draw.commit(draw.view.changed(chosen=(name, *draw.view.chosen)))
    elif page == "context":
        context = PageState("context", ContextView)
        context.commit(context.view.with_weights(name, as_waves(config.task_family)))
    else:
        maml = PageState("maml", MamlView)
        maml.commit(maml.view.changed(**changes).within(as_waves(config.task_family)))
    if page == here:
        st.rerun()
    st.switch_page(f"metademo/ui/pages/{page}.py")
