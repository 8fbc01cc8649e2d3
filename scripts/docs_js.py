"""Type-checks the `js` blocks of documents: `tsc --strict` has to take them as users write them.

Each block is a module of its own. One that imports nothing has the imports of an earlier block of
its page, as when it runs. All are checked in one go, because the compiler takes long to start.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from simulator import ROOT

NODE = ROOT / "node"
COMPILER = NODE / "node_modules" / "typescript" / "bin" / "tsc"
IMPORT = re.compile(r"^import .*\n", re.MULTILINE)
FAULT = re.compile(r"block(\d+)\.mjs\((\d+),\d+\): (.*)")


class Block(Protocol):
    """A fenced block of a document."""

    path: Path
    line: int
    language: str
    text: str


def modules(blocks: Iterable[Block]) -> list[tuple[Block, str]]:
    """The `js` blocks, each with the imports that come in front of it."""
    found: list[tuple[Block, str]] = []
    imports: dict[Path, str] = {}
    for block in blocks:
        if block.language == "js":
            own = "".join(IMPORT.findall(block.text))
            found.append((block, "" if own else imports.get(block.path, "")))
            imports[block.path] = own or imports.get(block.path, "")
    return found


def js_faults(blocks: Iterable[Block]) -> list[str]:
    """What the compiler finds, as `docs/page.md:12: js: message`."""
    checked = modules(blocks)
    if not checked:
        return []
    if not COMPILER.is_file():
        return [f"{COMPILER} is missing: run `make node-addon`"]
    with tempfile.TemporaryDirectory(prefix="liter-llm-js-") as folder:
        said = compiled(Path(folder), [before + block.text for block, before in checked])
    return [described(line, checked) for line in said.splitlines() if not line.startswith(" ")]


def compiled(folder: Path, texts: list[str]) -> str:
    """What the compiler says of these modules, with the options of the Node package."""
    packages = folder / "node_modules"
    (packages / "@liter-llm").mkdir(parents=True)
    (packages / "@liter-llm" / "node").symlink_to(NODE)
    for package in (NODE / "node_modules").iterdir():
        if package.name != "@liter-llm":
            (packages / package.name).symlink_to(package)
    for number, text in enumerate(texts):
        (folder / f"block{number}.mjs").write_text(text, encoding="utf-8")
    # A block shows something, and need not use it.
    options = {"noUnusedLocals": False, "skipLibCheck": True}
    config = {
        "extends": str(NODE / "tsconfig.json"),
        "compilerOptions": options,
        "include": ["*.mjs"],
    }
    (folder / "tsconfig.json").write_text(json.dumps(config), encoding="utf-8")
    words = ["node", str(COMPILER), "--project", str(folder), "--pretty", "false"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not done.stdout.strip():
        return f"tsc ended with {done.returncode}: {done.stderr.strip()}"
    return done.stdout


def described(line: str, checked: list[tuple[Block, str]]) -> str:
    """A line of the compiler, with the place in the document."""
    found = FAULT.match(line)
    if found is None:
        return line
    block, before = checked[int(found[1])]
    number = block.line + int(found[2]) - before.count("\n")
    return f"{block.path.relative_to(ROOT)}:{number}: js: {found[3]}"
