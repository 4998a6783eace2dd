"""`check`: whether a server draws a chart, as a visitor would find it."""

from __future__ import annotations

import argparse
import asyncio
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from metademo.command_line.arguments import Commands, add_command
from metademo.command_line.reports import CheckReport
from metademo.described import ConfigError, shown

if TYPE_CHECKING:
    from metademo.visitor import Visitor

SECONDS = 30.0
"""How long each answer may take."""


def add(commands: Commands) -> None:
    text = "see whether a server draws a chart"
    parser = add_command(commands, "check", run, text)
    parser.add_argument("url", metavar="URL", help="of the app, such as http://localhost:8501")


def run(arguments: argparse.Namespace) -> int:
    where = urlsplit(arguments.url)
    if where.scheme not in ("http", "https") or not where.netloc:
        raise ConfigError(
            f"must be an address such as http://localhost:8501, not {shown(arguments.url)}", "URL"
        )
    report = asyncio.run(_check(arguments.url.rstrip("/")))
    print(report.to_json() if arguments.json else _words(report))
    return 1 if report.fault else 0


async def _check(url: str) -> CheckReport:
    """Draw the first page, click once, and fetch what a browser needs for the chart."""
    from metademo.visitor import CHART, VisitError, visit  # Streamlit takes a second

    try:
        async with visit(url, seconds=SECONDS) as visitor:
            _, click = await visitor.gesture(CHART, kind="add", to=[1.0, 0.5])
            files = await asyncio.to_thread(_fetch, url, visitor)
            return CheckReport(
                url=url,
                first_chart_ms=round(1000 * visitor.arrival.seconds, 1),
                click_ms=round(1000 * click, 1),
                page_kb=round(visitor.arrival.bytes / 1000, 1),
                files_kb=round(files / 1000, 1),
            )
    except (VisitError, OSError) as fault:
        return CheckReport(url=url, fault=str(fault))


def _fetch(url: str, visitor: Visitor) -> int:
    """Bytes of the modules, the style and Plotly.js. Raises OSError if one of them is not there."""
    from metademo.visitor import CHART

    size = 0
    for path in visitor.find(CHART).data["assets"].values():
        try:
            with urllib.request.urlopen(f"{url}/{path}", timeout=SECONDS) as answer:
                kind = answer.headers.get_content_type()
                if kind == "text/html":  # that is what Streamlit sends for what it does not know
                    raise OSError(f"{path} is not there")
                size += len(answer.read())
        except urllib.error.HTTPError as fault:
            raise OSError(f"{path}: {fault}") from fault
    return size


def _words(report: CheckReport) -> str:
    if report.fault:
        return f"{report.url}: no chart. {report.fault}"
    return (
        f"{report.url}: a chart after {report.first_chart_ms:g} ms ({report.page_kb:g} kB, "
        f"its files {report.files_kb:g} kB); a click is answered after {report.click_ms:g} ms"
    )
