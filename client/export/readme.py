"""What the reader of an exported folder must know. Pure."""

import shlex
from collections.abc import Mapping, Sequence

from ...communicators import JobRecord
from .run_script import RunScript, asked_for

__all__ = ["readme"]


def readme(record: JobRecord, script: RunScript, inputs: Mapping[str, str], problems: Sequence[str]) -> str:
    """Return the text of the folder's README.

    Args:
        record: of the job.
        script: that runs it again.
        inputs: the names of the copied inputs in `inputs/`, by their old paths.
        problems: what is not as it was recorded.
    """
    parts = [
        f"Job {record.id}: {record.spec.task}",
        _warning(problems),
        _facts(record),
        _again(script),
        _contents(record, script, inputs),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _warning(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    lines = "\n".join(f"  * {problem}" for problem in problems)
    return f"WARNING: this folder is not in all as the run was:\n{lines}"


def _facts(record: JobRecord) -> str:
    known, run, outcome = record.provenance, record.run, record.outcome
    facts = {
        "state": f"{record.state}{f' ({outcome.reason})' if outcome and outcome.reason else ''}",
        "submitted": record.queued_at.isoformat(sep=" ", timespec="seconds"),
        "by": record.spec.submitted_by,
        "ended": record.ended_at.isoformat(sep=" ", timespec="seconds") if record.ended_at else "",
        "description": f"version {record.spec.version}" if record.spec.version else "",
        "repeats": f"job {record.spec.rerun_of}" if record.spec.rerun_of else "",
        "command": run.command if run else "",
        "host": run.host if run else "",
        "program": known.program_version if known else "",
        "platform": known.platform if known else "",
        "Python": known.python_version if known else "",
        "Outrider": known.outrider_version if known else "",
        "packages": ", ".join(f"{n}=={v}" for n, v in sorted(known.packages.items())) if known else "",
    }
    return "\n".join(f"{name + ':':13}{value}" for name, value in facts.items() if value)


def _again(script: RunScript) -> str:
    lines = [
        "To run it again, here or wherever the program is installed:",
        "",
        "    sh run.sh",
        "",
        "It makes a new folder, starts the recorded command there and, where there is sha256sum, compares what it leaves",
        "with the record. Beside the recorded variables the program inherits yours; variables that were unset, and the",
        "limits on time and memory, are not part of it.",
    ]
    if secrets := asked_for(script.environment):
        names = ", ".join(name for name, _ in secrets)
        lines += ["", f"The record holds no secrets. Set these first: {names}."]
    if script.parameters:
        lines += [
            "",
            "The task is Python code: the Python of the command above must be there and find its module, or use job.yaml.",
        ]
    lines += ["", "As a job, with a worker that knows the task:", "", "    outrider submit job.yaml --watch"]
    return "\n".join(lines)


def _contents(record: JobRecord, script: RunScript, inputs: Mapping[str, str]) -> str:
    recorded = record.provenance.inputs if record.provenance else {}
    lines = [
        "record.json     all that is known about the job",
        "job.yaml        the task with its parameters, to be submitted",
        "outputs/        what the job left; outputs.sha256 has the recorded sums",
        "stdout.log, stderr.log   what the program printed",
        *(
            ["files/          small files that it was given; paths in them are those of this folder"]
            if script.has_files
            else ()
        ),
        "description/    what described the task on the day of the export",
    ]
    for path, name in inputs.items():
        known = recorded.get(path)
        proof = f"sha256 {known.sha256}" if known and known.sha256 else "not hashed at the time of the run"
        lines.append(f"inputs/{shlex.quote(name)}   was {shlex.quote(path)}, {proof}")
    return "In this folder:\n\n" + "\n".join(lines)
