"""Holds the tables of faults in docs/resilience.md against the cases that they name.

Every case of a row exists, and every case of the topic stands in a row, itself or as the `_stream`
twin of one that does.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "resilience.md"
CASES = ROOT / "bindings" / "conformance" / "cases" / "faults"
HEADING = "## The sixteen faults"


def main() -> int:
    """Says what is missing on either side; the exit code."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition(HEADING)
    section = section.partition("\n## ")[0]
    cells = [line.rstrip(" |").rpartition("|")[2] for line in section.splitlines() if "|" in line]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    cases = {path.stem for path in CASES.glob("*.json")}
    problems = [f"`{name}` is no case of {CASES.name}" for name in sorted(named - cases)]
    for case in sorted(cases - named):
        if case.removesuffix("_stream") not in named:
            problems.append(f"the case {case} stands in no row")
    print("".join(f"{PAGE.relative_to(ROOT)}: {problem}\n" for problem in problems), end="")
    return 1 if problems or not named else 0


if __name__ == "__main__":
    sys.exit(main())
