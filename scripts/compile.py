"""Compiles the engine and the simulator, and says how far it is in one line.

    python3 scripts/compile.py -p PACKAGE …      more of cargo's own arguments are passed on

cargo names each of some eighty packages in a line of its own, or says nothing at all for minutes.
Here a terminal shows one line that counts; elsewhere there are a first and a last line. Warnings
and errors are cargo's. Where nothing has to be compiled, nothing is said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARGO = ("cargo", "--locked", "--quiet")


def main() -> int:
    """Compiles; cargo's exit code."""
    chosen = sys.argv[1:]
    total = packages(chosen)
    began, done, fresh = time.monotonic(), set[str](), True
    command = [*CARGO, "build", "--release", "--message-format=json-render-diagnostics", *chosen]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as cargo:
        assert cargo.stdout is not None
        for line in cargo.stdout:
            message = json.loads(line)
            if message["reason"] != "compiler-artifact":
                continue
            done.add(message["package_id"])
            if not message["fresh"]:
                show(len(done), total, first=fresh)
                fresh = False
    if not fresh and cargo.returncode == 0:
        seconds = time.monotonic() - began
        print(f"{BACK}compiled the engine: {len(done)} packages in {seconds:.0f} s", flush=True)
    return cargo.returncode


# On a terminal each line takes the place of the one before.
TERMINAL = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
BACK = "\r\x1b[K" if TERMINAL else ""


def show(done: int, total: int, *, first: bool) -> None:
    """Says how far it is."""
    if TERMINAL:
        print(f"{BACK}compiling the engine: {done} of {total} packages", end="", flush=True)
    elif first:
        print(f"compiling the engine: {total} packages, a few minutes", flush=True)


def packages(chosen: list[str]) -> int:
    """How many packages there are to compile, with those that are compiled already."""
    tree = [*CARGO, "tree", "--prefix=none", "--edges=normal,build", "--format={p}", *chosen]
    listed = subprocess.run(tree, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    # A package that is there again has a mark behind it.
    return len({line.removesuffix(" (*)") for line in listed.splitlines() if line})


if __name__ == "__main__":
    sys.exit(main())
