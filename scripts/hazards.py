"""Runs the long hazards once, and counts: exits with work in flight, workers that are terminated
while calls run, calls that a deadline cancels.

    python3 scripts/hazards.py [PART …]          default: all; `make hazards-long` builds first

The tests are those of the packages, with LITER_LLM_LONG=1. Each of them fails at the first crash,
hang (a deadline of its own), word on stderr, wrong status, call left pending, or growth of
goroutines and threads; a part that fails or runs for more than half an hour is shown, and fails the
run. What a passed test has done is in PARTS. Ends with one line of totals.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 1800
WANTED = {"process exits": 1000, "workers terminated": 300, "calls cancelled by a deadline": 5000}


@dataclass
class Part:
    """One run of a package's tests: what it counts, and how often each passed test has done it."""

    name: str
    counts: str
    folder: str
    command: list[str]
    rounds: dict[str, int]


NODE = ["node", "--expose-gc", "--test", "--test-reporter=tap"]
GO = ["go", "test", "-count=1", "-v", "-timeout=20m", "-run"]

PARTS = [
    Part(
        "c-exit",
        "process exits",
        ".",
        [
            *("cargo", "--locked", "test", "--workspace", "--features", "liter-llm-core/schema"),
            *("--test", "hazards", "--", "--exact", "exit"),
        ],
        {r"^test exit \.\.\. ok": 120},
    ),
    Part(
        "python-exit",
        "process exits",
        "python",
        [sys.executable, "-m", "pytest", "-vv", "tests/test_exit.py"],
        {r"::test_exit\[.*\] PASSED": 200},
    ),
    Part(
        "node-exit",
        "process exits",
        "node",
        [*NODE, "test/exit.test.mjs"],
        {
            r"^ok \d+ - process\.exit": 200,
            r"^ok \d+ - an uncaught exception": 200,
            r"^ok \d+ - (nothing but an import|an idle client|a stream that|a call in an exit)": 50,
        },
    ),
    Part(
        "go-exit", "process exits", "go", [*GO, "^TestExit$", "."], {r"^--- PASS: TestExit ": 800}
    ),
    Part(
        "node-workers",
        "workers terminated",
        "node",
        [*NODE, "test/worker_exit.test.mjs"],
        {
            r"^ok \d+ - worker\.terminate$": 303,
            r"^ok \d+ - worker\.terminate at once": 300,
            r"^ok \d+ - several at once": 120,
            r"^ok \d+ - a worker that was the only one": 50,
        },
    ),
    Part(
        "go-deadlines",
        "calls cancelled by a deadline",
        "go",
        [*GO, "^TestFiveThousandDeadlines$", "."],
        {r"^--- PASS: TestFiveThousandDeadlines ": 5000},
    ),
]


def run(part: Part) -> int | None:
    """How much a part has done; None when something in it failed, which is shown."""
    begin = time.monotonic()
    try:
        done = subprocess.run(
            part.command,
            cwd=ROOT / part.folder,
            env={**os.environ, "LITER_LLM_LONG": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as hung:
        said = hung.stdout or b""
        print(f"{part.name}: still ran after {SECONDS} s:\n{said.decode()[-4000:]}", flush=True)
        return None
    count = 0
    failed = done.returncode != 0
    for pattern, rounds in part.rounds.items():
        passed = len(re.findall(pattern, done.stdout, re.MULTILINE))
        count += passed * rounds
        if passed == 0:
            print(f"{part.name}: no test that passed matches {pattern}", flush=True)
            failed = True
    if failed:
        print(f"{part.name} ended with {done.returncode}:\n{done.stdout[-8000:]}", flush=True)
        return None
    print(f"{part.name}: {count} {part.counts}, {time.monotonic() - begin:.0f} s", flush=True)
    return count


def main() -> int:
    """Runs the parts; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("parts", nargs="*", choices=[[], *(part.name for part in PARTS)])
    names = parser.parse_args().parts or [part.name for part in PARTS]
    begin = time.monotonic()
    totals = dict.fromkeys(WANTED, 0)
    failed = 0
    for part in PARTS:
        if part.name in names:
            count = run(part)
            failed += count is None
            totals[part.counts] += count or 0
    short = len(names) == len(PARTS) and any(totals[what] < WANTED[what] for what in WANTED)
    said = ", ".join(f"{count} {what}" for what, count in totals.items() if count)
    end = "a part failed" if failed else "0 crashes, 0 hangs, 0 calls pending"
    print(f"{said or 'nothing'}: {end}; {time.monotonic() - begin:.0f} s")
    if short:
        print(f"fewer than wanted: {WANTED}")
    return 1 if failed or short else 0


if __name__ == "__main__":
    sys.exit(main())
