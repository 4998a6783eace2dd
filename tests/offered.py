"""What a page offers for download, without a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest


@dataclass
class Offered:
    """The downloads that the open popover of a page offers, by label.

    Attributes:
        files: their names.
    """

    content: dict[str, str | bytes] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, label: str) -> Any:
        return self.content[label]

    def open(self, app: AppTest, page: str = "maml") -> AppTest:
        """Press "Take it home" and see what is in it; nothing may be made before that."""
        app.session_state[f"{page} take home"] = False
        app.run()
        self.content.clear()
        self.files.clear()
        app.run()
        assert not self.content
        app.session_state[f"{page} take home"] = True
        return app.run()


def watch_downloads(monkeypatch: pytest.MonkeyPatch) -> Offered:
    """Watch what is offered."""
    seen, real = Offered(), st.download_button

    def watched(label: str, data: Any, *, file_name: str, **options: Any) -> bool:
        assert not callable(data), "Streamlit forgets what a callable makes"
        assert options["on_click"] == "ignore"
        seen.content[label], seen.files[label] = data, file_name
        return real(label, data, file_name=file_name, **options)

    monkeypatch.setattr(st, "download_button", watched)
    return seen
