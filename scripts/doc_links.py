"""Links between documents: every one has to lead to a file, and to a heading where it names one.

A page that a registry shows has no neighbours there, so its links are whole URLs. Those into the
repository are followed too, in this checkout.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from simulator import ROOT

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]*`")
REPOSITORY = "https://github.com/liter-llm/liter-llm"
OWN = re.compile(re.escape(REPOSITORY) + r"(?:/(?:blob|tree)/main/([^#]*))?(?=#|$)")
ALONE = {ROOT / package / "README.md" for package in ("python", "node", "go")}


def broken_links(files: list[Path]) -> tuple[int, list[str]]:
    """How many links there are, and what is wrong with those that lead nowhere."""
    count, broken = 0, []
    for path in files:
        for number, line in prose(path):
            for target in LINK.findall(CODE.sub("", line)):
                own = OWN.match(target)
                if not own and re.match(r"[a-z]+:", target):
                    continue
                count += 1
                name, _, heading = target.partition("#")
                leads = (path.parent / name).resolve() if name else path
                if own:
                    leads = ROOT / (own[1] or "README.md")
                place = f"{path.relative_to(ROOT)}:{number}: {target}"
                if name and not own and path in ALONE:
                    broken.append(f"{place}: a registry shows this page: {REPOSITORY}/blob/main/…")
                elif not leads.exists():
                    broken.append(f"{place}: there is no such file")
                elif heading and heading not in headings(leads):
                    broken.append(f"{place}: there is no such heading")
    return count, broken


def prose(path: Path) -> list[tuple[int, str]]:
    """The lines outside fenced blocks, with their numbers."""
    lines, inside = [], False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"\s*(```|~~~)", line):
            inside = not inside
        elif not inside:
            lines.append((number, line))
    return lines


@cache
def headings(path: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    found = set()
    for _, line in prose(path):
        if heading := re.match(r"#+\s+(.*?)\s*#*$", line):
            words = re.sub(r"[^\w\- ]", "", heading[1].lower())
            found.add(words.replace(" ", "-"))
    return found
