"""What others may import, that importing it is light, and that the wheel holds every folder."""

import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import outrider

ROOT = Path(outrider.__file__).parent

PUBLIC = [
    "Artifact",
    "ArtifactDamaged",
    "ArtifactUnavailable",
    "AsyncioExecutionStrategy",
    "BrokerUnavailable",
    "Buffering",
    "Cancelled",
    "CannotTravel",
    "CannotUnpack",
    "CeleryExecutionStrategy",
    "Client",
    "CoordinatedJob",
    "Coordinator",
    "CoordinatorClosed",
    "CoordinatorState",
    "DuplicateJob",
    "Environment",
    "FailureReason",
    "File",
    "FileGrowth",
    "Finished",
    "Flag",
    "Heartbeat",
    "IdempotencyKeyReused",
    "InvalidFile",
    "InvalidParameters",
    "InvalidTasklet",
    "Invocation",
    "Job",
    "JobCancelled",
    "JobDescription",
    "JobError",
    "JobFailed",
    "JobLost",
    "JobNotFound",
    "JobRecord",
    "JobState",
    "JobTimedOut",
    "JsonProgress",
    "Limits",
    "LogLines",
    "NewParameters",
    "NoOutcome",
    "NotAnArgument",
    "Notice",
    "Opaque",
    "Outcome",
    "Output",
    "OutriderError",
    "PassThrough",
    "PlotData",
    "Positional",
    "ProcessExecutionStrategy",
    "ProgramRun",
    "Progress",
    "Publisher",
    "QueueFull",
    "Report",
    "RetryPolicy",
    "Series",
    "Settings",
    "SettingsError",
    "StateChanged",
    "Stdin",
    "Stdout",
    "StoredFile",
    "SubmitError",
    "SystemDetail",
    "Table",
    "Tally",
    "Task",
    "TaskExecutionStrategy",
    "TaskletCall",
    "ThirdPartyTask",
    "ThreadedExecutionStrategy",
    "UnknownStrategy",
    "UnknownTask",
    "UnknownTasklet",
    "WaitTimeout",
    "WorkingDirectory",
    "app",
    "as_completed",
    "as_completed_async",
    "current_channel",
    "job",
    "jobs",
    "load_job",
    "load_program",
    "shows",
    "submit",
    "submit_many",
    "task",
    "tasklet",
]

FOLDERS = sorted(
    str(path.parent.relative_to(ROOT)).replace("/", ".")
    for path in ROOT.glob("[!.]*/**/__init__.py")
    if path.relative_to(ROOT).parts[0] not in ("tests", "build")
)


def ordered(names: list[str]) -> list[str]:
    """Sort as ruff does: constants, then classes, then the rest."""
    return sorted(names, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))


def test_the_public_names_are_these():
    assert outrider.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(outrider))


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_is_there(name):
    assert getattr(outrider, name) is getattr(outrider, name)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'outrider' has no attribute 'sumbit'"):
        outrider.sumbit  # noqa: B018  looking it up is the test


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_has_a_face_sorted_and_complete(folder):
    module = importlib.import_module(f"outrider.{folder}")
    assert module.__all__ == ordered(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(printed.stdout)}


HEAVY = {"celery", "kombu", "pydantic", "pydantic_settings", "redis", "numpy", "matplotlib", "rich", "click", "flower"}


def test_importing_the_package_imports_nothing_heavy():
    assert modules_after("import outrider") & HEAVY == set()


def test_describing_a_task_imports_neither_celery_nor_redis():
    assert modules_after("from outrider import ThirdPartyTask, Flag") & {"celery", "kombu", "redis", "numpy"} == set()


def test_the_wheel_holds_each_folder_that_is_a_package():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert sorted(listed) == ["outrider", *(f"outrider.{folder}" for folder in FOLDERS)]


@pytest.mark.parametrize("pattern", ["communicators/scripts/*.lua", "py.typed"])
def test_files_that_are_no_modules_are_where_the_wheel_looks_for_them(pattern):
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    folder, _, name = pattern.partition("/") if "/" in pattern else ("", "", pattern)
    package = f"outrider.{folder}" if folder else "outrider"
    assert name in data[package]
    assert list(ROOT.glob(pattern))
