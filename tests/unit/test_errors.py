"""The tree of errors: as it is drawn, rebuilt from its arguments, and saying what to do."""

import importlib
import inspect
import json
import pickle
import pkgutil
import re

import pytest

import outrider
from outrider.config import errors
from outrider.config.errors import OutriderError

EXAMPLES = [
    (errors.OutriderError("words"), "words"),
    (errors.SettingsError("words"), "words"),
    (errors.EmbeddedRedisError("words"), "words"),
    (errors.CatalogueError("words"), "words"),
    (errors.SubmitError("words"), "words"),
    (errors.LedgerError("words"), "words"),
    (errors.UnknownTask("wv", ["wc"]), "no task is called 'wv'; did you mean 'wc'?"),
    (errors.UnknownTask("wv", []), "no task is called 'wv'; list them with `outrider tasks`"),
    (
        errors.InvalidParameters("wc", ["a=1: no", "b: is required"]),
        "wrong parameters for task 'wc': a=1: no; b: is required",
    ),
    (errors.InvalidFile("job.yaml", ["line 3: bins=-1: no"]), "job.yaml: line 3: bins=-1: no"),
    (errors.InvalidRequest(7, ["job: is required"]), "line 7 is no request: job: is required"),
    (errors.InvalidReference("{{ x }}", "there is no 'x'", ["bins"]), "{{ x }}: there is no 'x'"),
    (errors.UnknownTasklet("plto", ["plot"]), "no tasklet is called 'plto'; did you mean 'plot'?"),
    (errors.UnknownTasklet("plto", []), "no tasklet is called 'plto'; modules of your own go into OUTRIDER_TASKS"),
    (errors.InvalidTasklet("plot", ["x='a': no"]), "wrong use of tasklet 'plot': x='a': no"),
    (
        errors.TaskletFailed("plot", "crashed", "crashed by SIGSEGV", "so far"),
        "the tasklet 'plot' failed (crashed): crashed by SIGSEGV",
    ),
    (errors.IdempotencyKeyReused("k", "1", "wc"), "the key 'k' belongs to job 1 (wc)"),
    (errors.SubmittedAtImport("mine"), "'mine' submits while it is imported as a task module; put that under"),
    (errors.QueueFull(7, 5), "7 jobs wait already, and 5 may (max_queued, OUTRIDER_MAX_QUEUED)"),
    (errors.UnknownStrategy("fork", ["asyncio", "thread"]), "no execution mode is called 'fork'; this coordinator has"),
    (errors.CoordinatorClosed(), "the coordinator was shut down and takes no more jobs"),
    (errors.CannotTravel("f", "it holds a lock"), "f cannot be sent: it holds a lock"),
    (errors.DuplicateJob("1"), "there is a job '1' already"),
    (errors.NoOutcome("1", "'success'"), "job 1 cannot end with 'success'; it takes an Outcome"),
    (errors.BrokerUnavailable("redis://h", "refused"), "Redis at redis://h cannot be used: refused; check"),
    (errors.JobNotFound("1"), "no job has the id '1'"),
    (errors.AmbiguousJob("1234", ["12345", "12346"]), "'1234' begins the ids of several jobs: 12345, 12346; give more"),
    (errors.CannotExport("1", "it is running"), "job 1 cannot be exported: it is running"),
    (errors.IllegalTransition("1", "queued", "running"), "job 1 is queued and cannot become running"),
    (errors.JobClosed("1", "failed"), "job 1 is failed; only an open job"),
    (errors.TooManyMessages("1", 9), "job 1 was sent 9 messages, and takes no more"),
    (errors.Superseded("1"), "job 1 is owned by another attempt now"),
    (errors.CannotRun("environment", "there is no program"), "there is no program"),
    (errors.RecordDamaged("/j/record.json", "it is no file"), "/j/record.json is no job's record: it is no file"),
    (errors.ArtifactError("words"), "words"),
    (
        errors.ArtifactUnavailable("j/a", "refused"),
        "the artefact 'j/a' is out of reach: refused; producers and workers",
    ),
    (errors.ArtifactDamaged("j/a", "it has 2 bytes"), "the artefact 'j/a' is not what was stored: it has 2 bytes"),
    (errors.CannotPack("socket", "no"), "a value of type socket cannot be sent: no"),
    (errors.CannotUnpack("no"), "a packed value makes no sense: no"),
    (errors.JobError("1", "words"), "job 1: words"),
    (errors.JobFailed("1", "exit_code", "words"), "job 1 failed (exit_code): words"),
    (errors.JobTimedOut("1", "words"), "job 1: words"),
    (errors.JobCancelled("1", "words"), "job 1: words"),
    (errors.JobLost("1", "words"), "job 1: words"),
    (errors.WaitTimeout("1", 1.5), "job 1 has not ended after 1.5 s; it goes on"),
]
IDS = [type(error).__name__ for error, _ in EXAMPLES]


@pytest.mark.parametrize(("error", "words"), EXAMPLES, ids=IDS)
def test_each_error_says_what_failed(error, words):
    assert words in str(error)


@pytest.mark.parametrize("error", [error for error, _ in EXAMPLES], ids=IDS)
def test_each_error_is_rebuilt_from_its_arguments_as_celery_does(error):
    again = type(error)(*json.loads(json.dumps(error.args)))
    assert (str(again), vars(again)) == (str(error), vars(error))


@pytest.mark.parametrize("error", [error for error, _ in EXAMPLES], ids=IDS)
def test_each_error_survives_pickle_as_process_pools_need(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def defined() -> dict[str, type[OutriderError]]:
    modules = [importlib.import_module(f"{errors.__name__}.{m.name}") for m in pkgutil.iter_modules(errors.__path__)]
    return {
        name: kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__
    }


def test_every_error_has_an_example_and_is_public():
    assert {type(error).__name__ for error, _ in EXAMPLES} == set(defined()) == set(errors.__all__)
    assert all(issubclass(kind, OutriderError) for kind in defined().values())


def test_the_tree_is_as_it_is_drawn():
    drawn: dict[str, str] = {}
    branch: list[str] = []
    for line in errors.__doc__.splitlines():
        if found := re.fullmatch(r"([│├└─ ]*)(\w+)(\s{2,}.*)?", line):
            depth = len(found[1]) // 4
            branch[depth:] = [found[2]]
            drawn[found[2]] = branch[depth - 1] if depth else "Exception"
    assert drawn == {name: kind.__mro__[1].__name__ for name, kind in defined().items()}


def test_a_wait_that_is_over_is_a_timeout_for_everybody():
    assert issubclass(outrider.WaitTimeout, TimeoutError)
