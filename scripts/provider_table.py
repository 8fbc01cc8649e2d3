"""Writes the README's table of providers from the registry, `core/src/provider/registry.rs`.

`python3 scripts/provider_table.py` rewrites it; with `--check` it fails where the table is not what
the registry says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = ROOT / "core" / "src" / "provider" / "registry.rs"
README = ROOT / "README.md"
MARKS = ("<!-- providers:begin -->", "<!-- providers:end -->")

OPENAI_ROW = re.compile(
    r'openai_row\(\s*"(\w+)",\s*openai::\w+,\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)",?\s*\)'
)
OTHER_ROW = re.compile(
    r'Row \{\s*name: "(\w+)",\s*format: Format::(\w+)(?:\([\w:]+\))?,\s*base_url: "([^"]*)",'
    r'\s*base_url_env: "([^"]*)",\s*key_env: "([^"]*)",\s*\}'
)
FORMATS = {
    "Anthropic": "Anthropic messages",
    "Cohere": "Cohere v2 chat",
    "Gemini": "Google generateContent",
}


def rows() -> list[tuple[str, str, str, str, str]]:
    """Name, wire format, base URL, its variable and the key's variable, in the registry's order."""
    text = REGISTRY.read_text(encoding="utf-8").partition("pub static ROWS")[2]
    found = [
        (match.start(), (match[1], "OpenAI chat completions", match[2], match[3], match[4]))
        for match in OPENAI_ROW.finditer(text)
    ]
    for match in OTHER_ROW.finditer(text):
        row = (match[1], FORMATS[match[2]], match[3], match[4], match[5])
        found.append((match.start(), row))
    if len(found) != text.count("openai_row(") + text.count("Row {"):
        raise SystemExit(f"{REGISTRY} has rows that this script cannot read")
    return [row for _, row in sorted(found)]


def key_of(variable: str, url: str) -> str:
    """Where the key comes from; a kind without a base URL has what is configured."""
    if variable:
        return f"`{variable}`"
    return "none" if url else "your `api_key`"


def table() -> str:
    """The table."""
    lines = ["| name | wire format | where | key |", "|---|---|---|---|"]
    for name, form, url, url_variable, key in rows():
        where = f"`{url}`" if url else "your `base_url`"
        if url_variable:
            where += f" or `{url_variable}`"
        lines.append(f"| `{name}` | {form} | {where} | {key_of(key, url)} |")
    return "\n".join(lines)


def main() -> int:
    """Writes or checks; the exit code."""
    text = README.read_text(encoding="utf-8")
    before, begin, rest = text.partition(MARKS[0])
    old, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise SystemExit(f"README.md lacks {' and '.join(MARKS)}")
    new = f"\n{table()}\n"
    if "--check" not in sys.argv[1:]:
        README.write_text(before + begin + new + end + after, encoding="utf-8")
        return 0
    if old == new:
        return 0
    print("README.md's providers are not the registry's: python3 scripts/provider_table.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
