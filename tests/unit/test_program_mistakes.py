"""What is wrong with the description of a program is said, each problem with its line."""

import pytest

from outrider import (
    InvalidFile,
)


@pytest.fixture
def problems(described):
    def load(text: str) -> list[str]:
        with pytest.raises(InvalidFile) as refusal:
            described(text)
        return refusal.value.problems

    return load


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the file is empty; it must be a program's description"),
        ("name: x\n", "line 1: executable: is required"),
        ("executable: x\nprogres: a\n", "line 2: progres: there is no such key; did you mean 'progress'?"),
        ("executable: x\nname: Sort Words\n", "line 2: name='Sort Words': String should match pattern"),
        ("executable: x\nbuffering: block\n", "line 2: buffering='block': Input should be 'program', 'line' or"),
        ("executable: x\nlimits:\n  run: soon\n", "line 3: limits.run='soon'"),
        (
            "executable: x\nsubcommand: [1]\n",
            'line 2: subcommand.0=1: Input should be a valid string; write it in quotes: "1"',
        ),
        ("executable: x\nversion: 1.10\n", 'write it in quotes: "1.10"'),
        ("executable: x\nprogress: '('\n", "line 2: progress '(' is no regular expression"),
        (
            "executable: x\nprogress: {}\n",
            "line 2: progress: write a regular expression, or one of json, growth and tally",
        ),
        ("executable: x\nprogress: {growth: {output: o}}\n", "line 2: progress FileGrowth(field='o'"),
        (
            "executable: x\nprogress: {json: {done: a, totl: b}}\n",
            "progress.json.totl: there is no such key; did you mean",
        ),
        (
            "executable: x\nenvironment:\n  A: 1\n",
            "line 3: environment.A=1: Input should be a valid string; write it in quotes",
        ),
        ("executable: x\ntemplates:\n  a: b.j2\n", "line 3: templates.a: there is no file"),
        ("executable: x\ntemplates:\n  a: binary.j2\n", "line 3: templates.a: /"),
        ("executable: x\ntemplates: {a: large.j2}\n", "is larger than 1048576 bytes"),
        ("executable: x\nresult: {read: out}\n", "line 2: result.read: 'out' is no output; there are stdout, stderr"),
        (
            "executable: x\nresult: {read: stdout, as: yaml}\n",
            "result.as='yaml': Input should be 'text', 'json' or 'number'",
        ),
        ("executable: x\nresult: {read: stdout, pattern: a}\n", "result.pattern='a': needs one group"),
        ("executable: x\nresult: {read: stdout, pattern: '('}\n", "is no regular expression"),
    ],
)
def test_p9_what_is_wrong_with_a_description_is_said_with_its_line(problems, tmp_path, text, words):
    (tmp_path / "binary.j2").write_bytes(b"\xff")
    (tmp_path / "large.j2").write_bytes(b"x" * (2**20 + 1))
    assert words in "; ".join(problems(text))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{type: text}", "p: say where the value goes by one of flag, positional"),
        ("{type: text, flag: -p, positional: true}", "p: say where the value goes by one of"),
        ("{type: number, flag: -p}", "p.type='number': write one of bool, int, float, text, path, choice"),
        ("{type: [int, int], flag: -p}", "write one of"),
        ("{type: {a: b}, flag: -p}", "write one of"),
        ("{flag: -p}", "p.type: is required"),
        ("{type: text, flag: -p, defualt: x}", "p.defualt: there is no such key; did you mean 'default'?"),
        ("{type: int, flag: -p, default: x}", "p.default='x': Input should be a valid integer"),
        ("{type: int, flag: -p, default: 0, minimum: 1}", "p.default=0: Input should be greater"),
        (
            "{type: text, flag: -p, default: 1.10}",
            'p.default=1.1: Input should be a valid string; write it in quotes: "1.10"',
        ),
        ("{type: [int], flag: -p, default: [1, x]}", "p.default.1='x': Input should be a valid integer"),
        ("{type: choice, flag: -p}", "p: a choice needs choices"),
        ("{type: choice, choices: [1], flag: -p}", "p.choices.0=1: Input should be a valid string; write it in quotes"),
        ("{type: choice, choices: [a], default: b, flag: -p}", "p.default='b': Input should be 'a'"),
        ("{type: text, choices: [a], flag: -p}", "p: a choice needs choices, and nothing else"),
        ("{type: text, minimum: 1, flag: -p}", "p: minimum and maximum are for int and float"),
        ("{type: int, pattern: a, flag: -p}", "p: pattern is for text"),
        ("{type: text, pattern: '(', flag: -p}", "p.pattern='(': is no regular expression"),
        ("{type: int, positional: true, joined: '='}", "p: joined, negative, separator and repeat are for a flag"),
        ("{type: int, flag: -p, repeat: true}", "p: repeat and separator are for lists"),
        ("{type: int, flag: -p, negative: -n}", "p: negative is for bool"),
        ("{type: text, output: true}", "must be a Path"),
        ("{type: path, output: true, default: ../up}", "name an output"),
        ("{type: path, output: yes}", "p.output='yes': is text in YAML 1.2; write true or false"),
        ("{type: int, flag: on}", "p.flag='on': is text in YAML 1.2; write true or false"),
        ("{type: path, output: {optinal: true}}", "p.output.optinal: there is no such key; did you mean 'optional'?"),
        ("{type: path, output: maybe}", "p.output="),
    ],
)
def test_p9_a_wrong_parameter_is_named_with_its_line(problems, entry, words):
    found = problems(f"executable: x\nparameters:\n  q: {{type: int, flag: -q}}\n  p: {entry}\n")
    assert [problem for problem in found if problem.startswith("line 4: ") and words in problem], found


def test_a_problem_is_one_line(problems):
    found = problems("executable: x\nparameters: {p: {type: text, pattern: '(', flag: -p}}\n")
    assert [problem.count("\n") for problem in found] == [0]


def test_a_parameters_name_is_a_word(problems):
    assert (
        "line 3: parameters.max-iter" in problems("executable: x\nparameters:\n  max-iter: {type: int, flag: -m}\n")[0]
    )


def test_what_only_the_whole_shows_is_said_too(problems):
    two = "executable: x\nparameters:\n  a: {type: path, stdin: true}\n  b: {type: path, stdin: true}\n"
    assert problems(two) == ["line 2: a and b cannot both be stdin"]
    taken = "executable: x\nparameters: {o: {type: path, stdout: true, default: o}}\n"
    assert "line 3: result.read: standard output goes to 'o'" in problems(f"{taken}result: {{read: stdout}}\n")[0]
    assert "is no terminal" in problems(f"{taken}buffering: terminal\n")[0]
