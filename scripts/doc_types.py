"""Checks the documents' Python blocks as a reader's editor does: by pyright and mypy, strictly."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulator import TARGET

PYRIGHT = {"typeCheckingMode": "strict", "pythonVersion": "3.10"}


@dataclass
class Source:
    """A block as a program: where it stands, the imports that an earlier block made, its text."""

    path: str
    line: int
    head: str
    text: str

    def place(self, line: int) -> str | None:
        """The place in the document of a line of the program, from 1. None: of the head."""
        line -= self.head.count("\n")
        return f"{self.path}:{self.line + line}" if line > 0 else None


def python_faults(sources: list[Source], folder: Path) -> list[str]:
    """What the checkers find in these programs: the place, the checker, what it says."""
    if not sources:
        return []
    files: dict[str, Source] = {}
    folder.mkdir()
    for number, source in enumerate(sources):
        file = folder / f"block_{number}.py"
        file.write_text(source.head + source.text, encoding="utf-8")
        files[file.name] = source
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), encoding="utf-8")
    faults: list[str] = []
    for name, found in (("pyright", pyright(folder)), ("mypy", mypy(folder, sorted(files)))):
        for file, line, text in found:
            if place := files[Path(file).name].place(line):
                faults.append(f"{place}: {name}: {text}")
    return faults


def pyright(folder: Path) -> Iterator[tuple[str, int, str]]:
    """File, line and text of each error."""
    words = ["pyright", "--outputjson", "-p", str(folder), "--pythonpath", sys.executable]
    for one in json.loads(output(*words))["generalDiagnostics"]:
        if one["severity"] == "error":
            yield one["file"], one["range"]["start"]["line"] + 1, one["message"]


def mypy(folder: Path, files: list[str]) -> Iterator[tuple[str, int, str]]:
    """File, line and text of each error."""
    paths = [str(folder / file) for file in files]
    # The SDKs that some blocks import take half a minute without a cache.
    words = ["mypy", "--strict", "--cache-dir", str(TARGET / "mypy"), "--no-error-summary"]
    for row in output(*words, *paths).splitlines():
        if found := re.match(r"(.+\.py):(\d+): error: (.*)$", row):
            yield found[1], int(found[2]), found[3]
        elif ": note: " not in row:
            raise SystemExit(f"mypy: {row}")


def output(*words: str) -> str:
    """What a module of this environment writes."""
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise SystemExit(f"{words[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
