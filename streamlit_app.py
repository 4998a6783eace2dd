"""metademo in the browser: page config and navigation, nothing else."""

import streamlit as st

from metademo.ui.pages.frame import MARK, frame

st.set_page_config(page_title="metademo", page_icon=str(MARK), layout="wide")
pages = [
    st.Page("metademo/ui/pages/maml.py", title="MAML", icon=":material/touch_app:", default=True),
    st.Page(
        "metademo/ui/pages/daml.py", title="DAML", icon=":material/swap_horiz:", url_path="daml"
    ),
    st.Page(
        "metademo/ui/pages/context.py",
        title="In context",
        icon=":material/forum:",
        url_path="context",
    ),
    st.Page(
        "metademo/ui/pages/compare.py",
        title="Compare",
        icon=":material/leaderboard:",
        url_path="compare",
    ),
    st.Page(
        "metademo/ui/pages/draw.py",
        title="Draw",
        icon=":material/draw:",
        url_path="draw",
    ),
    st.Page(
        "metademo/ui/pages/train.py",
        title="Train",
        icon=":material/model_training:",
        url_path="train",
    ),
    st.Page(
        "metademo/ui/pages/duel.py",
        title="Duel",
        icon=":material/swords:",
        url_path="duel",
    ),
    st.Page(
        "metademo/ui/pages/how.py",
        title="How it works",
        icon=":material/menu_book:",
        url_path="how",
    ),
    st.Page("metademo/ui/pages/about.py", title="About", icon=":material/info:", url_path="about"),
]
current = st.navigation(pages, position="top")
frame(pages, current)

# What follows takes seconds to load: the browser is busy meanwhile.
from metademo.ui.pages.full import wait  # noqa: E402

if not wait():
    from metademo.ui.server import resources

    resources.settle()
    current.run()
