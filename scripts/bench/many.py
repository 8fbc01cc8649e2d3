"""Ten thousand calls in flight from Go: how many threads that takes."""

from __future__ import annotations

import resource
import sys
import time
from typing import TYPE_CHECKING

from . import payload, programs
from .report import Fact
from .workloads import Worker

if TYPE_CHECKING:
    from .simulator import Simulator

IN_FLIGHT = 10_000


def raise_limit() -> bool:
    """Lets this process and those it starts open enough sockets. False: the system does not."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < IN_FLIGHT + 1000:
        print(f"{IN_FLIGHT} calls in flight are left out: ulimit -Hn is {hard}", file=sys.stderr)
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return True


def go_threads(simulator: Simulator) -> list[Fact]:
    """Threads of a Go process while the provider holds all its calls."""
    base_url = simulator.url + payload.paths()["slow"]
    arguments = [base_url, str(IN_FLIGHT), simulator.text("slow")]
    worker = Worker(programs.command("go", "liter", "slow", IN_FLIGHT, arguments))
    worker.round()
    deadline = time.monotonic() + 20
    while (held := simulator.stats()["requests_open"]) < IN_FLIGHT:
        if time.monotonic() > deadline:
            raise SystemExit(f"the provider holds {held} calls of {IN_FLIGHT}")
        time.sleep(0.02)
    threads = worker.round()["threads"]
    worker.close()
    what = f"Threads of a Go process, {IN_FLIGHT:,} in flight"
    return [Fact(what, threads, str(threads), 19, "< 20")]
