"""A run's facts without what is peculiar to the run, so that two can be compared."""

import re
from typing import Any

from ..communicators import JobRecord

__all__ = ["Sameness"]

#: What names a packed value for people, and where it is kept: both differ where the content does not.
_PACKED = "$outrider"


class Sameness:
    """Puts words in place of a run's own names: its id, its directories, and the paths of inputs whose content is known."""

    def __init__(self, record: JobRecord) -> None:
        """Look up the names of one run."""
        names: dict[str, str] = {}
        if record.provenance:
            names = {path: f"<sha256 {f.sha256}>" for path, f in record.provenance.inputs.items() if f.sha256}
        if record.run and record.run.directory.parent.parent.name == record.id:
            work = record.run.directory
            names |= {str(work): "<work>", str(work.parent): "<attempt>", str(work.parent.parent): "<job>"}
        names[record.id] = "<id>"
        longest_first = sorted(names, key=len, reverse=True)
        self._names = names
        self._pattern = re.compile("|".join(rf"{re.escape(name)}(?![\w.-])" for name in longest_first))

    def of(self, value: Any) -> Any:
        """Return a JSON value with those words in it; of what is kept in the artefact store, its sha256."""
        match value:
            case bool() | None:
                return ["constant", repr(value)]  # `True` is not 1
            case str():
                return self._pattern.sub(lambda found: self._names[found[0]], value)
            case list() | tuple():
                return [self.of(item) for item in value]
            case {"$outrider": {"kind": kind, "reference": {"sha256": sha256}}}:
                return {_PACKED: [kind, sha256]}
            case dict():
                return {name: self.of(item) for name, item in value.items()}
            case _:
                return value
