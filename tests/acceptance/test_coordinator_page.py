"""What the page about the coordinator shows works as written."""

import re
from pathlib import Path

import outrider

ROOT = Path(outrider.__file__).parent


def test_the_example_runs_as_it_is_written(other_process, tmp_path):
    (example,) = re.findall(
        r"```python\n# coordinate\.py\n(.*?)```", (ROOT / "docs/coordinator.md").read_text(), re.DOTALL
    )
    (tmp_path / "coordinate.py").write_text(example)
    done = other_process("import runpy; runpy.run_path('coordinate.py', run_name='__main__')")
    assert done.returncode == 0, done.stderr
    assert "progress: 1/2 halves" in done.stdout
    assert re.search(r"^[0-9a-f-]{36} 49995000$", done.stdout, re.MULTILINE)
    assert "succeeded=1" in done.stdout


def test_every_public_name_of_the_page_is_there():
    text = (ROOT / "docs/coordinator.md").read_text()
    for name in set(re.findall(r"outrider\.([A-Z]\w+|current_channel)", text)):
        assert hasattr(outrider, name), name
