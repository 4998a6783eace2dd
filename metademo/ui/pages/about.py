"""About: what this is, its version, where its code and the article are, and how to cite it."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from metademo import __version__, citation
from metademo.citation import Work
from metademo.ui.components.link.link import copy_link
from metademo.ui.controls import layout
from metademo.ui.server import metrics

REFRESH_SECONDS = 5.0

WHAT = """
**What it is.** A small network has practised on wave after wave until it had learned to learn: from
a few points it becomes a new wave in a few steps. Try that here, set different ways of learning to
learn side by side, and watch one being trained.
"""


def page() -> None:
    layout.headline("About metademo", "See meta-learning happen.")
    text, _ = st.columns([3, 1])
    with text:
        st.markdown(WHAT)
        st.markdown(f"**Version.** {__version__}")
        try:
            work = citation.read()
        except (OSError, ValueError) as fault:
            st.warning(f"How to cite it can't be said: {fault}", icon=":material/warning:")
        else:
            _sources(work)
        copy_link("about", "this page")
        with st.expander("This server", key="this server", on_change="rerun") as part:
            if part.open:
                st.fragment(_this_server, run_every=REFRESH_SECONDS)()


def _this_server() -> None:
    """What its host may want to know, without a word about any visitor."""
    found = metrics.figures()
    rows = {
        "Version": __version__,
        "Connected pages": found.sessions,
        "Trainings under way": found.running,
        "Trainings that wait": found.waiting,
        f"Clicks of the last {metrics.CLICK_SECONDS / 60:.0f} minutes": found.clicks,
        "Server time of a click, 95th percentile": _shown(found.p95_ms, "ms"),
        "Resident memory": _shown(found.memory_mb, "MB"),
        "Since its first visitor": str(timedelta(seconds=found.seconds)),
    }
    lines = [f"| {name} | {_shown(value)} |" for name, value in rows.items()]
    st.markdown("\n".join(["| Figure | Now |", "|---|---|", *lines]))


def _shown(value: float | str | None, unit: str = "") -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:,}\N{NO-BREAK SPACE}{unit}" if unit else f"{value:,}"


def _sources(work: Work) -> None:
    st.markdown(
        f"**The code.** {_code(work)} Its `README.md` says how to run it and how it is built."
    )
    st.markdown(f"**Where it comes from.** {'; '.join(map(in_words, work.references))}.")
    st.markdown("**How to cite it.** The file `CITATION.cff` says this:")
    st.code(work.sentence, language=None, wrap_lines=True)
    with st.expander("As BibTeX"):
        st.code(work.bibtex, language=None, wrap_lines=True)


def _code(work: Work) -> str:
    return f"<{work.code}>." if work.code else "It is the repository that this server runs."


def in_words(work: Work) -> str:
    """A work that this one builds on, with a link to it if its address is known."""
    # No emphasis in a link: its font comes late, and lines would break anew.
    title = f"[{work.title}]({work.address})" if work.address else f"*{work.title}*"
    *others, last = [name.split(",")[0] for name in work.authors] or [""]
    who = f"{', '.join(others)} and {last}, " if others else f"{last}, " if last else ""
    return f"{who}{title} ({work.year}), {work.notes}"


page()
