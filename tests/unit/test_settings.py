"""What an operator decides, and the errors for what cannot be meant."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from outrider.config import Settings, load_settings, program_environment
from outrider.config.errors import SettingsError
from outrider.config.settings import find_project


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch, tmp_path):
    """No variable of ours, and a working directory that belongs to no project."""
    for name in os.environ:
        if name.startswith("OUTRIDER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_any_variable_there_are_settings(tmp_path):
    settings = load_settings()
    assert settings.broker_url is None
    assert settings.tasks == ()
    assert settings.queue == "outrider"
    assert settings.project == tmp_path
    assert settings.jobs_directory == tmp_path / ".outrider" / "jobs"
    assert settings.artifact_store_url == f"file://{tmp_path}/.outrider/jobs"


UNDERSTOOD = [
    ("BROKER_URL", "redis://host/1", "broker_url", "redis://host/1"),
    ("TASKS", "a", "tasks", ("a",)),
    ("TASKS", " a.b , c,, ", "tasks", ("a.b", "c")),
    ("TASKS", "", "tasks", ()),
    ("PROJECT", "/p/../q", "project", Path("/q")),
    ("WORK_ROOT", "/jobs", "work_root", Path("/jobs")),
    ("WORK_ROOT", "~/jobs", "work_root", Path("/home/me/jobs")),
    ("ARTIFACT_URL", "s3://bucket/folder", "artifact_store_url", "s3://bucket/folder"),
    ("WORK_ROOT", "/jobs", "artifact_store_url", "file:///jobs"),
    ("INLINE_LIMIT", "1024", "inline_limit", 1024),
    ("INLINE_LIMIT", "32KiB", "inline_limit", 32768),
    ("CONCURRENCY", "3", "concurrency", 3),
    ("GRACE", "90", "grace", timedelta(seconds=90)),
    ("GRACE", "0", "grace", timedelta(0)),
    ("GRACE", "1.5s", "grace", timedelta(seconds=1.5)),
    ("GRACE", "250ms", "grace", timedelta(milliseconds=250)),
    ("RETENTION", "5m", "retention", timedelta(minutes=5)),
    ("RETENTION", "2 h", "retention", timedelta(hours=2)),
    ("RETENTION", " 7d ", "retention", timedelta(days=7)),
    ("MAX_QUEUED", "0", "max_queued", 0),
    ("HASH_INPUTS", "no", "hash_inputs", False),
    ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), UNDERSTOOD)
def test_a_variable_is_understood(monkeypatch, name, text, field, value):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv(f"OUTRIDER_{name}", text)
    assert getattr(load_settings(), field) == value


def test_what_is_no_duration_is_told_what_one_looks_like(monkeypatch):
    monkeypatch.setenv("OUTRIDER_GRACE", "1 hour")
    with pytest.raises(SettingsError, match="is no duration; give seconds, or a number with a unit: 90s, 5m, 2h, 7d"):
        load_settings()


WRONG = [
    ("CONCURRENCY", "many"),
    ("CONCURRENCY", "0"),
    ("GRACE", "soon"),
    ("GRACE", "-1"),
    ("GRACE", "5 weeks"),
    ("HEARTBEAT_INTERVAL", "0"),
    ("RETENTION", "0s"),
    ("RETENTION", "99999999999d"),
    ("MAX_QUEUED", "-1"),
    ("STREAM_LENGTH", "10"),
    ("INLINE_LIMIT", "0"),
    ("INLINE_LIMIT", "1GiB"),
    ("INLINE_LIMIT", "large"),
    ("HASH_INPUTS", "perhaps"),
    ("CONNECT_TIMEOUT", ""),
    ("LOG_LEVEL", "LOUD"),
    ("WORK_ROOT", "~no-such-user/jobs"),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_setting_is_an_error_naming_variable_and_value(monkeypatch, name, text):
    monkeypatch.setenv(f"OUTRIDER_{name}", text)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert str(refusal.value).startswith(f"OUTRIDER_{name}={text!r}: ")


def test_all_wrong_settings_are_named_at_once(monkeypatch):
    monkeypatch.setenv("OUTRIDER_CONCURRENCY", "many")
    monkeypatch.setenv("OUTRIDER_GRACE", "soon")
    with pytest.raises(SettingsError, match=r"OUTRIDER_CONCURRENCY.*OUTRIDER_GRACE"):
        load_settings()


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().queue = "other"


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValidationError, match="qeue"):
        Settings(qeue="other")


@pytest.mark.parametrize("marker", [".outrider", "pyproject.toml", ".git"])
def test_the_project_is_the_nearest_folder_that_looks_like_one(tmp_path, monkeypatch, marker):
    below = tmp_path / "project" / "src" / "deep"
    below.mkdir(parents=True)
    (tmp_path / "project" / marker).mkdir()
    assert find_project(below) == tmp_path / "project"
    monkeypatch.chdir(below)
    assert load_settings().project == tmp_path / "project"


def test_a_folder_that_belongs_to_no_project_is_its_own(tmp_path):
    assert find_project(tmp_path) == tmp_path


def test_a_work_root_takes_the_job_directories_out_of_the_project(monkeypatch, tmp_path):
    monkeypatch.setenv("OUTRIDER_WORK_ROOT", "relative/jobs")
    assert load_settings().jobs_directory == tmp_path / "relative" / "jobs"


def test_s3_programs_do_not_see_what_is_meant_for_us(monkeypatch):
    for name in (
        "OUTRIDER_BROKER_URL",
        "CELERY_BROKER_URL",
        "FLOWER_BASIC_AUTH",
        "_MP_FORK_LOGLEVEL_",
        "PLAIN",
        "MY_OUTRIDER_X",
    ):
        monkeypatch.setenv(name, "value")
    seen = program_environment()
    assert not [name for name in seen if name.startswith(("OUTRIDER_", "CELERY_", "FLOWER_", "_MP_FORK_"))]
    assert (seen["PLAIN"], seen["MY_OUTRIDER_X"]) == ("value", "value")
    assert os.environ["OUTRIDER_BROKER_URL"] == "value"
