"""A record as a job file. Pure."""

import re
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from ...communicators import JobSpec
from ...config import escape
from .renaming import Renaming

__all__ = ["job_file"]

#: Text that nobody takes for a number, a truth value or a time.
_PLAIN = re.compile(r"(?:[A-Za-z_]|\.?/)[\w ./-]*")


def job_file(spec: JobSpec, renaming: Renaming) -> str:
    """Return the YAML text that submits such a job again, with inputs as they are called in its folder."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes text in quotes unless it is a plain word."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = None if _PLAIN.fullmatch(text) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    content = {
        "task": spec.task,
        "parameters": escape(renaming.value(spec.parameters)),
        "limits": _plain(spec.limits),
        "retry": _plain(spec.retry),
        "queue": spec.queue,
    }
    kept = {name: value for name, value in content.items() if value}
    text: str = yaml.dump(kept, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _plain(model: BaseModel) -> dict[str, Any]:
    """Return a model's values as a person would write them; what is not set is left out."""
    return {name: _written(value) for name, value in model if value is not None}


def _written(value: Any) -> Any:
    match value:
        case timedelta():
            return f"{value.total_seconds():g}s"
        case frozenset():
            return sorted(value)
        case bool():
            return value
        case int():
            return int(value)
        case _:
            return value
