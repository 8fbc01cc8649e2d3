"""Holds the table of docs/hazards.md against the tests: `python3 scripts/check_hazards.py`.

Each cell has to link to tests of its language, and what stands in it as code has to be in one of
the files that it links to.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "hazards.md"
FOLDERS = {
    "C": "bindings/c/tests",
    "Python": "python/tests",
    "Node": "node/test",
    "Go": "go",
}


def fault(cell: str, folder: Path) -> str | None:
    """What is wrong with a cell."""
    files = [(PAGE.parent / name).resolve() for name in re.findall(r"\]\(([^)]+)\)", cell)]
    if not files:
        return "names no test"
    texts = ""
    for file in files:
        if folder not in file.parents or not file.is_file():
            return f"{file.relative_to(ROOT)} is no test of this language"
        texts += file.read_text(encoding="utf-8")
    for name in re.findall(r"`([^`]+)`", cell):
        if name not in texts:
            return f"there is no test {name!r}"
    return None


def main() -> int:
    """Checks every cell; the exit code."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    head, _, *hazards = rows
    if head[1:] != list(FOLDERS) or not hazards:
        print(f"{PAGE.relative_to(ROOT)}: the columns are not {', '.join(FOLDERS)}")
        return 1
    failed = 0
    for name, *cells in hazards:
        if len(cells) != len(FOLDERS):
            print(f"{name}: {len(cells)} cells, not {len(FOLDERS)}")
            failed += 1
            continue
        for cell, (language, folder) in zip(cells, FOLDERS.items(), strict=True):
            if wrong := fault(cell, ROOT / folder):
                print(f"{name}, {language}: {wrong}")
                failed += 1
    print(f"{len(hazards)} hazards in {len(FOLDERS)} languages, {failed} faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
