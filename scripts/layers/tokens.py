"""Rust's text as tokens: comments gone, strings and characters whole, a line number with each."""

from __future__ import annotations

import re
from typing import NamedTuple

RAW = re.compile(r'(?:br|cr|r)(#*)"')
TOKEN = re.compile(
    r"""
    (?P<skip>\s+|//[^\n]*)
  | (?P<str>[bc]?"(?:[^"\\]|\\.)*")
  | (?P<char>b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])')
  | (?P<life>'\w+)
  | (?P<id>r\#[^\W\d]\w*|[^\W\d]\w*)
  | (?P<num>\d\w*)
  | (?P<op>::|\.\.[.=]?|.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """One token: `id`, `str`, `op`, or what no path is made of."""

    kind: str
    text: str
    line: int


# What stands behind the last token, so that a look ahead needs no test of its own.
END = Token("end", "", 0)


class RustError(Exception):
    """A text that is not Rust as far as this reader knows it."""


def tokens(text: str, line: int = 1) -> list[Token]:
    """The tokens of a text whose first line has this number."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        raw = RAW.match(text, at)
        if text.startswith("/*", at):
            end = comment_end(text, at, line)
        elif raw:
            close = text.find('"' + raw[1], raw.end())
            if close < 0:
                raise RustError(f"line {line}: a raw string has no end")
            end = close + 1 + len(raw[1])
            found.append(Token("str", text[raw.end() - 1 : close + 1], line))
        else:
            match = TOKEN.match(text, at)
            assert match is not None and match.lastgroup is not None
            end = match.end()
            if match.lastgroup != "skip":
                found.append(Token(match.lastgroup, match[0].removeprefix("r#"), line))
        line += text.count("\n", at, end)
        at = end
    return found


def comment_end(text: str, at: int, line: int) -> int:
    """Where a block comment ends: they nest."""
    depth = 0
    for edge in COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise RustError(f"line {line}: a comment has no end")
