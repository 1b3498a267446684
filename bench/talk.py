"""Print the monotonic clock in nanoseconds, COUNT times: `python talk.py COUNT PERIOD`, some PERIOD milliseconds apart.

That is half a period to one and a half, evenly spread, so that no rhythm of a reader's fits ours; 0: as fast as it goes.
"""

import sys
import time

_GOLDEN_RATIO = 0.618034

if __name__ == "__main__":
    count, period = map(int, sys.argv[1:])
    for number in range(count):
        print(time.monotonic_ns(), flush=period > 0)
        if period:
            time.sleep(period / 1000 * (0.5 + number * _GOLDEN_RATIO % 1))
