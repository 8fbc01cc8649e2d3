"""Holds the engine's rooms to their floors: who may import whom, no circles, no file too long.

    python3 scripts/check_layers.py [ROOT]          default: this checkout

A room is a top-level module of `core/src`. It imports from the floors below it, and from a room of
its own floor only where the table says so. Every path counts: `use`, `super::`, full paths in code,
types, attributes and macros. Whoever names a re-export imports the room that defines the item, too.
Code for tests alone is exempt. `docs/architecture.md` says what each room is for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from layers.rules import Room, Table, check
from layers.tokens import RustError

GROUND = frozenset({"codec", "error", "json"})

# Some rooms are still to come: cache, price, redis.
ROOMS = {
    "client": Room(8),
    "pipeline": Room(7),
    "call": Room(6, beside={"admission": "a stream gives its place back when it ends"}),
    "admission": Room(6),
    "services": Room(5, beside={"observe": "owns the observers", "cache": "owns the stores"}),
    "cache": Room(5),
    "observe": Room(5),
    "target": Room(4, never=frozenset({"http"})),
    "operation": Room(4, only=GROUND | {"provider", "model", "wire"}),
    "config": Room(3),
    "provider": Room(2),
    "auth": Room(2, beside={"http": "fetches tokens"}),
    "limit": Room(2, beside={"redis": "limits of a fleet"}),
    "price": Room(2),
    "http": Room(2),
    "redis": Room(2),
    "model": Room(1, beside={"retry": "a request may overlay the retry policy"}),
    "wire": Room(1),
    "retry": Room(1, only=frozenset({"error"})),
    "codec": Room(0, beside={"error": "a wrong member is an error", "json": "documents are JSON"}),
    "error": Room(0, beside={"json": "an error is a document"}),
    "file": Room(0),
    "json": Room(0),
}

# Between these rooms only these items pass.
ITEMS = {
    ("model", "retry"): frozenset({"RetryPolicy"}),
    ("config", "http"): frozenset({"HttpVersion", "Settings", "Timeouts", "Trust"}),
}

# Only the first knows both others; the few items above do not count as knowing.
KNOWS_BOTH = ("call", "provider", "http")

# Floor 9. It imports the engine's face alone: what core/src/lib.rs makes public.
FACE = "liter_llm_core"
OUTSIDE = ("bindings/c/src", "gateway/src", "core/examples", "core/tests", "fuzz")
# Modules are public for tests, examples and fuzzing, too. These may be used in what is shipped.
SHIPPED = ("bindings/c/src", "gateway/src")
SHIPPED_MODULES = frozenset({"error", "model", "observe"})

# Crates without circles of files, and the folders that may have some.
NO_CIRCLES = ("core/src", "bindings/c/src", "simulator/src")
CIRCLES = {"core/src/json/": "a value is made of values"}

MOST_LINES = 400
MOST_LINES_OF = {"core/src/pipeline.rs": 150}

# (file, room or file) → why it imports that all the same; a file is named where the import closes a
# circle. The list may only shrink.
EXCEPTIONS: dict[tuple[str, str], str] = {}

TABLE = Table(
    rooms=ROOMS,
    items=ITEMS,
    knows_both=KNOWS_BOTH,
    face=FACE,
    outside=OUTSIDE,
    shipped=SHIPPED,
    shipped_modules=SHIPPED_MODULES,
    no_circles=NO_CIRCLES,
    circles=CIRCLES,
    most_lines=MOST_LINES,
    most_lines_of=MOST_LINES_OF,
    exceptions=EXCEPTIONS,
)


def main() -> int:
    """Names every violation; the exit code."""
    root = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parents[1]
    try:
        found, summary = check(root.resolve(), TABLE)
    except RustError as error:
        found, summary = [str(error)], "not all could be read"
    for line in found:
        print(line)
    print(f"{summary}; {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
