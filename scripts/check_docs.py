"""Holds the documents against the project: every fenced block is compiled or run.

    python3 scripts/check_docs.py [FILE …]          default: every document of the project

What a block's language means:

    python    runs, and has no fault for pyright and mypy, both strict; the environment gives keys,
              a default provider and model, and the base URLs of the providers at a simulator, so
              that a block stays as a user would write it; what an earlier block of the page has
              imported is there
    js        runs in the same way: as an ES module, with the Node package's name to import; its
              types are checked as strictly as TypeScript can
    c         compiles as C99 without a warning; one with a main() also runs, as python does
    rust      compiles and runs as rustdoc's examples do
    go        a whole program: compiles with the package of the project, and runs, as python does
    sh        each command is one we know; make targets, packages and files that it names exist
    json      parses, whole or line by line; a second word says of which kind it is
              (`json request`), and then it has to fit that schema; requests are sent,
              configurations are read by the library
    text, mermaid   are left alone

Blocks of docs/mistakes.md with the second word `mistake` do not hold, and should not: mistakes.py
runs them. Any other language, and a block without one, is a failure. So is a link to a file or a
heading that is not there. Ends with the plain line `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from doc_links import broken_links
from doc_types import Source, python_faults
from docs_js import js_faults
from mistakes import PAGE as MISTAKES
from simulator import ROOT, TARGET, Simulator
from snippets import Ended, Snippets

sys.path.insert(0, str(ROOT / "bindings" / "conformance"))
from suite.schema import Schema

SCHEMAS = ROOT / "bindings" / "conformance" / "schemas"
C_FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
# What a C block without a main() may take for granted.
C_HEAD = '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include "liter_llm.h"\n'
COMMANDS = {
    "bash",
    "cargo",
    "cc",
    "cd",
    "export",
    "git",
    "go",
    "make",
    "npm",
    "pip",
    "python3",
    "tar",
}


@dataclass
class Block:
    """A fenced block: where it stands, its language with what follows, its text."""

    path: Path
    line: int
    language: str
    kind: str
    text: str

    @property
    def place(self) -> str:
        """`docs/abi.md:12`."""
        return f"{self.path.relative_to(ROOT)}:{self.line}"


class Fault(Exception):
    """What is wrong with a block."""


def main() -> int:
    """Checks every block and every link; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("files", nargs="*", type=Path)
    files = [path.resolve() for path in parser.parse_args().files] or documents()
    found = [block for path in files for block in blocks(path) if not is_mistake(block)]
    failed = 0
    with Simulator() as simulator, tempfile.TemporaryDirectory(prefix="liter-llm-docs-") as folder:
        checks = Checks(simulator.url, Path(folder))
        for block in found:
            try:
                checks.check(block)
            except (Fault, Ended) as fault:
                failed += 1
                print(f"{block.place}: {block.language or 'no language'}: {fault}", file=sys.stderr)
        wrong = python_faults(checks.sources, Path(folder) / "types") + js_faults(found)
    for place in wrong:
        print(place, file=sys.stderr)
    links, broken = broken_links(files)
    for place in broken:
        print(place, file=sys.stderr)
    print(f"{len(files)} documents: {len(found)} blocks, {links} links")
    failed += len(broken) + len(wrong)
    print(f"{max(len(found) + links - failed, 0)} passed, {failed} failed")
    return 1 if failed else 0


def documents() -> list[Path]:
    """Every document that git knows or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(names.split())) if (ROOT / name).is_file()]


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a document."""
    fence, start, words, lines = "", 0, [""], list[str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        opened = re.match(r"\s*(```+|~~~+)\s*(.*)$", line)
        if not fence and opened:
            fence, start, lines = opened[1], number, []
            words = [*opened[2].split(), "", ""]
        elif fence and line.strip() == fence:
            yield Block(path, start, words[0], words[1], "\n".join(lines) + "\n")
            fence = ""
        elif fence:
            lines.append(line)


def is_mistake(block: Block) -> bool:
    """Whether this is a program that goes wrong on purpose."""
    return block.kind == "mistake" and block.path == MISTAKES


class Checks:
    """The checks of each language, with a simulator to run against and a folder to work in."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        self._snippets = Snippets(url, folder)
        self.sources: list[Source] = []
        self._imports: dict[Path, str] = {}
        self._js_imports: dict[Path, str] = {}
        self._by_language: dict[str, Callable[[Block], None]] = {
            "python": self.python,
            "js": self.js,
            "c": self.c,
            "rust": self.rust,
            "go": self.go,
            "sh": self.sh,
            "json": self.json,
            "text": lambda _: None,
            "mermaid": lambda _: None,
        }

    def check(self, block: Block) -> None:
        """Raises a Fault where the block does not hold."""
        check = self._by_language.get(block.language)
        if check is None:
            raise Fault(f"is not one of {', '.join(self._by_language)}")
        check(block)

    def python(self, block: Block) -> None:
        """Runs the block in an interpreter of its own, with the imports of those before it."""
        before = self._imports.get(block.path, "")
        imports = re.findall(r"^(?:import|from) .*\n", block.text, re.MULTILINE)
        before = "".join(line for line in before.splitlines(True) if line not in imports)
        self._imports[block.path] = before + "".join(imports)
        path = block.path.relative_to(ROOT).as_posix()
        self.sources.append(Source(path, block.line, before, block.text))
        # What the library says of an answer, as of a default that it fills in, is no fault.
        options = ("-W", "error", "-W", "default::UserWarning")
        self._run(*self._snippets.python(before + block.text, *options))

    def js(self, block: Block) -> None:
        """Runs the block in a Node of its own; one that imports nothing, with earlier imports."""
        imports = "".join(re.findall(r"^import .*\n", block.text, re.MULTILINE))
        before = "" if imports else self._js_imports.get(block.path, "")
        self._js_imports[block.path] = imports or before
        self._run(*self._snippets.js(before + block.text))

    def c(self, block: Block) -> None:
        """Compiles; runs what has a main()."""
        source, program = self._folder / "block.c", self._folder / "block"
        whole = re.search(r"\bint main\(", block.text) is not None
        source.write_text(block.text if whole else C_HEAD + block.text, encoding="utf-8")
        compiler = [os.environ.get("CC", "cc"), *C_FLAGS, f"-I{ROOT / 'include'}", str(source)]
        if not whole:
            self._run(*compiler, "-Wno-unused-function", "-fsyntax-only")
            return
        where = TARGET / "release"
        self._run(*compiler, f"-L{where}", f"-Wl,-rpath,{where}", "-lliter_llm", "-o", str(program))
        self._run(str(program))

    def rust(self, block: Block) -> None:
        """Compiles and runs the block as an example of the crate's documentation."""
        source = self._folder / "block.md"
        source.write_text(f"```rust\n{block.text}```\n", encoding="utf-8")
        debug = TARGET / "debug"
        library = debug / "libliter_llm_core.rlib"
        if not library.is_file():
            raise Fault(f"{library} is missing: run `make lib-debug`")
        extern = f"liter_llm_core={library}"
        where = f"dependency={debug / 'deps'}"
        self._run(
            "rustdoc", "--edition=2024", "--test", str(source), "--extern", extern, "-L", where
        )

    def go(self, block: Block) -> None:
        """Compiles and runs the program in a module that takes the package from here."""
        self._run(*self._snippets.go(block.text))

    def sh(self, block: Block) -> None:
        """Looks at each command, and runs none."""
        text = block.text.replace("\\\n", " ")
        for line in text.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            while words and re.match(r"\w+=", words[0]):
                words = words[1:]
            if words:
                command(words)

    def json(self, block: Block) -> None:
        """Parses; holds it against its schema; lets the library read it."""
        parse(block.text)
        if not block.kind:
            return
        document = json.loads(block.text)
        schema = SCHEMAS / f"{block.kind}.json"
        if not schema.is_file():
            raise Fault(f"there is no schema {schema.name}")
        if fault := Schema(schema).fault(document):
            raise Fault(fault)
        if block.kind == "config":
            self._run(sys.executable, "-c", f"import liter_llm; liter_llm.Client({block.text!r})")
        elif block.kind == "request":
            call = f"liter_llm.Client().chat({block.text.encode()!r})"
            self._run(sys.executable, "-c", f"import liter_llm; {call}")

    def _run(self, *words: str) -> None:
        self._snippets.run(*words)


def parse(text: str) -> None:
    """Raises a Fault where a text is neither a JSON document nor one a line."""
    try:
        json.loads(text)
    except ValueError as error:
        try:
            for line in text.splitlines():
                json.loads(line)
        except ValueError:
            raise Fault(str(error)) from None


def command(words: list[str]) -> None:
    """Raises a Fault where a command of a `sh` block cannot work."""
    name, *rest = words
    if name not in COMMANDS and not name.startswith("./"):
        raise Fault(f"{name} is not among the commands that are checked")
    if name == "make":
        tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        for task in rest:
            if "=" not in task and task not in tasks:
                raise Fault(f"make has no task {task}")
        return
    for flag, package in pairwise(rest):
        if name == "cargo" and flag == "-p":
            manifests = ROOT.glob("*/Cargo.toml"), ROOT.glob("*/*/Cargo.toml")
            texts = [path.read_text(encoding="utf-8") for paths in manifests for path in paths]
            if not any(f'name = "{package}"' in text for text in texts):
                raise Fault(f"there is no package {package}")
    for word in rest:
        ours = re.match(r"(scripts|core|bindings|fuzz|python|go|simulator|include|docs)/", word)
        if ours and not (ROOT / word).exists():
            raise Fault(f"there is no {word}")


if __name__ == "__main__":
    sys.exit(main())
