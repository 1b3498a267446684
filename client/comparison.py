"""What differs between two runs. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..communicators import InputFile, JobRecord, OutputFile, Provenance, described
from .sameness import Sameness

__all__ = ["Difference", "compare"]

#: Facts that one of the two does not have.
_ABSENT = None


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same in two records, as JSON values; `None`: it is not there."""

    section: str
    name: str
    a: Any
    b: Any
    #: Whether it decides the result, or is part of it; if not, it is only shown.
    counts: bool = True
    note: str = ""


def compare(a: JobRecord, b: JobRecord) -> list[Difference]:
    """Return what differs between two runs, section by section.

    What is named otherwise and is the same does not count: a job's own directory, and an input of the same content under
    another path. Neither do the host, Outrider's version, time, CPU and memory.
    """
    pair = Sameness(a), Sameness(b)
    return [
        *_facts("task", _task(a), _task(b), pair),
        *_facts("parameters", _parameters(a), _parameters(b), pair),
        *_facts("tasklets", _tasklets(a), _tasklets(b), pair),
        *_facts("run", _run(a), _run(b), pair, shown_only=("host",)),
        *_facts("environment", _variables(a), _variables(b), pair),
        *_made_with(a.provenance, b.provenance, pair),
        *_inputs(_provenance(a).inputs, _provenance(b).inputs),
        *_facts("outputs", _outputs(a), _outputs(b), pair),
        *_facts("end", _end(a), _end(b), pair),
        *_result(a, b, pair),
        *_usage(a, b),
    ]


def _facts(
    section: str,
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    pair: tuple[Sameness, Sameness],
    *,
    shown_only: tuple[str, ...] = (),
) -> Iterator[Difference]:
    for name in [*a, *(name for name in b if name not in a)]:
        left, right = a.get(name, _ABSENT), b.get(name, _ABSENT)
        if _text(left) != _text(right):
            counts = name not in shown_only and pair[0].of(left) != pair[1].of(right)
            yield Difference(section, name, left, right, counts)


def _task(record: JobRecord) -> dict[str, Any]:
    return {"task": record.spec.task, "version": record.spec.version}


def _parameters(record: JobRecord) -> dict[str, Any]:
    """Return the values that the program got: tasklets may have changed what was submitted."""
    changed = record.run.parameters if record.run else None
    return dict(_leaves(record.spec.parameters if changed is None else changed))


def _tasklets(record: JobRecord) -> dict[str, Any]:
    sides = {"before": record.spec.before, "after": record.spec.after}
    return {
        f"{side} {number}": call.model_dump(mode="json", exclude_defaults=True)
        for side, calls in sides.items()
        for number, call in enumerate(calls, 1)
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of a tree with its place, such as `fit.bins` or `frames[2]`."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def _run(record: JobRecord) -> dict[str, Any]:
    return {"command": record.run.command, "host": record.run.host} if record.run else {}


def _variables(record: JobRecord) -> dict[str, str]:
    return record.run.task_variables if record.run else {}


def _provenance(record: JobRecord) -> Provenance:
    return record.provenance or Provenance()


def _made_with(a: Provenance | None, b: Provenance | None, pair: tuple[Sameness, Sameness]) -> Iterator[Difference]:
    if a is None or b is None:  # one never ran, and nothing can be said
        return

    def facts(known: Provenance) -> dict[str, Any]:
        about = {"program": known.program_version, "platform": known.platform, "Python": known.python_version}
        return {**about, "Outrider": known.outrider_version}

    yield from _facts("made with", facts(a), facts(b), pair, shown_only=("Outrider",))
    yield from _facts("packages", a.packages, b.packages, pair)


def _inputs(a: Mapping[str, InputFile], b: Mapping[str, InputFile]) -> Iterator[Difference]:
    """Compare inputs by path first; of the others, those of the same content are one file that was moved."""
    alone_a = {path: file for path, file in a.items() if path not in b}
    alone_b = {path: file for path, file in b.items() if path not in a}
    for path in a:
        if path in b and not _same_file(a[path], b[path]):
            yield Difference("inputs", path, _file(a[path]), _file(b[path]))
    for path, file in alone_a.items():
        moved = next((other for other in alone_b if file.sha256 and alone_b[other].sha256 == file.sha256), None)
        if moved is None:
            yield Difference("inputs", path, _file(file), _ABSENT)
        else:
            del alone_b[moved]
            yield Difference("inputs", "moved", path, moved, counts=False, note="same content")
    for path, file in alone_b.items():
        yield Difference("inputs", path, _ABSENT, _file(file))


def _same_file(a: InputFile, b: InputFile) -> bool:
    if a.sha256 and b.sha256:
        return a.sha256 == b.sha256
    return (a.size, a.modified) == (b.size, b.modified)


def _file(file: InputFile | OutputFile) -> str:
    content = f"sha256 {file.sha256}" if file.sha256 else "sha256 unknown"
    changed = f", changed {file.modified.isoformat()}" if isinstance(file, InputFile) and not file.sha256 else ""
    return f"{file.size} bytes, {content}{changed}"


def _outputs(record: JobRecord) -> dict[str, Any]:
    files = record.outcome.outputs if record.outcome else {}
    return {name: _file(file) for name, file in files.items()}


def _end(record: JobRecord) -> dict[str, Any]:
    return {"state": record.state, "reason": (record.outcome and record.outcome.reason) or _ABSENT}


def _result(a: JobRecord, b: JobRecord, pair: tuple[Sameness, Sameness]) -> Iterator[Difference]:
    left, right = (record.outcome.result if record.outcome else _ABSENT for record in (a, b))
    if pair[0].of(left) != pair[1].of(right):
        yield Difference("result", "result", described(left), described(right))


def _usage(a: JobRecord, b: JobRecord) -> Iterator[Difference]:
    ends = [record.outcome.exit if record.outcome else None for record in (a, b)]
    if ends[0] is None or ends[1] is None:
        return
    for name, field in (("seconds", "elapsed_seconds"), ("CPU seconds", "cpu_seconds"), ("peak bytes", "peak_rss")):
        left, right = getattr(ends[0], field), getattr(ends[1], field)
        if left != right:
            yield Difference("used", name, left, right, counts=False, note=f"{right / left:.2f} times" if left else "")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
