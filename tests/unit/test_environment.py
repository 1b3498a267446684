"""What a class may say about the variables of its process, what they are in the end, and what of them is shown."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from outrider import Environment, Flag, Task, ThirdPartyTask
from outrider.tasks import applied, environment_of
from outrider.tasks.environment import RESERVED_VARIABLES
from outrider.worker import plan_launch
from outrider.worker.masking import masked
from outrider.worker.surroundings import Surroundings
from outrider.worker.sweep import ATTEMPT_COOKIE, WORKER_COOKIE

HERE = Path(__file__).parent


def described(environment: Any) -> type[ThirdPartyTask]:
    members = {"executable": "sh", "environment": environment, "__module__": __name__}
    return type(ThirdPartyTask)("Example", (ThirdPartyTask,), members)


def test_a_dict_is_a_shorter_way_to_set_variables():
    assert described({"A": "1"}).environment == Environment(set={"A": "1"})


def test_a_class_has_the_environment_of_its_base_unless_it_says_otherwise():
    base = described({"A": "1"})
    assert environment_of(type(base)("Same", (base,), {"__module__": __name__})).set == {"A": "1"}
    assert environment_of(type(base)("Other", (base,), {"environment": {}, "__module__": __name__})).set == {}


WRONG = {
    "no text": ({"A": 1}, "neither an Environment nor a dict of texts"),
    "no mapping": ("A=1", "neither an Environment nor a dict of texts"),
    "an equals sign": ({"A=B": "1"}, "'A=B' cannot be the name of a variable"),
    "no name": (Environment(append={"": "1"}), "'' cannot be the name of a variable"),
    "a space": (Environment(unset=("A B",)), "'A B' cannot be the name of a variable"),
    "NUL in a name": (Environment(prepend={"A\0": "1"}), "cannot be the name of a variable"),
    "NUL in a value": (Environment(set={"A": "1\0"}), "the value of A holds a NUL"),
    "a variable of ours": ({"OUTRIDER_JOB": "1"}, "OUTRIDER_JOB is set by Outrider"),
    "a secret in one of ours": (Environment(secrets={"OUTRIDER_SOCKET": "x"}), "OUTRIDER_SOCKET is set by Outrider"),
    "one of ours unset": (Environment(unset=("OUTRIDER_WORKER",)), "OUTRIDER_WORKER is set by Outrider"),
    "an empty script": (Environment(source=("",)), "names no script"),
    "a script without words": (Environment(source=((),)), "names no script"),
    "NUL in a script": (Environment(source=(("a", "b\0"),)), "names no script"),
    "a module that is an option": (Environment(modules=("-f",)), "'-f' names no module"),
    "two modules in one": (Environment(modules=("gcc python",)), "'gcc python' names no module"),
    "a secret elsewhere": (Environment(secrets={"A": "../etc/shadow"}), "cannot be the name of a secret"),
    "a hidden secret": (Environment(secrets={"A": "..data"}), "cannot be the name of a secret"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_an_error_when_the_class_is_defined(case):
    environment, words = WRONG[case]
    with pytest.raises(TypeError) as refusal:
        described(environment)
    assert str(refusal.value).startswith("Example.environment")
    assert words in str(refusal.value)


def test_what_is_reserved_is_what_we_set():
    assert {"OUTRIDER_JOB", "OUTRIDER_SOCKET", ATTEMPT_COOKIE, WORKER_COOKIE} == RESERVED_VARIABLES


def test_a_relative_script_is_beside_the_file_that_defines_the_task():
    environment = described(
        Environment(source=("setup.sh", ("deep/other.sh", "a b"), "/opt/x.sh", "~/x.sh"))
    ).environment
    assert environment.scripts == (
        (str(HERE / "setup.sh"),),
        (str(HERE / "deep/other.sh"), "a b"),
        ("/opt/x.sh",),
        ("~/x.sh",),
    )


INHERITED = {"PATH": "/bin", "EMPTY": "", "HOME": "/home/me"}

ENDS = [
    ({}, INHERITED),
    ({"set": {"PATH": "/opt"}}, {**INHERITED, "PATH": "/opt"}),
    ({"unset": ("HOME", "ABSENT")}, {"PATH": "/bin", "EMPTY": ""}),
    ({"unset": ("HOME",), "set": {"HOME": "/new"}}, {**INHERITED, "HOME": "/new"}),
    ({"prepend": {"PATH": "/a"}, "append": {"PATH": "/z"}}, {**INHERITED, "PATH": "/a:/bin:/z"}),
    ({"prepend": {"EMPTY": "/a"}, "append": {"NEW": "/z"}}, {**INHERITED, "EMPTY": "/a", "NEW": "/z"}),
    ({"unset": ("PATH",), "append": {"PATH": "/z"}}, {"EMPTY": "", "HOME": "/home/me", "PATH": "/z"}),
    ({"set": {"PATH": "/opt"}, "prepend": {"PATH": "/a"}}, {**INHERITED, "PATH": "/a:/opt"}),
    ({"set": {"HOME": "$PATH `id`"}}, {**INHERITED, "HOME": "$PATH `id`"}),
    ({"set": {"KEY": "plain"}, "secrets": {"KEY": "key"}}, {**INHERITED, "KEY": "value of key"}),
]


@pytest.mark.parametrize(("said", "variables"), ENDS)
def test_p6_variables_are_unset_set_extended_and_filled_with_secrets_in_this_order(said, variables):
    environment = Environment(**said)
    secrets = {variable: f"value of {name}" for variable, name in environment.secrets.items()}
    before = dict(INHERITED)
    assert applied(environment, INHERITED, secrets) == variables
    assert before == INHERITED


def test_our_own_variables_come_last_and_the_program_is_found_on_the_path_of_the_end(tmp_path):
    (tmp_path / "found").write_text("#!/bin/sh\n")
    (tmp_path / "found").chmod(0o755)
    task = type(ThirdPartyTask)(
        "Found",
        (ThirdPartyTask,),
        {
            "executable": "found",
            "environment": Environment(prepend={"PATH": str(tmp_path)}, unset=("LANG",)),
            "__module__": __name__,
        },
    )()
    captured = {"PATH": "/bin", "OUTRIDER_JOB": "a script's", "LANG": "C", "NEW": "1"}
    launch = plan_launch(
        task, tmp_path, {"PATH": "/bin", "LANG": "C"}, {"OUTRIDER_JOB": "job-1"}, Surroundings(captured=captured)
    )
    assert launch.program == str(tmp_path / "found")
    assert launch.environment == {"PATH": f"{tmp_path}:/bin", "OUTRIDER_JOB": "job-1", "NEW": "1"}
    assert launch.environment_difference == launch.environment
    assert launch.unset == ("LANG",)


def test_a_python_of_ours_finds_our_modules_and_then_those_of_a_script():
    class Own(Task):
        def run(self) -> None: ...

    launch = plan_launch(Own(), HERE, {}, {}, Surroundings(captured={"PYTHONPATH": "/of/a/script"}))
    folders = launch.environment["PYTHONPATH"].split(":")
    assert folders.count("/of/a/script") == 1
    assert folders.index("/of/a/script") == len(folders) - 1 > 0


MASKED = [
    ("DB_PASSWORD", "x", "***"),
    ("PGPASSWORD", "x", "***"),
    ("MYSQL_PWD", "x", "***"),
    ("passwd", "x", "***"),
    ("GITHUB_TOKEN", "x", "***"),
    ("TOKEN_FOR_X", "x", "***"),
    ("AWS_SECRET_ACCESS_KEY", "x", "***"),
    ("GOOGLE_CREDENTIALS", "x", "***"),
    ("SERVICE_API_KEY", "x", "***"),
    ("SSH_PRIVATE_KEY", "x", "***"),
    ("TOKENIZERS_PARALLELISM", "x", "x"),
    ("SECRETARY", "x", "x"),
    ("PWD", "/x", "/x"),
    ("KEYBOARD", "x", "x"),
    ("URL", "redis://me:pass@host:1/2", "redis://me:***@host:1/2"),
    ("URL", "redis://:p@ss@host", "redis://:***@host"),
    ("URLS", "a://u:p@h b://v:q@i", "a://u:***@h b://v:***@i"),
    ("URL", "http://host:80/a@b", "http://host:80/a@b"),
    ("MINE", "x", "***"),
    ("OTHER", "before v4lue after", "before *** after"),
    ("NOISE", "caf\udce9", "caf\ufffd"),
]


@pytest.mark.parametrize(("name", "value", "shown"), MASKED)
def test_s3_what_is_shown_of_variables_holds_no_secret(name, value, shown):
    secrets = {"MINE": "x"} if name == "MINE" else {"MINE": "v4lue"}
    assert masked({**secrets, name: value}, {"MINE"})[name] == shown


class Login(BaseModel):
    key: SecretStr


@pytest.mark.parametrize(
    "kind",
    [SecretStr, SecretBytes, Secret[int], SecretStr | None, list[SecretStr], dict[str, Login]],
    ids=["text", "bytes", "any", "or none", "a list", "in a model"],
)
def test_s3_a_secret_is_no_parameter(kind):
    with pytest.raises(TypeError, match=r"WithSecret\.key: .* no secret; .*Environment\(secrets="):

        class WithSecret(ThirdPartyTask):
            executable: ClassVar[str] = "sh"
            key: Annotated[kind, Flag()]


def test_s3_that_a_launch_is_printed_shows_no_secret():
    task = described(Environment(secrets={"KEY": "key"}))()
    surroundings = Surroundings(secrets={"KEY": "v4lue"})
    launch = plan_launch(task, HERE, {"PATH": "/bin"}, {}, surroundings)
    assert launch.environment["KEY"] == "v4lue"
    assert launch.environment_difference["KEY"] == "***"
    assert "v4lue" not in f"{launch} {surroundings}"
