"""Holds the tables of faults in the documents against what plays them.

In docs/resilience.md every case of a row exists, and every case of the topic stands in a row,
itself or as the `_stream` twin of one that does. In docs/testing.md the rows are the faults of the
simulator's free mode, in its order, and the knobs that the page names are the simulator's.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "resilience.md"
CASES = ROOT / "bindings" / "conformance" / "cases" / "faults"
HEADING = "## The sixteen faults"
TESTING = ROOT / "docs" / "testing.md"
FREE = ROOT / "simulator" / "src" / "free"


def main() -> int:
    """Says what is missing on either side; the exit code."""
    problems = {PAGE: of_cases(), TESTING: of_simulator()}
    for page, lines in problems.items():
        print("".join(f"{page.relative_to(ROOT)}: {line}\n" for line in lines), end="")
    return 1 if any(problems.values()) else 0


def of_cases() -> list[str]:
    """What the tables of resilience.md and the cases lack of each other."""
    section = part(PAGE, HEADING, "\n## ")
    cells = [line.rstrip(" |").rpartition("|")[2] for line in section.splitlines() if "|" in line]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    cases = {path.stem for path in CASES.glob("*.json")}
    problems = [f"`{name}` is no case of {CASES.name}" for name in sorted(named - cases)]
    for case in sorted(cases - named):
        if case.removesuffix("_stream") not in named:
            problems.append(f"the case {case} stands in no row")
    return problems if named else ["names no case"]


def of_simulator() -> list[str]:
    """What the tables of testing.md and the simulator's own lack of each other."""
    problems = list[str]()
    table = part(FREE / "faults.rs", "const FAULTS", "];")
    played = re.findall(r'\("(\w+)", Fault::', table)
    said = rows(part(TESTING, "### Faults", "\n### "))
    if said != played or not played:
        problems.append(f"the faults are {', '.join(played)}, and the page has {', '.join(said)}")
    knobs = set(re.findall(r'"(\w+)" =>', (FREE / "knobs.rs").read_text(encoding="utf-8")))
    strange = set(rows(part(TESTING, "| knob |", "\n\n"))) - knobs
    return problems + [f"`{name}` is no knob" for name in sorted(strange)]


def rows(text: str) -> list[str]:
    """The names that begin the rows of a table."""
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def part(path: Path, begin: str, end: str) -> str:
    """The text of a file behind `begin`, up to `end`."""
    return path.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]


if __name__ == "__main__":
    sys.exit(main())
