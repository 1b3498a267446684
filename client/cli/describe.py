"""Commands about tasks: what there is, what it takes, what it would run."""

import shlex
from collections.abc import Mapping
from pathlib import Path

import click
from rich.text import Text

from ...config import load_settings
from ...tasks import (
    Flag,
    NotAnArgument,
    PassThrough,
    Stdin,
    Stdout,
    TaskDescription,
    TaskField,
    ThirdPartyTask,
    WorkingDirectory,
    job_schema,
    task_schema,
)
from ...tasks import program_schema as schema_of_programs
from ...worker import Launch, rehearse
from ..default import default_client
from .output import json_option, print_fields, print_json, print_table
from .parameters import file_option, parameter_option
from .request import read_request
from .type_texts import default_text, type_text

__all__ = ["describe", "dry_run", "tasks"]

#: What a worker will put there.
_COOKIES = {
    "OUTRIDER_JOB": "<job id>",
    "OUTRIDER_ATTEMPT": "<attempt>",
    "OUTRIDER_WORKER": "<worker id>",
    "OUTRIDER_SOCKET": "<socket>",
}


@click.command()
@json_option
def tasks(as_json: bool) -> None:
    """List the tasks that can be submitted."""
    catalogue = default_client().catalogue
    if as_json:
        print_json([{"name": n, "version": t.version, "summary": _summary(t)} for n, t in catalogue.items()])
    else:
        print_table(("TASK", "PROGRAM", ""), [(n, _program(t), _summary(t)) for n, t in catalogue.items()])


@click.command()
@click.argument("task", required=False)
@click.option(
    "--schema", is_flag=True, help="Print the JSON Schema of the task's parameters; without a task, of job files."
)
@click.option("--program-schema", is_flag=True, help="Print the JSON Schema of files that describe a program.")
@json_option
def describe(task: str | None, schema: bool, program_schema: bool, as_json: bool) -> None:
    """Show a task's parameters and where they go on the command line."""
    if program_schema:
        print_json(schema_of_programs())
    elif task is None:
        if not schema:
            raise click.UsageError("name a task (`outrider tasks` lists them), or --schema or --program-schema")
        print_json(job_schema(default_client().catalogue))
    elif schema or as_json:
        print_json(task_schema(default_client().catalogue[task]))
    else:
        _print_description(default_client().catalogue[task])


def _print_description(task: type[TaskDescription]) -> None:
    click.echo(f"{task.name} (version {task.version}): {_summary(task)}\nruns {_program(task)}\n")
    rows = []
    for field in task.task_fields():
        info = task.model_fields[field.name]
        rows.append((field.parameter, type_text(info.annotation), default_text(info), _goes_to(field)))
    print_table(("PARAMETER", "TYPE", "DEFAULT", "GOES TO"), rows)


@click.command("dry-run")
@click.argument("task")
@parameter_option
@file_option
@click.option("--no-source", "sourcing", flag_value=False, default=True, help="Leave out what modules and scripts do.")
@json_option
def dry_run(task: str, words: tuple[str, ...], file: Path | None, sourcing: bool, as_json: bool) -> None:
    """Show exactly what a task, or a job file, would run, without running it; leave with 0 only if the program is here.

    Modules are loaded and scripts are sourced for that, in a temporary directory. Secrets are not read.
    """
    request = read_request(default_client().catalogue, task, words, file)
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
        facts = {
            "argv": launch.argv,
            "directory": str(directory),
            "environment": launch.environment_difference,
            "unset": launch.unset,
        }
        print_json({**facts, **streams, "outputs": outputs, "input_files": launch.input_files, "parameters": origins})
    else:
        _print_plan(launch, directory, streams, outputs)
        click.echo()
        rows = [(name, repr(origin["value"]), str(origin["from"])) for name, origin in origins.items()]
        print_table(("PARAMETER", "VALUE", "FROM"), rows)
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


def _outputs(task: TaskDescription, work: Path) -> dict[str, dict[str, str]]:
    """Return, for each output, where the program writes it and where it is moved when the program has ended well."""
    places = work.parents[1] / "outputs"
    names = {field.name: field.parameter for field in task.task_fields()}
    return {
        names[name]: {"written": str(work / staged), "moved": str(places / getattr(task, name))}
        for name, staged in task.staged_outputs().items()
    }


def _goes_to(field: TaskField) -> str:
    match field.place:
        case Flag() as flag:
            name = flag.name or f"--{field.name.replace('_', '-')}"
            place = name if flag.joined is None else f"{name}{flag.joined}…"
        case NotAnArgument():
            place = ""
        case Stdin() | Stdout() as stream:
            place = type(stream).__name__.lower()
        case PassThrough():
            place = "after --"
        case WorkingDirectory():
            place = "working directory"
        case _:
            place = "word"
    return ", ".join(filter(None, (place, "output" if field.output else "")))


def _summary(task: type[TaskDescription]) -> str:
    doc = task.__dict__.get("__doc__") or ""
    return doc.strip().partition("\n")[0]


def _program(task: type[TaskDescription]) -> str:
    if issubclass(task, ThirdPartyTask):
        return shlex.join((task.executable, *task.subcommand))
    return f"python {task.__module__}:{task.__qualname__}"
