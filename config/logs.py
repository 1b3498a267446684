"""Log lines that can be searched: time, level, process, logger, message, then `key=value` facts.

Code passes facts by `extra={"action": "job_claimed", "job_id": ..., "attempt": ...}`.
"""

import logging
import sys

_FACTS = ("action", "job_id", "attempt")

#: Celery says of each task what our own lines say better.
_CHATTY = ("celery.worker.strategy", "celery.app.trace")


class FactsFormatter(logging.Formatter):
    """Appends the facts that a record carries to its line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the usual line, with `key=value` for each known fact."""
        facts = " ".join(f"{key}={record.__dict__[key]}" for key in _FACTS if key in record.__dict__)
        line = super().format(record)
        if not facts:
            return line
        head, newline, traceback = line.partition("\n")
        return f"{head} [{facts}]{newline}{traceback}"


def set_up_logging(level: str) -> None:
    """Send every logger's records to standard error, one line each. For a process we own, once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FactsFormatter("%(asctime)s %(levelname)-7s %(process)d %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel("DEBUG" if level == "DEBUG" else "WARNING")
