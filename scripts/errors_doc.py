"""Writes docs/errors.md from bindings/conformance/errors.json, the one table of errors.

`python3 scripts/errors_doc.py` rewrites it; with `--check` it fails where the file is not what
the table says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "bindings" / "conformance" / "errors.json"
PAGE = ROOT / "docs" / "errors.md"

HEAD = """\
<!-- Written by scripts/errors_doc.py from bindings/conformance/errors.json. Do not edit. -->
# Errors

A failed request gives an error document. It is the same in every language:

```json
{"error": {"kind": "rate_limit", "message": "…", "provider": "openai", "model": "gpt-4o-mini",
           "status": 429, "code": "rate_limit_exceeded", "retryable": true,
           "retry_after_ms": 2000, "request_id": "req_…"}}
```

| member | meaning |
|---|---|
| `kind` | one of the sixteen kinds below; a program decides by it |
| `message` | what happened and what to do, for people. Its words may change |
| `provider`, `model` | the provider and the model that were asked |
| `status` | the provider's HTTP status; absent if no answer came |
| `code` | the provider's own code or type, unchanged |
| `retryable` | whether the same request may succeed later |
| `retry_after_ms` | how long the provider asked to wait |
| `request_id` | the provider's id of the request, for its support |
| `param` | the member of the request that is wrong |
| `partial` | `{"text"}`: the text of a stream that had arrived when it broke |
| `ratelimit` | the rate-limit headers of the answer, unchanged |
| `provider_error` | the provider's own error, as JSON or text; at most 64 KiB, without the key |
| `attempts` | one entry for each attempt: `target`, `status`, `kind`, `message`, `ms` |

The list of kinds is closed. Two failures have different kinds only if a caller would handle them
differently. `code` and `status` tell the rest.

| number | kind | retryable | meaning | what to do |
|---|---|---|---|---|
"""

NAMES = """
## Names in each language

| kind | Python | its bases | Node | Go |
|---|---|---|---|---|
"""


def page(table: list[dict[str, Any]]) -> str:
    """The whole page."""
    text = HEAD
    for row in table:
        retry = "yes" if row["retryable"] else "no"
        text += f"| {row['number']} | `{row['kind']}` | {retry} "
        text += f"| {row['meaning']} | {row['do']} |\n"
    text += NAMES
    for row in table:
        python = row["python"]
        bases = ", ".join(f"`{base}`" for base in python["bases"])
        text += f"| `{row['kind']}` | `{python['class']}` | {bases} "
        text += f"| `{row['node']}` | `{row['go']}` |\n"
    return text


def main() -> int:
    """Writes or checks; the exit code."""
    wanted = page(json.loads(TABLE.read_text(encoding="utf-8")))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not what {TABLE.name} says: python3 scripts/errors_doc.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
