"""C4, C7: a large array takes the memory of one, on both sides. Each side is a process of its own, and says its peak."""

import json
import subprocess
import sys

import pytest

SIZE = 256 * 2**20
#: What an array may take beside itself, as a part of it.
SLACK = 0.2

PRELUDE = """
import json, sys
import numpy as np
from outrider.communicators import ArtifactStore, Reference, pack, unpack
store, size = ArtifactStore(sys.argv[1]), int(sys.argv[2])
pack(np.zeros(100_000), store, "warm", 1024)  # imports, buffers


def peak():  # resident bytes at most since `forget`; getrusage would count what our parent had before it became us
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def forget():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return peak()


"""

WRITE = """
array = np.arange(size // 8, dtype=float)
if sys.argv[3] == "fortran":
    array = array.reshape(2, -1, order="F")
elif sys.argv[3] == "strided":
    array = np.arange(size // 4, dtype=float)[::2]
before = forget()
tree = pack({"image": array}, store, "job", 1024)
print(json.dumps([peak() - before, tree]))
"""

READ = """
unpack(pack(np.zeros(1_000_000), store, "warm", 1024), store)
tree = json.load(sys.stdin)
before = forget()
array = unpack(tree, store)["image"]
print(json.dumps([peak() - before, [array.size, float(array.flat[-1]), float(array.flat[12345])]]))
"""


def run(code: str, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PRELUDE + code, *arguments], input=stdin, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("order", ["plain", "fortran", "strided"])
def test_c4_a_large_array_is_neither_copied_when_it_is_sent_nor_when_it_arrives(tmp_path, order):
    url = f"file://{tmp_path}/store"
    extra, tree = json.loads(run(WRITE, url, str(SIZE), order))
    assert extra < SLACK * SIZE
    assert len(json.dumps(tree)) < 1000
    extra, (count, last, other) = json.loads(run(READ, url, str(SIZE), stdin=json.dumps(tree)))
    assert SIZE / 2 < extra < (1 + SLACK) * SIZE
    assert count == SIZE // 8
    assert last > other > 0
