"""What axe-core says about a page: by its rules for WCAG 2.2, levels A and AA, and its advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axe_known import Fault
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
"""WCAG 2.2 took all of these over, but for 4.1.1, which it dropped."""
WITH_ADVICE = [*TAGS, "best-practice"]
"""Also what is no part of WCAG. (Some rules of WCAG 2.2 are tried only where a tag asks for it.)"""
OF_COLOUR = ["color-contrast", "link-in-text-block"]
"""The rules that depend on the scheme."""

RUN = """async ([only, selectors]) => {
  const results = await axe.run({ runOnly: only, resultTypes: ["violations"], elementRef: true });
  const ran = ["passes", "violations", "incomplete"].flatMap((kind) => results[kind].map((rule) => rule.id));
  const found = results.violations.flatMap((rule) => rule.nodes.map((node) => ({
    rule: rule.id,
    where: node.target.join(" "),
    what: node.failureSummary,
    listed: selectors.filter((selector) => node.element.matches(selector)),
  })));
  return { ran, found };
}"""  # noqa: E501


@dataclass(frozen=True)
class Finding:
    """One element that breaks one rule, and which listed selectors it matches."""

    rule: str
    where: str
    what: str
    listed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule} at {self.where}: {self.what}"


@dataclass(frozen=True)
class Verdict:
    """The rules that had something to look at, and what they found."""

    ran: frozenset[str]
    found: tuple[Finding, ...]


def examine(page: Page, known: Sequence[Fault] = (), *, only: list[str] = WITH_ADVICE) -> Verdict:
    """Have axe-core look at a page as it is now.

    Args:
        only: tags or ids of rules.
    """
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    said = page.evaluate(RUN, [only, [fault.selector for fault in known]])
    found = (Finding(f["rule"], f["where"], f["what"], tuple(f["listed"])) for f in said["found"])
    return Verdict(frozenset(said["ran"]), tuple(found))


def ours(found: Sequence[Finding], known: Sequence[Fault]) -> list[Finding]:
    """What is not listed."""
    return [one for one in found if not any(_is(one, fault) for fault in known)]


def gone(found: Sequence[Finding], known: Sequence[Fault]) -> list[Fault]:
    """What is listed and does not occur."""
    return [fault for fault in known if not any(_is(one, fault) for one in found)]


def _is(one: Finding, fault: Fault) -> bool:
    return one.rule == fault.rule and fault.selector in one.listed
