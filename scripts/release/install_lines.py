"""The install lines of the documents: what a user types, read from where a user reads it.

A block of commands behind `<!-- install:LANGUAGE -->` is run word by word, in an empty folder. The
lines take the clone of the repository to be at `../liter-llm`; beside the folder of a test there is
one of that name, with a dist/ (`Sandbox.install`). Nothing in the lines is replaced.
"""

from __future__ import annotations

import re

from .target import ROOT

PAGES = {"python": "python/README.md", "node": "node/README.md", "go": "go/README.md"}


def install_lines(language: str) -> str:
    """The commands. Raises AssertionError where the README and the package's page differ."""
    found = {name: block(name, language) for name in ("README.md", PAGES[language])}
    first, *others = found.values()
    if any(other != first for other in others):
        both = "\n".join(f"{name}:\n{text}" for name, text in found.items())
        raise AssertionError(f"the install lines are not the same\n{both}")
    return first


def block(name: str, language: str) -> str:
    """The block behind the mark in a page."""
    text = (ROOT / name).read_text(encoding="utf-8")
    mark = re.escape(f"<!-- install:{language} -->")
    blocks = re.findall(rf"^{mark}\n```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if len(blocks) != 1:
        raise AssertionError(f"{name} has {len(blocks)} blocks behind <!-- install:{language} -->")
    return blocks[0]
