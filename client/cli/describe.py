"""Commands about tasks: what there is, and what it takes."""

import shlex

import click

from ...tasklets import PLACES
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
from ..default import default_client
from .output import json_option, print_fields, print_json, print_table
from .tasklet_texts import call_text
from .type_texts import default_text, type_text

__all__ = ["describe", "tasks"]


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
        print_json(job_schema(default_client().catalogue, default_client().tasklets))
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
    if calls := [(place, call_text(call)) for place in PLACES for call in getattr(task, place)]:
        click.echo()
        print_fields(calls)


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
