"""A large object goes to a child and back, and hardly more than itself is in memory at either end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

EXECUTOR = """
import asyncio, json, subprocess, sys
from pathlib import Path
import numpy
from outrider.communicators import SocketCommunicator, UserMessage
from peak_memory import grown, start

async def main(path, size, kind, child):
    sent = numpy.arange(size // 8)
    if kind == "bytes":
        sent = sent.tobytes()
    communicator = SocketCommunicator(Path(path))
    await communicator.open()
    start()
    process = subprocess.Popen([sys.executable, "-c", child, path], stdout=subprocess.PIPE)
    communicator.trust(process.pid)
    await communicator.write(UserMessage(value=sent))
    back = (await communicator.read()).value
    assert type(sent) is type(back)
    a, b, step = numpy.frombuffer(sent), numpy.frombuffer(back), 1 << 20
    assert all((a[i : i + step] == b[i : i + step]).all() for i in range(0, len(a), step))
    ours = grown()
    theirs = json.loads(process.communicate()[0])
    await communicator.close()
    print(json.dumps([ours, theirs]))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
"""
CHILD = """
import sys
import numpy
from outrider.communicators import ExecutorLink, Returned
from peak_memory import grown, start

with ExecutorLink.connect(sys.argv[1]) as link:
    start()
    value = link.receive().value
    assert numpy.frombuffer(value, "i8").max() == len(memoryview(value).cast("B")) // 8 - 1
    link.send(Returned(value=value))
    print(grown())
"""


@pytest.mark.parametrize(
    ("mib", "kind"), [(256, "array"), (256, "bytes"), pytest.param(1024, "array", marks=pytest.mark.slow)]
)
def test_c4_a_round_trip_takes_little_more_memory_than_the_object(socket_path, mib, kind):
    size = mib << 20
    if psutil.virtual_memory().available < 4 * size:
        pytest.skip(f"four times {mib} MiB of memory are not free")
    folder = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", EXECUTOR, str(socket_path), str(size), kind, CHILD],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        check=True,
    )
    for grown in json.loads(done.stdout):
        assert 0.9 * size < grown <= 1.2 * size
