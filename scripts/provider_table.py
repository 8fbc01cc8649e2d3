"""Writes the tables of providers and of regions in docs/providers.md from the registry.

The registry is `core/src/provider/registry.rs`, and `regions.rs` beside it.
`python3 scripts/provider_table.py` rewrites the tables, and the number of providers in the README;
with `--check` it fails where they are not what the registry says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = ROOT / "core" / "src" / "provider" / "registry.rs"
REGIONS = ROOT / "core" / "src" / "provider" / "regions.rs"
TABLE = ROOT / "docs" / "providers.md"
README = ROOT / "README.md"
MARKS = ("<!-- providers:begin -->", "<!-- providers:end -->")
REGION_MARKS = ("<!-- regions:begin -->", "<!-- regions:end -->")
COUNT = ("<!-- providers:count -->", "<!-- /providers:count -->")

TEXT = r'"([^"]*)"'
OPENAI_ROW = re.compile(
    rf'openai_row\(\s*"(\w+)",\s*openai::\w+,\s*{TEXT},\s*{TEXT},\s*{TEXT},?\s*\)'
)
ACCOUNT_ROW = re.compile(rf'account_row\(\s*"(\w+)",\s*openai::\w+,\s*{TEXT},\s*{TEXT},?\s*\)')
OTHER_ROW = re.compile(
    rf'Row \{{\s*name: "(\w+)",\s*format: Format::(\w+)(?:\([\w:]+\))?,\s*base_url: {TEXT},'
    rf"\s*base_url_like:\s*{TEXT},\s*base_url_env: {TEXT},\s*key_env: {TEXT},\s*\}}"
)
CHAT_COMPLETIONS = "OpenAI chat completions"
FORMATS = {
    "Anthropic": "Anthropic messages",
    "Bedrock": "Amazon Bedrock Converse",
    "Cohere": "Cohere v2 chat",
    "Gemini": "Google generateContent",
    "Ollama": "Ollama chat, or OpenAI chat completions under `/v1`",
    "Embeddings": "OpenAI embeddings",
    "OpenAi": CHAT_COMPLETIONS,
    "Vertex": "that of the model's publisher",
}

# A row of the table of regions: name, how the region is chosen, what it is chosen from, source.
REGION_ROW = re.compile(
    r'\(\s*"(\w+)",\s*Regions::(\w+)(?:\(\s*&\[(.*?)\]\s*,?\s*\))?,\s*"([^"]+)",?\s*\)', re.DOTALL
)
# How the region of a cloud is named, and what follows from it.
CLOUDS = {
    "bedrock": ("a region of AWS, such as `eu-central-1`", "the host, and the signatures"),
    "vertex": ("a location, such as `europe-west4`, `eu` or `global`", "the host, and the path"),
}

# Name, wire format, where, key.
Row = tuple[str, str, str, str]


def where(url: str, like: str, variable: str) -> str:
    """Where a provider is."""
    if "REGION" in like:
        return f"`{like}`, with your `region` or `AWS_REGION`; or `{variable}`"
    if "PROJECT" in like:
        names = "`GOOGLE_CLOUD_PROJECT`, `GOOGLE_CLOUD_LOCATION`"
        return f"`{like}`, with your `project` and `location`, or {names}"
    if "RESOURCE" in like:
        return f"`{like}`, with your `resource`; or `{variable}`"
    if like:
        return f"your `base_url`, such as `{like}`"
    return f"`{url}`" + (f" or `{variable}`" if variable else "")


def key_of(variable: str, like: str) -> str:
    """Where the key comes from; a kind without a base URL has what is configured."""
    if variable:
        return f"`{variable}`"
    return "your `api_key`" if like else "none"


def rows() -> list[Row]:
    """The rows, in the registry's order."""
    text = REGISTRY.read_text(encoding="utf-8").partition("pub static ROWS")[2]
    found: list[tuple[int, Row]] = []

    def add(match: re.Match[str], form: str, url: str, like: str, url_env: str, key: str) -> None:
        row = (match[1], form, where(url, like, url_env), key_of(key, like))
        found.append((match.start(), row))

    for match in OPENAI_ROW.finditer(text):
        add(match, CHAT_COMPLETIONS, match[2], "", match[3], match[4])
    for match in ACCOUNT_ROW.finditer(text):
        add(match, CHAT_COMPLETIONS, "", match[2], "", match[3])
    for match in OTHER_ROW.finditer(text):
        add(match, FORMATS[match[2]], match[3], match[4], match[5], match[6])
    if len(found) != text.count("_row(") + text.count("Row {"):
        raise SystemExit(f"{REGISTRY} has rows that this script cannot read")
    return [row for _, row in sorted(found)]


def table(all_rows: list[Row]) -> str:
    """The table."""
    lines = ["| name | wire format | where | key |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {form} | {place} | {key} |" for name, form, place, key in all_rows]
    return "\n".join(lines)


def region_table() -> str:
    """The table of regions."""
    text = REGIONS.read_text(encoding="utf-8").partition("const TABLE:")[2].partition("\n];")[0]
    lines = ["| name | region | what it decides | source |", "|---|---|---|---|"]
    for name, how, inside, source in REGION_ROW.findall(text):
        words = ", ".join(f"`{word}`" for word in re.findall(r'"([\w-]+)"', inside))
        hosts = re.findall(r'"https://([^/"]+)', inside)
        if how == "Hosts":
            choice, effect = words, "the host: " + ", ".join(f"`{host}`" for host in hosts)
        elif how == "Member":
            choice, effect = words, "`inference_geo` of a chat's body"
        else:
            choice, effect = CLOUDS[name]
        lines.append(f"| `{name}` | {choice} | {effect} | {source} |")
    if len(lines) - 2 != text.count("Regions::"):
        raise SystemExit(f"{REGIONS} has rows that this script cannot read")
    return "\n".join(lines)


def update(page: Path, marks: tuple[str, str], new: str, check: bool) -> bool:
    """Writes the text between two marks of a page; whether it was there already."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(marks[0])
    old, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise SystemExit(f"{page.name} lacks {' and '.join(marks)}")
    if old != new and not check:
        page.write_text(before + begin + new + end + after, encoding="utf-8")
    return old == new


def main() -> int:
    """Writes or checks; the exit code."""
    check = "--check" in sys.argv[1:]
    all_rows = rows()
    # `compatible` is any server, so it is no provider of its own.
    count = sum(name != "compatible" for name, *_ in all_rows)
    same = update(TABLE, MARKS, f"\n{table(all_rows)}\n", check)
    same = update(TABLE, REGION_MARKS, f"\n{region_table()}\n", check) and same
    same = update(README, COUNT, str(count), check) and same
    if same or not check:
        return 0
    print("the tables of providers are not the registry's: python3 scripts/provider_table.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
