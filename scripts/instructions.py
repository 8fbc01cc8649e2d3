#!/usr/bin/env python3
"""Counts the instructions that the engine spends on a call, a streamed chunk and a passthrough.

    python3 scripts/instructions.py             measures, and prints beside the baseline
    python3 scripts/instructions.py --check     fails where a count is over the baseline by 2 %
    python3 scripts/instructions.py --update    writes the baseline, scripts/bench/instructions.json
    python3 scripts/instructions.py --agree     measures twice; fails where they differ by 0.2 %

A count does not depend on what else the machine does, so a change of one percent shows, which no
clock does. It is that of the whole process: engine, ABI, a thin C program (bench/count.c) and the
C library, without the kernel. The simulator runs outside valgrind. What is printed is the
difference between two runs, divided by how many units the second has more, so that the rest falls
out: of N calls and of 2N, and of N streams with 8 chunks and with 24. Chance is kept out: the
engine has one worker thread, a stream begins after it went to sleep, comes with one read of the
socket and is taken from the queue at once; malloc merges what is freed at once, not when a certain
size has gathered. Of three equal runs the median counts.

Wants valgrind and the release build of the library and of the simulator (`make instructions`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass

from bench import payload, programs
from bench.simulator import ROOT, Simulator

BASELINE = ROOT / "scripts" / "bench" / "instructions.json"
PROGRAM = programs.FOLDER / "count_c"
MARGIN = 0.02
AGREE = 0.002
RUNS = 3
COLLECTED = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True)
class Work:
    """One kind of request, measured by two runs of which the second has more units."""

    name: str
    mode: str
    """How the C program sends it: `call` or `stream`."""
    less: tuple[str, int]
    """The simulator's knobs and how often the request is sent."""
    more: tuple[str, int]


UNARY = f"bytes={payload.TEXT_BYTES}"
WORKS = [
    Work("call", "call", (UNARY, 1000), (UNARY, 2000)),
    # A few chunks, which one read brings: how a long stream is cut into reads is a matter of
    # chance. Whether an answer without delay is there before the engine waits for it is one too.
    Work("chunk", "stream", ("chunks=8,delay_ms=5", 40), ("chunks=24,delay_ms=5", 40)),
    Work("http", "call", (UNARY, 1000), (UNARY, 2000)),
]


def main() -> int:
    """Measures, prints, compares; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="fail over the baseline by 2 %%")
    how.add_argument("--update", action="store_true", help="write the baseline")
    how.add_argument("--agree", action="store_true", help="measure twice and compare the two")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is missing: run `make setup-system`")
    compiler = os.environ.get("CC", "cc")
    programs.build_c(compiler, programs.HERE / "count.c", PROGRAM)

    counts = measure()
    if options.update:
        document = {"made_with": made_with(), "counts": counts}
        BASELINE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print_table(counts, counts)
        return 0
    if options.agree:
        again = measure()
        print_table(again, counts)
        return complain(differing(again, counts), "the two measurements differ by 0.2 % or more")
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    print_table(counts, baseline["counts"])
    if not options.check:
        return 0
    found = complain(above(counts, baseline["counts"]), "more than 2 % over the baseline")
    if found and baseline["made_with"] != made_with():
        print(f"the baseline was made with {baseline['made_with']}", file=sys.stderr)
        print(f"this run was made with     {made_with()}", file=sys.stderr)
    return found


def measure() -> dict[str, int]:
    """Instructions a unit, by the names of `WORKS`."""
    with Simulator() as simulator:
        return {work.name: per_unit(work, simulator.url) for work in WORKS}


def per_unit(work: Work, url: str) -> int:
    """What one more call, or one more chunk, costs."""
    less, units = run(work, url, *work.less)
    more, more_units = run(work, url, *work.more)
    return round((more - less) / (more_units - units))


def run(work: Work, url: str, knobs: str, times: int) -> tuple[int, int]:
    """Instructions of a process that sends so many requests, and how many units it got."""
    base_url = f"{url}/sim,{knobs}/v1"
    settings = {"base_url": base_url, "api_key": payload.KEY}
    config = {"providers": {"openai": settings}}
    documents = [json.dumps(part) for part in (config, request(work.name, base_url), {})]
    if work.name != "http":
        documents[2] = json.dumps({"provider": "openai"})
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(PROGRAM)]
    command += [work.mode, *documents, str(times)]
    # With several workers, which of them takes a task is a matter of chance.
    steady = {"LITER_LLM_WORKER_THREADS": "1", "GLIBC_TUNABLES": "glibc.malloc.mxfast=0"}
    found: list[tuple[int, int]] = []
    for _ in range(RUNS):
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **steady})
        collected = COLLECTED.search(done.stderr)
        if done.returncode != 0 or collected is None:
            sys.exit(f"counting {work.name} failed:\n{done.stderr}")
        calls, chunks = map(int, done.stdout.split())
        found.append((int(collected[1]), chunks if work.mode == "stream" else calls))
    return statistics.median(instructions for instructions, _ in found), found[0][1]


def request(name: str, base_url: str) -> dict[str, object]:
    """The document that is sent."""
    if name != "http":
        return payload.STREAM if name == "chunk" else payload.REQUEST
    return {
        "op": "http",
        "url": f"{base_url}/chat/completions",
        "method": "POST",
        "headers": [
            ["authorization", f"Bearer {payload.KEY}"],
            ["content-type", "application/json"],
        ],
        "body": json.dumps(payload.REQUEST, ensure_ascii=False),
    }


def above(counts: dict[str, int], baseline: dict[str, int]) -> list[str]:
    """The names whose counts are over the baseline by more than the margin, or not in it."""
    limits = {name: count * (1 + MARGIN) for name, count in baseline.items()}
    return [name for name, count in counts.items() if count > limits.get(name, 0)]


def differing(one: dict[str, int], other: dict[str, int]) -> list[str]:
    """The names whose counts are not the same within what two measurements may differ."""
    return [name for name in one if abs(one[name] / other[name] - 1) >= AGREE]


def complain(names: list[str], why: str) -> int:
    """Prints a line for each name; the exit code."""
    for name in names:
        print(f"instructions a {name}: {why}", file=sys.stderr)
    return 1 if names else 0


def print_table(counts: dict[str, int], baseline: dict[str, int]) -> None:
    """One line a kind of work: the count, what it is compared with, and the difference."""
    print(f"{'instructions a':16}{'now':>10}{'before':>10}{'':>10}")
    for name, count in counts.items():
        before = baseline.get(name)
        change = f"{100 * (count / before - 1):+9.2f} %" if before else "       new"
        print(f"{name:16}{count:10}{before or 0:10}{change}")


def made_with() -> dict[str, str]:
    """What else than the engine's code a count depends on."""
    versions = {
        name: subprocess.run([name, "--version"], capture_output=True, text=True).stdout.strip()
        for name in ("rustc", "valgrind")
    }
    return {**versions, "libc": " ".join(platform.libc_ver()), "machine": platform.machine()}


if __name__ == "__main__":
    sys.exit(main())
