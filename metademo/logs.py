"""What happens on a server, a line each: as text for people, or as JSON for machines.

All of it goes through the standard `logging`, below the logger `metademo`; a program that does not
call :func:`set_up` hears warnings alone. A line is an event with its fields. No field ever holds
what is a visitor's own: no points, addresses of pages or machines, or names of files.
"""

from __future__ import annotations

import logging
import sys
import threading
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from metademo.described import ConfigError, OneOf
from metademo.environment import FromEnvironment
from metademo.formats import to_json

log = logging.getLogger(__name__)


def say(logger: logging.Logger, event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Log an event with its fields.

    Args:
        fields: numbers, and words of our own. What is None is left out.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    logger.log(level, event, extra={"fields": known}, stacklevel=2)


class AsText(logging.Formatter):
    """A line for people: `12:00:01 INFO metademo.jobs.job: training ended (outcome=finished)`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = ", ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = super().formatMessage(record) + f" ({fields})" * bool(fields)
        return " ".join(line.splitlines())


class AsJson(logging.Formatter):
    """A line that is a JSON object; a traceback is one of its values."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return to_json({**line, **_fields(record), **line}, default=str)


FORMS = {"text": AsText, "json": AsJson}


class LogSettings(FromEnvironment):
    """How a server logs; the environment variable METADEMO_LOG sets `log`.

    Raises:
        ConfigError: naming the variable, if its value can't be used.
    """

    log: Annotated[str, OneOf(FORMS)] = Field(
        "text",
        title="form of the log",
        description="`text` for people, or `json`, an object a line, for machines.",
    )


class _ToStderr(logging.Handler):
    """Writes to whatever `sys.stderr` is at the time, each line whole."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # as all handlers do: whoever logs is not to fail for it
            self.handleError(record)


def set_up() -> None:
    """Write the log to stderr, as the environment says; done twice, it changes nothing more."""
    logger = logging.getLogger("metademo")
    for handler in [each for each in logger.handlers if isinstance(each, _ToStderr)]:
        logger.removeHandler(handler)
    fault, form = "", "text"
    try:
        form = LogSettings().log
    except ConfigError as wrong:  # a server that logs in another form is better than none
        fault = str(wrong)
    handler = _ToStderr()
    handler.setFormatter(FORMS[form]())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    if form == "json":
        _have_all_in_json(handler)
    if fault:
        say(log, fault, logging.WARNING)


def _have_all_in_json(handler: logging.Handler) -> None:
    """Whatever else goes to stderr: what libraries say, warnings, and threads that die."""
    for other in logging.root.manager.loggerDict.values():
        for theirs in getattr(other, "handlers", ()):
            if isinstance(theirs, logging.StreamHandler):
                theirs.setFormatter(handler.formatter)
    logging.captureWarnings(True)
    warnings = logging.getLogger("py.warnings")
    warnings.handlers = [handler]
    threading.excepthook = _thread_died


def _thread_died(died: threading.ExceptHookArgs) -> None:
    if died.exc_type is not SystemExit and died.exc_value is not None:
        found = (died.exc_type, died.exc_value, died.exc_traceback)
        log.error("a thread ended by an exception", exc_info=found)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "fields", {})
