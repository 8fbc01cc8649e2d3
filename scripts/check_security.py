"""Holds SECURITY.md against the tests that it names: `python3 scripts/check_security.py`.

Each row of a table whose last column is "held by" has to name something that holds it. A file, a
case of the conformance suite, a test and a target of make have to exist. Any other command has to
stand in a workflow.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "SECURITY.md"
CASES = ROOT / "bindings" / "conformance" / "cases"


def git(*arguments: str) -> str:
    """What git prints about the files of the repository."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def rows(page: str) -> list[str]:
    """The last cells of the tables of promises."""
    cells: list[str] = []
    inside = False
    for line in page.splitlines():
        last = line.rstrip(" |").rpartition("|")[2].strip() if line.startswith("|") else ""
        inside = bool(last) and (inside or last == "held by")
        if inside and last != "held by" and last.strip("-"):
            cells.append(last)
    return cells


def exists(name: str, files: set[str], tests: set[str], workflows: str, targets: set[str]) -> bool:
    """Whether this is something that can hold a promise."""
    if name.startswith("make "):
        return name.removeprefix("make ") in targets
    if " " in name or ("-" in name and "." not in name):
        return name in workflows
    if "/" in name and any(CASES.glob(f"{name}.json")):
        return True
    return name in tests or name in files or name in {Path(file).name for file in files}


def main() -> int:
    """Says what is missing; the exit code."""
    files = set(git("ls-files").splitlines())
    found = git("grep", "-hoE", r"\b(fn|func) \w+\(", "--", "*.rs", "*_test.go")
    tests = {line.split()[1].rstrip("(") for line in found.splitlines()}
    workflows = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    problems: list[str] = []
    held = rows(PAGE.read_text(encoding="utf-8"))
    for row in held:
        # Where a name is linked, the link is checked with the other links of documents.
        names = re.findall(r"`([^`]+)`", row)
        wrong = [name for name in names if not exists(name, files, tests, workflows, targets)]
        problems += [f"`{name}` does not exist" for name in wrong]
        if not names and "compiler" not in row:
            problems.append(f"{row!r} names no test")
    print("".join(f"{PAGE.name}: {problem}\n" for problem in problems), end="")
    print(f"{len(held)} promises, {len(problems)} faults")
    return 1 if problems or not held else 0


if __name__ == "__main__":
    sys.exit(main())
