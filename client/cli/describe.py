"""Commands about tasks: what there is, what it takes, what it would run."""

import shlex
from pathlib import Path

import click
from rich.text import Text

from ...config import load_settings
from ...tasks import Flag, NotAnArgument, PassThrough, Stdin, Stdout, TaskDescription, TaskField, ThirdPartyTask
from ...worker import rehearse
from ..default import default_client
from .output import json_option, print_fields, print_json, print_table
from .parameters import parameter_option, task_from_words

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
@click.argument("task")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the parameters.")
@json_option
def describe(task: str, schema: bool, as_json: bool) -> None:
    """Show a task's parameters and where they go on the command line."""
    cls = default_client().catalogue[task]
    if schema or as_json:
        print_json(cls.model_json_schema())
        return
    click.echo(f"{task} (version {cls.version}): {_summary(cls)}\nruns {_program(cls)}\n")
    rows = []
    for field in cls.task_fields():
        info = cls.model_fields[field.name]
        kind = str(getattr(info.annotation, "__name__", info.annotation)) if not field.is_list else str(info.annotation)
        default = "required" if info.is_required() else repr(info.get_default(call_default_factory=True))
        rows.append((field.parameter, kind.replace("pathlib.", "").replace("typing.", ""), default, _goes_to(field)))
    print_table(("PARAMETER", "TYPE", "DEFAULT", "GOES TO"), rows)


@click.command("dry-run")
@click.argument("task")
@parameter_option
@click.option("--no-source", "sourcing", flag_value=False, default=True, help="Leave out what modules and scripts do.")
@json_option
def dry_run(task: str, words: tuple[str, ...], sourcing: bool, as_json: bool) -> None:
    """Show exactly what would run, without running it.

    Modules are loaded and scripts are sourced for that, in a temporary directory. Secrets are not read.
    """
    prepared = task_from_words(default_client().catalogue[task], words).with_absolute_inputs(Path.cwd())
    directory = Path("<job directory>/attempt-1/work")
    launch = rehearse(prepared, directory, load_settings(), _COOKIES, sourcing=sourcing)
    origins = {
        name: {"value": value, "from": "given" if name in prepared.model_fields_set else "default"}
        for name, value in prepared.parameters().items()
    }
    streams = {"stdin": launch.stdin, "stdout": launch.stdout}
    if as_json:
        facts = {"argv": launch.argv, "directory": str(directory), "environment": launch.environment_difference}
        print_json(
            {**facts, "unset": launch.unset, **streams, "input_files": launch.input_files, "parameters": origins}
        )
        return
    redirects = [f"{name} {path}" for name, path in streams.items() if path]
    print_fields(
        [
            ("command", shlex.join(launch.argv)),
            ("directory", str(directory)),
            ("streams", ", ".join(redirects)),
            *((f"${name}", value) for name, value in launch.environment_difference.items()),
            ("unset", ", ".join(launch.unset)),
            *((f"file {name}", Text(text)) for name, text in launch.input_files.items()),
        ]
    )
    click.echo()
    print_table(("PARAMETER", "VALUE", "FROM"), [(n, repr(o["value"]), str(o["from"])) for n, o in origins.items()])


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
