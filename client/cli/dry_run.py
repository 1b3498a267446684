"""The command that shows what a task would run."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from ...config import load_settings
from ...tasklets import TaskletPlan
from ...tasks import Stdout, TaskDescription
from ...worker import Launch, rehearse
from ..default import default_client
from ..submit_options import SubmitOptions
from .output import json_option, print_fields, print_json, print_table
from .parameters import file_option, parameter_option
from .request import read_request
from .tasklet_options import tasklet_options
from .tasklet_texts import call_text

__all__ = ["dry_run"]

#: What a worker will put there.
_COOKIES = {
    "OUTRIDER_JOB": "<job id>",
    "OUTRIDER_ATTEMPT": "<attempt>",
    "OUTRIDER_WORKER": "<worker id>",
    "OUTRIDER_SOCKET": "<socket>",
}


@click.command("dry-run")
@click.argument("task")
@parameter_option
@file_option
@tasklet_options
@click.option("--no-source", "sourcing", flag_value=False, default=True, help="Leave out what modules and scripts do.")
@json_option
def dry_run(
    task: str,
    words: tuple[str, ...],
    file: Path | None,
    sourcing: bool,
    as_json: bool,
    **tasklets: Any,
) -> None:
    """Show exactly what a task, or a job file, would run, without running it; leave with 0 only if the program is here.

    Modules are loaded and scripts are sourced for that, in a temporary directory. Secrets are not read.
    """
    client = default_client()
    request = read_request(client, task, words, file)
    plan = client.preparer.plan(request.task, SubmitOptions(**tasklets), request.job)
    prepared = request.task.with_absolute_inputs(Path.cwd())
    work = Path("<job directory>/attempt-1/work")
    directory = prepared.working_directory() or work
    staged = prepared.with_staged_outputs(work)
    launch, missing = rehearse(staged, directory, load_settings(), _COOKIES, sourcing=sourcing)
    outputs = _outputs(prepared, work)
    origins = {name: {"value": value, "from": request.origins[name]} for name, value in prepared.parameters().items()}
    stdout = next((f.parameter for f in prepared.task_fields() if isinstance(f.place, Stdout)), "")
    streams = {"stdin": launch.stdin, "stdout": outputs[stdout]["written"] if stdout in outputs else None}
    if as_json:
        facts: dict[str, Any] = {
            "argv": launch.argv,
            "directory": str(directory),
            "environment": launch.environment_difference,
            "unset": launch.unset,
        }
        facts |= {**streams, "outputs": outputs, "input_files": launch.input_files, "parameters": origins}
        print_json({**facts, "tasklets": _tasklet_facts(plan)})
    else:
        _print_plan(launch, directory, streams, outputs)
        click.echo()
        rows = [(name, repr(origin["value"]), str(origin["from"])) for name, origin in origins.items()]
        print_table(("PARAMETER", "VALUE", "FROM"), rows)
        if plan.tasklets:
            click.echo()
            print_table(("TASKLETS", "", "FROM"), [(t.place, call_text(t.call), t.origin) for t in plan.tasklets])
    if missing:
        raise missing[0]


def _print_plan(
    launch: Launch, directory: Path, streams: Mapping[str, object], outputs: Mapping[str, Mapping[str, str]]
) -> None:
    redirects = [f"{name} {path}" for name, path in streams.items() if path]
    print_fields(
        [
            ("command", shlex.join(launch.argv)),
            ("directory", str(directory)),
            ("streams", ", ".join(redirects)),
            *((f"output {name}", f"{way['written']} → {way['moved']}") for name, way in outputs.items()),
            *((f"${name}", value) for name, value in launch.environment_difference.items()),
            ("unset", ", ".join(launch.unset)),
            *((f"file {name}", Text(text)) for name, text in launch.input_files.items()),
        ]
    )


def _tasklet_facts(plan: TaskletPlan) -> list[dict[str, Any]]:
    return [{"place": t.place, **t.call.model_dump(mode="json"), "from": t.origin} for t in plan.tasklets]


def _outputs(task: TaskDescription, work: Path) -> dict[str, dict[str, str]]:
    """Return, for each output, where the program writes it and where it is moved when the program has ended well."""
    places = work.parents[1] / "outputs"
    names = {field.name: field.parameter for field in task.task_fields()}
    return {
        names[name]: {"written": str(work / staged), "moved": str(places / getattr(task, name))}
        for name, staged in task.staged_outputs().items()
    }
