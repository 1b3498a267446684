"""The command that shows all that is known about a job."""

from collections.abc import Iterable
from typing import Any

import click
from rich.text import Text

from ...communicators import InputFile, JobRecord, JobState, OutputFile, Provenance, described
from ...config.errors import JobNotFound
from ..default import default_client
from ..ending import used_text
from .found import found_record
from .output import json_option, print_json, print_sections, state_text
from .tasklet_runs import print_runs

__all__ = ["show"]

#: Items of a list that are shown one by one.
_LIST_SHOWN = 5
#: Rows of a section that are shown without --all.
_ROWS_SHOWN = 20

Row = tuple[str, str | Text]


@click.command()
@click.argument("job_id")
@click.option("--all", "everything", is_flag=True, help="Leave nothing out: all packages, all inputs, whole values.")
@json_option
def show(job_id: str, everything: bool, as_json: bool) -> None:
    """Show all that is known about a job."""
    record = found_record(job_id)
    if as_json:
        print_json(record)
        return
    sections: dict[str, list[Row]] = {
        "": _job(record),
        "parameters": _parameters(record, everything),
        "limits": _limits(record),
        "run": _run(record, everything),
        "made with": _provenance(record.provenance, everything) if record.provenance else [],
        "inputs": [(p, _input(f)) for p, f in record.provenance.inputs.items()] if record.provenance else [],
        "outputs": _outputs(record),
        "attempts before": _attempts(record),
        "end": _end(record, everything),
    }
    print_sections({heading: _bounded(rows, everything) for heading, rows in sections.items()})
    print_runs(record.tasklets, everything=everything)


def _job(record: JobRecord) -> list[Row]:
    times = [(name, getattr(record, name)) for name in ("queued_at", "claimed_at", "started_at", "ended_at")]
    return [
        ("job", record.id),
        ("task", f"{record.spec.task} (version {record.spec.version or 'unknown'})"),
        ("repeats", record.spec.rerun_of or ""),
        ("part of", record.spec.parent_id or ""),
        ("state", _state(record)),
        ("progress", str(record.progress or "").removeprefix("progress: ")),
        ("submitted by", record.spec.submitted_by),
        ("queue", record.spec.queue),
        *(
            (name.removesuffix("_at"), moment.isoformat(sep=" ", timespec="milliseconds"))
            for name, moment in times
            if moment
        ),
    ]


def _state(record: JobRecord) -> Text:
    text = state_text(record.state)
    return text.append(" with warnings", style="yellow") if record.outcome and record.outcome.warnings else text


def _parameters(record: JobRecord, everything: bool) -> list[Row]:
    submitted = record.spec.parameters
    now = submitted if record.run is None or record.run.parameters is None else record.run.parameters
    return [
        (name, _value(value, everything) + ("" if submitted.get(name) == value else ", changed by a tasklet"))
        for name, value in now.items()
    ]


def _limits(record: JobRecord) -> list[Row]:
    limits = record.spec.limits
    rows: list[Row] = [(name, str(value)) for name, value in limits if value is not None and name != "memory"]
    return [*rows, ("memory", limits.memory.human_readable() if limits.memory else "")]


def _run(record: JobRecord, everything: bool) -> list[Row]:
    run = record.run
    rows: list[Row] = [
        ("attempt", str(record.attempt or "")),
        ("worker", f"{record.worker}, pid {run.pid} on {run.host}" if run else record.worker),
    ]
    if run:
        rows += [("command", _shortened(run.command, everything)), ("directory", str(run.directory))]
        rows += [(f"${name}", _shortened(v, everything)) for name, v in run.environment.items() if not _is_cookie(name)]
    return rows


def _provenance(known: Provenance, everything: bool) -> list[Row]:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(known.packages.items()))
    count = f"{len(known.packages)} (`--all` lists them)" if packages else ""
    return [
        ("program", known.program_version),
        ("platform", known.platform),
        ("Python", known.python_version),
        ("Outrider", known.outrider_version),
        ("packages", packages if everything else count),
    ]


def _outputs(record: JobRecord) -> list[Row]:
    outcome = record.outcome
    kept = outcome.artifacts if outcome else _kept_so_far(record)
    rows: list[Row] = [(name, _output(file)) for name, file in outcome.outputs.items()] if outcome else []
    return rows + [(f"artefact {name}", f"{file.size} bytes (`outrider artifacts`)") for name, file in kept.items()]


def _kept_so_far(record: JobRecord) -> dict[str, Any]:
    try:
        return {name: file.reference for name, file in default_client().job(record.id).artifacts().items()}
    except JobNotFound:
        return {}


def _attempts(record: JobRecord) -> list[Row]:
    return [
        (f"attempt {number}", f"{facts.state}{_because(facts.reason)} by {facts.worker}: {_first_line(facts.error)}")
        for number, facts in sorted(record.attempts.items())
    ]


def _end(record: JobRecord, everything: bool) -> list[Row]:
    outcome = record.outcome
    if outcome is None:
        return []
    result = repr(described(outcome.result)) if record.state is JobState.SUCCEEDED else ""
    return [
        ("used", used_text(outcome)),
        ("reason", str(outcome.reason or "")),
        ("error", outcome.message if outcome.error else ""),
        ("result", _shortened(result, everything)),
        *(("warning", Text(warning, style="yellow")) for warning in outcome.warnings),
    ]


def _is_cookie(name: str) -> bool:
    return name.startswith("OUTRIDER_")


def _input(file: InputFile) -> str:
    return f"{file.size} bytes, sha256 {_short(file.sha256)}"


def _output(file: OutputFile) -> Text:
    text = Text(f"{file.path} ({file.size} bytes, sha256 {_short(file.sha256)})")
    return text.append(", partial", style="yellow") if file.partial else text


def _short(sha256: str) -> str:
    return f"{sha256[:12]}…" if sha256 else "unknown"


def _because(reason: object) -> str:
    return f" ({reason})" if reason else ""


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _value(value: Any, everything: bool) -> str:
    """Return a parameter for people; of a long list, its ends."""
    if isinstance(value, list) and len(value) > _LIST_SHOWN and not everything:
        return f"{len(value)} values: {value[0]!r} … {value[-1]!r}"
    return _shortened(repr(value), everything)


def _shortened(text: str, everything: bool, width: int = 500) -> str:
    if everything or len(text) <= width:
        return text
    return f"{text[:width]} … ({len(text)} characters; `--all` shows them)"


def _bounded(rows: Iterable[Row], everything: bool) -> list[Row]:
    shown = [row for row in rows if row[1]]
    if everything or len(shown) <= _ROWS_SHOWN:
        return shown
    return [*shown[:_ROWS_SHOWN], ("…", f"and {len(shown) - _ROWS_SHOWN} more (`--all`)")]
