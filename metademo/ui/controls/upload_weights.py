"""The dialogue in which a visitor brings weights that were trained elsewhere."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from metademo import foreign, logs
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.checkpoints import SUFFIX, Checkpoint
from metademo.described import ConfigError, described
from metademo.foreign import MAX_BYTES, Plain, UploadError
from metademo.jobs import Limits
from metademo.recipes import configure
from metademo.settings import TrainConfig
from metademo.tasks import CURVES, GLYPHS, TaskKind, wave_families
from metademo.ui.controls.layout import FAMILY_LABELS
from metademo.ui.controls.numbers import number_input
from metademo.ui.controls.play import TITLES, page_of, play
from metademo.ui.scenes.sentences import LOSSES
from metademo.ui.server import resources
from metademo.ui.state import runs

log = logging.getLogger(__name__)

Take = Callable[[str, Checkpoint], None]
"""What is done with weights and their name. It draws the page anew, which closes the dialogue."""
TITLE = "Bring your own weights"
TAKES_PLAIN = ("maml", "compare")
"""The pages that a plain network can be brought to."""
SETTINGS = described(TrainConfig)
LIKELY = configure("maml", "any-phase")
"""What a plain network was trained for unless its owner says otherwise: among others on squared
errors, as is usual."""


def offer(page: str, take: Take | None = None, *, disabled: bool = False) -> None:
    """The button that opens the dialogue.

    Args:
        page: the one it stands on.
        take: what is done with the weights; without it the page that they are for is opened.
    """
    key, icon = f"{page} own weights", ":material/upload:"
    if st.button(TITLE, key=key, icon=icon, width="stretch", disabled=disabled):
        _dialogue(page, take or functools.partial(play, here=page))


@st.dialog(TITLE, width="medium", on_dismiss="rerun")
def _dialogue(page: str, take: Take) -> None:
    try:
        limits = runs.registry().limits
    except ConfigError as fault:
        st.error(f"Nothing can be uploaded here until the server's settings are mended: {fault}.")
        return
    st.markdown(f"A safetensors file: {_wanted(page, limits)}.")
    file = st.file_uploader(
        "Weights", SUFFIX, key=f"{page} upload", max_upload_size=MAX_BYTES // 2**20
    )
    if file is not None:
        try:
            found = foreign.read(file.getvalue(), limits, _kind(page))
            _offer_to_take(page, take, file.name, found, limits)
        except UploadError as fault:
            _log_once(page, file.file_id)
            said = map(_verbatim, (fault.problem, fault.remedy))
            st.error("\n\n".join(said), icon=":material/block:")
    if page in TAKES_PLAIN:
        # What a file leads to stands above it: only what the server knows to be open stays open.
        how = f"{page} how to save"
        with st.expander("How to save a network of yours", key=how, on_change="rerun"):
            st.code(foreign.SCRIPT, language="python", wrap_lines=True)
    _kept(page)


def _log_once(page: str, file: str) -> None:
    """Log that an upload was refused; it is looked at again at every run while it lies there."""
    if st.session_state.get(f"{page} refused upload") != file:
        st.session_state[f"{page} refused upload"] = file
        logs.say(log, "upload refused", what="weights", page=page)


def _kind(page: str) -> TaskKind:
    """Of the tasks that a page has."""
    return GLYPHS if page == "draw" else CURVES


def _wanted(page: str, limits: Limits) -> str:
    """What can be brought to a page."""
    if page == "daml":
        return "weights of DAML that were downloaded here, which hold the learned loss, too"
    if page == "draw":
        return "weights that were trained on signs and downloaded here"
    return (
        "weights that were downloaded here, or a plain `nn.Sequential` of your own with one input, "
        f"two hidden layers of up to {limits.max_hidden} units with ReLU, and one output"
    )


def _offer_to_take(
    page: str, take: Take, file_name: str, found: Checkpoint | Plain, limits: Limits
) -> None:
    """What a file holds, what it leaves open, and the button that takes it."""
    name = foreign.name_for(file_name, _taken_names())
    if isinstance(found, Checkpoint):
        st.success(f"**{name}**: {_about(found)}.", icon=":material/check:")
        checkpoint = found
    elif page == "daml":
        raise UploadError(
            "This is a plain network, without the learned loss that DAML adapts by.",
            "Bring it to the MAML page, where it can adapt to labelled points.",
        )
    else:
        st.success(
            f"**{name}**: a network {foreign.in_words(found.sizes)}. Its file does not say how it "
            "was trained: choose the settings by which it is to adapt.",
            icon=":material/check:",
        )
        checkpoint = found.checkpoint(**_asked(page, limits))
    if st.button(
        _to_do(page, checkpoint),
        key=f"{page} take weights",
        type="primary",
        icon=":material/touch_app:",
    ):
        take(name, checkpoint)


def _to_do(page: str, checkpoint: Checkpoint) -> str:
    if page == "compare":
        return "Compare these weights"
    other = page_of(checkpoint)
    return "Play with these weights" + f" on the page {TITLES[other]}" * (other != page)


def _asked(page: str, limits: Limits) -> dict[str, Any]:
    """What the owner of a plain network says that it was trained for."""
    left, right = st.columns(2)
    families, losses = list(wave_families()), list(CURVES.losses)
    with left:
        family = st.selectbox(
            SETTINGS["family"].heading,
            families,
            families.index(LIKELY.family),
            format_func=lambda name: FAMILY_LABELS.get(name, name),
            help="\n".join(f"- {family.title}." for family in wave_families().values()),
            key=f"{page} upload family",
        )
        inner_lr = _number("inner_lr", page, limits)
    with right:
        loss = st.selectbox(
            SETTINGS["support_loss"].heading,
            losses,
            losses.index(LIKELY.support_loss or LIKELY.loss),
            format_func=lambda name: LOSSES.get(name, name),
            help="The error on the support set that the inner loop descends.",
            key=f"{page} upload loss",
        )
        inner_steps = _number("inner_steps", page, limits)
    return dict(family=family, inner_lr=inner_lr, inner_steps=inner_steps, support_loss=loss)


def _number(name: str, page: str, limits: Limits) -> float:
    return number_input(
        SETTINGS[name], limits, value=getattr(LIKELY, name), key=f"{page} upload {name}"
    )


def _kept(page: str) -> None:
    """The weights of this visit, each with what removes it."""
    if not resources.own():
        return
    st.markdown("**Weights of this visit**")
    for name, checkpoint in resources.own().items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{name}: {_about(checkpoint)}", width="stretch")
            st.button(
                f"Remove {name}",
                key=f"{page} remove {name}",
                icon=":material/close:",
                on_click=resources.drop,
                args=(name,),
            )
    st.caption(
        f"Kept until you close this tab, {resources.MOST_OWN} at most: a further one takes the "
        "place of the oldest."
    )


def _about(checkpoint: Checkpoint) -> str:
    """An algorithm and a family, such as "MAML, any phase"."""
    config = checkpoint.config
    return (
        f"{ALGORITHMS[config.algorithm].title}, {FAMILY_LABELS.get(config.family, config.family)}"
    )


def _taken_names() -> set[str]:
    """What other weights, and what can be compared beside them, are called."""
    usable, _ = resources.library()
    return {*usable, *resources.own(), *ALGORITHMS, *YARDSTICKS, *FAMILY_LABELS.values()}


def _verbatim(text: str) -> str:
    """Text for Markdown, with no markup in it: a file may name its tensors as it likes."""
    return re.sub(r"([^\w\s])", r"\\\1", text)
