"""Runs the programs in each language's `examples/` against the simulator, over real HTTP.

    python3 scripts/check_examples.py [--language python] [NAME …]      default: all

Each language has the same programs. They run in the environment of the documents' blocks
(`snippets.py`), as a user would run them, and end with 0. `scripts/examples/LANGUAGE.json` has, for
each program, lines that it must write: `{"chat": ["line", …], …}`. A language without this file is
not there yet.

A program that is missing is a failure, and so is one that nobody runs. Ends with the plain line
`N passed, N failed`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulator import ROOT, Simulator
from snippets import Ended, Snippets

NAMES = (
    *("chat", "stream", "history", "tool_loop", "structured_output", "images"),
    *("hundred_at_once", "fallback", "ab_route", "fastest_of_three", "timeout_and_cancel"),
    *("errors_by_class", "what_was_sent", "web_stream", "unit_test"),
)
LINES = ROOT / "scripts" / "examples"

SECONDS = 120
"""How long a program may run, with its compiling."""


@dataclass(frozen=True)
class Row:
    """Programs of a language: their folder, what follows a program's name, what runs it."""

    language: str
    folder: str
    suffix: str
    command: tuple[str, ...]

    def found(self) -> Iterator[tuple[str, Path]]:
        """The programs that are there, by name."""
        folder = ROOT / self.folder
        for path in sorted(folder.glob("*" + self.suffix)):
            yield path.relative_to(folder).parts[0].removesuffix(self.suffix), path


GO = ("go", "-C", str(ROOT / "go"))
ROWS = (
    Row("python", "python/examples", ".py", (sys.executable, "-W", "error", "{path}")),
    Row("node", "node/examples", ".mjs", ("node", "{path}")),
    Row("go", "go/examples", "/main.go", (*GO, "run", "./examples/{name}")),
    Row("go", "go/examples", "/*_test.go", (*GO, "test", "-count=1", "-v", "./examples/{name}")),
)


def main() -> int:
    """Runs the programs; the exit code."""
    languages = list(dict.fromkeys(row.language for row in ROWS))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--language", choices=languages)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    arguments = parser.parse_args()
    names = arguments.names or NAMES
    if strange := [name for name in names if name not in NAMES]:
        parser.error(f"there is no program {strange[0]}: {', '.join(NAMES)}")
    passed = failed = 0
    with Simulator() as simulator, tempfile.TemporaryDirectory(prefix="liter-llm-ex-") as folder:
        snippets = Snippets(simulator.url, Path(folder))
        for language in [arguments.language] if arguments.language else languages:
            if not expected(language).is_file():
                where = expected(language).relative_to(ROOT)
                print(f"{language}: no programs yet, {where} is missing")
                continue
            for name, fault in checked(language, names, snippets):
                passed, failed = passed + (not fault), failed + bool(fault)
                if fault:
                    print(f"{language}: {name}: {fault}", file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def expected(language: str) -> Path:
    """The file with the lines that a language's programs must write."""
    return LINES / f"{language}.json"


def checked(
    language: str, names: tuple[str, ...] | list[str], snippets: Snippets
) -> Iterator[tuple[str, str]]:
    """Each program of a language with what is wrong with it, or ""."""
    lines: dict[str, list[str]] = json.loads(expected(language).read_text(encoding="utf-8"))
    rows = [row for row in ROWS if row.language == language]
    found = [(name, path, row) for row in rows for name, path in row.found()]
    there = {name for name, _, _ in found}
    for name in sorted((there | lines.keys()) - set(NAMES)):
        yield name, "nobody runs it: give its name in scripts/check_examples.py, or remove it"
    for name in names:
        if name not in there:
            yield name, f"is missing, as {rows[0].folder}/{name}{rows[0].suffix}"
    for name, path, row in found:
        if name in names:
            words = [word.format(name=name, path=path) for word in row.command]
            yield name, ran(words, lines.get(name, []), snippets)


def ran(words: list[str], lines: list[str], snippets: Snippets) -> str:
    """What is wrong with a program that must write these lines, or ""."""
    if not lines:
        return "no line says what it must write"
    try:
        text = snippets.run(*words, seconds=SECONDS)
    except Ended as ended:
        return str(ended)
    written = {line.rstrip() for line in text.splitlines()}
    missing = [line for line in lines if line not in written]
    return f"did not write {missing[0]!r} but\n{text.strip()}" if missing else ""


if __name__ == "__main__":
    sys.exit(main())
