"""Holds docs/environment.md to the code: `python3 scripts/check_environment.py`.

Each variable that the engine or a package reads stands in the page, and each that stands there is
read. Keys of providers stand in the table of docs/providers.md, which the registry writes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "environment.md"
PROVIDERS = ROOT / "docs" / "providers.md"
REGISTRY = ROOT / "core" / "src" / "provider" / "registry.rs"
HEADER = ROOT / "include" / "liter_llm.h"

# Folder, suffix, and how its language reads a variable: each group is a name.
NAME = r"([A-Z][A-Z0-9_]+)"
READERS = (
    ("core/src", ".rs", rf'\b(?:get|some|home|is_on|first|var|var_os)\("{NAME}"\)'),
    ("core/src/config", ".rs", r'"((?:AWS|AZURE|GOOGLE)_[A-Z0-9_]+)"'),
    ("bindings/c/src", ".rs", rf'\b(?:get|some|is_on|var|var_os)\("{NAME}"\)'),
    ("python/src", ".py", rf'\b(?:environ|variables)(?:\.get\(|\[)"{NAME}"|"([A-Z_]+_BUNDLE)"'),
    ("node/src", ".js", rf"\b(?:process\.env|variables)\.{NAME}"),
    ("go", ".go", rf'\b(?:Getenv|LookupEnv)\("{NAME}"\)|\bvariables\["{NAME}"\]'),
)
# Ours, however they are read; the header's constants begin in the same way.
OURS = re.compile(r"\bLITER_LLM_[A-Z0-9_]*[A-Z0-9]\b")
# Programs that are no part of a package, and tests.
LEFT_OUT = re.compile(r"/tests?/|/tests\.rs$|_tests?\.(rs|go)$|/internal/conformance/|/examples/")


def main() -> int:
    """Names each variable that only one side has; the exit code."""
    header = re.sub(r"(?s)/\*.*?\*/|//[^\n]*", "", HEADER.read_text(encoding="utf-8"))
    constants = set(OURS.findall(header))
    read = {name: where for name, where in variables() if name not in constants}
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    said = {name for line in table for name in named(line.split("|")[1])}
    keys = set(named(PROVIDERS.read_text(encoding="utf-8")))
    problems = [
        f"{read[name]} reads {name}, which has no row" for name in sorted(set(read) - said - keys)
    ]
    problems += [f"nothing reads {name}" for name in sorted(said - set(read))]
    print("".join(f"{PAGE.relative_to(ROOT)}: {problem}\n" for problem in problems), end="")
    print(f"{len(read)} variables are read, {len(said)} have rows, {len(problems)} faults")
    return 1 if problems or not said else 0


def variables() -> list[tuple[str, Path]]:
    """The names that the code reads, each with a file that does."""
    found = list[tuple[str, Path]]()
    for folder, suffix, pattern in READERS:
        for path in sorted((ROOT / folder).rglob(f"*{suffix}")):
            where = path.relative_to(ROOT)
            if LEFT_OUT.search(f"/{where.as_posix()}"):
                continue
            # Unit tests of Rust stand at the end of their file.
            text = path.read_text(encoding="utf-8").partition("#[cfg(test)]")[0]
            for match in re.finditer(pattern, text):
                found.append((next(filter(None, match.groups())), where))
            found += [(name, where) for name in OURS.findall(text)]
    rows = REGISTRY.read_text(encoding="utf-8")
    found += [
        (name, REGISTRY.relative_to(ROOT)) for name in re.findall(r'"([A-Z]+_[A-Z0-9_]+)"', rows)
    ]
    # Node's debuglog reads this one.
    if any("debuglog(" in path.read_text() for path in (ROOT / "node" / "src").glob("*.js")):
        found.append(("NODE_DEBUG", Path("node/src")))
    # The proxies' names count in lower case too.
    lower = [(name.lower(), where) for name, where in found if name.endswith("_PROXY")]
    return found + lower


def named(text: str) -> list[str]:
    """What stands in it as code and looks like a variable."""
    return re.findall(r"`([A-Z][A-Z0-9_]+|[a-z]+_proxy)`", text)


if __name__ == "__main__":
    sys.exit(main())
