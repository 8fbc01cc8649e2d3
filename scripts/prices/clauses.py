"""Which names of models an entry is for.

`plain` runs where genai-prices is installed, and makes plain values of its clauses. `entry` makes
clauses of the table of them, and stops at a pattern that is none of the known forms.
"""

from __future__ import annotations

import re
from typing import Any

from .errors import InexpressibleError

# What a clause is called in genai-prices, and in the table.
NAMES = {"equals": "is", "starts_with": "starts", "ends_with": "ends", "contains": "has"}

# A name as a pattern spells it: letters, digits and a few signs, a dot behind a backslash.
NAME = r"\^((?:[a-z0-9/_-]|\\\.)+)"
# A name with a date behind it. The table takes any of these dates where the data has one of them.
DATED = re.compile(NAME + r"(?:-\\d\{8\}|\[-@\]\\d\{8\}|-\\d\{4\}-\\d\{2\}-\\d\{2\})\$")
# A name, a hyphen and a digit, whatever follows.
NUMBERED = re.compile(NAME + r"-\\d")
# The one look-ahead: no part of the name is "tts".
NO_SPEECH = r"^(?!.*-[tT][tT][sS](?:$|-))"


def plain(clause: Any) -> Any:
    """A clause of genai-prices as lists and texts."""
    for attribute, kind in (("or_", "any"), ("and_", "all")):
        if hasattr(clause, attribute):
            return {kind: [plain(one) for one in getattr(clause, attribute)]}
    (kind,) = vars(clause)
    return {kind: getattr(clause, kind)}


def entry(where: str, model: dict[str, Any]) -> list[Any]:
    """The clauses of a model's entry, of which one has to hold."""
    clause = model["match"]
    return [one(where, part) for part in clause.get("any", [clause])]


def one(where: str, clause: dict[str, Any]) -> dict[str, Any]:
    """One clause of the table."""
    ((kind, value),) = clause.items()
    if kind in ("any", "all"):
        return {kind: [one(where, part) for part in value]}
    if kind == "regex":
        return pattern(where, value)
    if kind not in NAMES:
        raise InexpressibleError(f"{where} has the clause {kind!r}")
    return {NAMES[kind]: value.lower()}


def pattern(where: str, regex: str) -> dict[str, str]:
    """A regular expression as a clause."""
    if found := DATED.fullmatch(regex):
        return {"dated": found[1].replace("\\", "")}
    if found := NUMBERED.fullmatch(regex):
        return {"numbered": found[1].replace("\\", "")}
    if regex == NO_SPEECH:
        return {"lacks": "tts"}
    raise InexpressibleError(f"{where} has the pattern {regex!r}")
