"""Faults that axe-core finds in Streamlit's own widgets. One that no longer occurs fails the tests.

What is ours is never listed here: it is mended.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A fault of somebody else.

    Attributes:
        rule: its id in axe-core.
        selector: the elements it is about. Not by Streamlit's generated class names: they change.
        reason: why it can't be mended here.
    """

    rule: str
    selector: str
    reason: str


KNOWN = (
    Fault(
        "presentation-role-conflict",
        "[data-testid=stFileUploaderDropzone]",
        "Streamlit's drop zone has no role and can be focused; no option of it changes that",
    ),
)
