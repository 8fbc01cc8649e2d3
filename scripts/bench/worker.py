"""One side of one workload, in a process of its own.

`python -m bench.worker SIDE KIND FLIGHTS BASE_URL COUNT TEXT [--standard-json]`, then a line `go`
on standard input for each round; each answers one JSON line: units done, CPU seconds, wall seconds.
The CPU time is that of the whole process, the library's threads included; `own` is the calling
thread's part of it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time


def cpu_seconds() -> float:
    """User and system time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def library_threads() -> int:
    """Threads of this process that Python did not start."""
    return len(os.listdir("/proc/self/task")) - threading.active_count()


def main() -> None:
    """Warms up, then runs a round for each line of standard input."""
    side, kind, flights, base_url, count, text, *_ = sys.argv[1:]
    if "--standard-json" in sys.argv:
        sys.modules["orjson"] = None  # type: ignore[assignment] # all sides read with `json`
    from . import peers, sides

    opened = getattr(sides if hasattr(sides, side) else peers, side)(base_url)
    runner = (
        sides.AsyncRunner(opened, int(flights))
        if side.endswith("async")
        else sides.SyncRunner(opened)
    )
    work = runner.calls if kind in ("unary", "held", "embed") else runner.streams
    expected = sides.Expected(text)
    work(max(int(count) // 4, 2 * int(flights)), expected)
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        wall, cpu, own = time.perf_counter(), cpu_seconds(), time.thread_time()
        units = work(int(count), expected)
        cpu, own = cpu_seconds() - cpu, time.thread_time() - own
        wall = time.perf_counter() - wall
        row = {"units": units, "cpu": cpu, "own": own, "wall": wall, "threads": library_threads()}
        print(json.dumps(row), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
