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
{"error": {"kind": "rate_limit", "message": "openai/gpt-4.1-mini: 429 rate limited, retry …",
           "reason": "Rate limit reached for …", "provider": "openai", "model": "gpt-4.1-mini",
           "status": 429, "code": "rate_limit_exceeded", "retryable": true,
           "retry_after_ms": 2000, "request_id": "req_…"}}
```

| member | meaning |
|---|---|
| `kind` | one of the sixteen kinds below; a program decides by it |
| `message` | who failed, how, how often, and why, in one line for people. Its words may change |
| `reason` | why: the provider's own words, or what the engine found; absent if `message` is that |
| `provider`, `model` | the provider and the model that were asked |
| `status` | the provider's HTTP status; absent if no answer came |
| `code` | the provider's own code or type, unchanged |
| `retryable` | whether the same request may succeed later |
| `retry_after_ms` | how long the provider asked to wait |
| `request_id` | the provider's id of the request, for its support |
| `param` | the member of the request that is wrong |
| `partial` | `{"text"}`: the text of a stream that had arrived when it broke. `inputs`: the inputs of `embed` that were done when a part of them failed |
| `ratelimit` | the rate-limit headers of the answer, unchanged |
| `provider_error` | the provider's own error, as JSON or text; at most 64 KiB, without the key |
| `attempts` | one entry for each attempt: `target`, `status`, `kind`, `message`, `ms` |

## The message

`str(error)` in Python, `error.message` in Node, `err.Error()` in Go and `message` in C's document
are the same text. It names the target, the status and the kind, the wait, the number of attempts,
the provider's id of the request, and the reason:

```text
openai/gpt-4.1-mini: 429 rate limited, retry after 2 s (3 attempts; request req_…): Slow down
```

- Further targets that failed follow, each with its last failure:
  `…; and mistral/small: 401 authentication failed: Unauthorized`.
- An error of the request or of the configuration names no target. It says which member is wrong.
- The reason of a 404, or of a page of HTML, ends with the URL that was asked, without its query. It
  says so if the base URL should probably end in `/v1`, or should not.
- A page of HTML gives its status, its title and the server's name, not its text.
- The name of an unknown provider or route is quoted, with the nearest known names. What looks like
  a key is not quoted.
- An error status whose text is cut keeps the status's kind.

In Python, `status_code` is another name of `status`; in Node, `statusCode` is.

## The kinds

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
