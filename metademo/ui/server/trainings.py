"""The trainings of all visitors."""

from __future__ import annotations

import streamlit as st

from metademo.jobs import Registry


@st.cache_resource(show_spinner=False)
def registry() -> Registry:
    """All jobs of this server.

    Raises:
        ConfigError: if a limit in the environment can't be read.
    """
    return Registry()
