"""Whether producer and worker read the same description of a task."""

import importlib
import sys

from attempts import Shell

from outrider.tasks import definition_digest, load_catalogue

MODULE = "from outrider import ThirdPartyTask\n\nclass Here(ThirdPartyTask):\n    executable = {!r}\n"


def test_a_class_is_what_its_file_said_when_it_was_loaded(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "described_here.py").write_text(MODULE.format("true"))
    task = load_catalogue(["described_here"])["here"]
    before = definition_digest(task)
    (tmp_path / "described_here.py").write_text(MODULE.format("false"))
    assert definition_digest(task) == before != ""
    del sys.modules["described_here"]
    importlib.invalidate_caches()
    again = load_catalogue(["described_here"])["here"]
    assert definition_digest(again) != before


def test_a_class_that_is_in_no_file_has_none():
    typed_in = type("TypedIn", (), {"__module__": "nowhere"})
    assert definition_digest(typed_in) == ""


def test_a_job_that_meant_another_description_ends_with_a_warning(attempt):
    outcome = attempt(Shell(script="true"), definition="0123456789abcdef").run()
    assert outcome.state == "succeeded"
    (warning,) = outcome.warnings
    assert warning.startswith("the file that describes shell is another here")


def test_a_job_that_meant_ours_or_does_not_say_ends_without(attempt):
    for definition in ("", definition_digest(Shell)):
        assert attempt(Shell(script="true"), definition=definition, job_id=f"j{len(definition)}").run().warnings == ()
