"""What a page offers for download, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import streamlit as st
from helpers import PATIENCE


@dataclass
class Offered:
    """The downloads that a page has offered, by label.

    Attributes:
        files: their names.
    """

    content: dict[str, Callable[[], Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, label: str) -> Any:
        """What a press gets: made in a thread that knows of no session, as Streamlit does."""
        made: list[Any] = []
        thread = threading.Thread(target=lambda: made.append(self.content[label]()))
        thread.start()
        thread.join(PATIENCE)
        assert made, "it could not be made"
        return made[0]


def watch_downloads(monkeypatch: pytest.MonkeyPatch) -> Offered:
    """Watch what is offered; nothing may be made before it is asked for."""
    seen, real = Offered(), st.download_button

    def watched(label: str, data: Any, *, file_name: str, **options: Any) -> bool:
        assert callable(data)
        assert options["on_click"] == "ignore"
        seen.content[label], seen.files[label] = data, file_name
        return real(label, data, file_name=file_name, **options)

    monkeypatch.setattr(st, "download_button", watched)
    return seen
