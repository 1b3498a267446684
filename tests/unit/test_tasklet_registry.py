"""Which tasklets a process knows."""

import subprocess
import sys

import pytest
from own_tasklets import add, count_lines

import outrider
from outrider.config.errors import CatalogueError, UnknownTasklet
from outrider.tasklets import Tasklets, load_tasklets


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(f"import outrider\n{text}")
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)


def test_ours_are_always_there():
    known = load_tasklets()
    assert {"concat_files", "grep_text", "plot", "notify", "checksum"} <= set(known)
    assert known["plot"] is outrider.tasklets.plot
    assert list(known) == sorted(known)
    assert len(known) == len(list(known))


def test_modules_bring_their_own():
    known = load_tasklets(["own_tasklets"])
    assert (known["add"], known["count-lines"]) == (add, count_lines)
    assert "count_lines" not in known


def test_a_module_that_is_named_twice_counts_once():
    assert load_tasklets(["own_tasklets", "own_tasklets"])["add"] is add


def test_what_a_module_imports_is_not_its_own(module):
    known = load_tasklets([module("mine_imports", "from own_tasklets import add\nsame = add\n")])
    assert "add" not in known


def test_a_second_name_in_a_module_is_the_same_tasklet(module):
    name = module("mine_twice", "@outrider.tasklet\ndef peak(x): return x\nother = peak\n")
    assert "peak" in load_tasklets([name])


def test_packages_bring_theirs_by_entry_point(tmp_path):
    folder = tmp_path / "theirs-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[outrider.tasklets]\ntheirs = theirs_tasklets\n")
    (tmp_path / "theirs_tasklets.py").write_text("import outrider\n@outrider.tasklet\ndef their_peak(x): return x\n")
    code = f"import sys; sys.path.append({str(tmp_path)!r})\nfrom outrider.tasklets import load_tasklets\nprint(*load_tasklets())"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "their_peak" in said.stdout.split()


def test_an_unknown_name_brings_those_that_come_close():
    with pytest.raises(UnknownTasklet, match="no tasklet is called 'plt'; did you mean 'plot'"):
        load_tasklets()["plt"]


def test_two_with_one_name_are_an_error_that_names_both(module):
    name = module("mine_plot", "@outrider.tasklet\ndef plot(x): return x\n")
    with pytest.raises(CatalogueError, match=r"'plot': outrider.tasklets.plots.plot and mine_plot.plot"):
        load_tasklets([name])


def test_a_module_that_cannot_be_imported_is_an_error_that_says_why(module):
    name = module("mine_broken", "1 / 0\n")
    with pytest.raises(CatalogueError, match="'mine_broken' cannot be imported: ZeroDivisionError: division by zero"):
        load_tasklets([name])


@pytest.mark.parametrize(
    "text",
    [
        "def make():\n    @outrider.tasklet\n    def inner(x): return x\n    return inner\nmine = make()\n",
        "def peak(x): return x\nmine = outrider.tasklet(name='mine')(peak)\n",
    ],
)
def test_one_that_another_process_would_not_find_is_an_error(module, text):
    name = module(f"mine_hidden_{len(text)}", text)
    with pytest.raises(CatalogueError, match=r"mine_hidden_\d+.mine is a tasklet whose function is called"):
        load_tasklets([name])


def test_a_mapping_of_tasklets_is_empty_or_holds_what_it_was_given():
    assert dict(Tasklets([])) == {}
    assert dict(Tasklets([add])) == {"add": add}
