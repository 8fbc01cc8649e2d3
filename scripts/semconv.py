"""Copies the table of the GenAI conventions into the packages: `python3 scripts/semconv.py`.

The table is bindings/conformance/semconv.json. With `--check` it fails where a copy is another one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "bindings" / "conformance" / "semconv.json"


def copies() -> dict[Path, str]:
    """The files, and what they have."""
    table = json.loads(TABLE.read_text())
    for name in ("about", "cases"):
        del table[name]
    document = json.dumps(table, indent=1) + "\n"
    python = (
        '"""The table of the GenAI conventions. scripts/semconv.py writes it."""\n\n'
        "import json\nfrom typing import Any\n\n"
        f'TABLE: Any = json.loads(r"""\n{document}""")\n'
    )
    return {
        ROOT / "python/src/liter_llm/_semconv.py": python,
        ROOT / "node/src/_semconv.json": document,
        ROOT / "go/otel/semconv.json": document,
    }


def main() -> int:
    """Writes or checks; the exit code."""
    wrong = [
        path for path, text in copies().items() if not path.exists() or path.read_text() != text
    ]
    if "--check" in sys.argv[1:]:
        for path in wrong:
            print(
                f"{path.relative_to(ROOT)} is out of date: python3 scripts/semconv.py",
                file=sys.stderr,
            )
        return 1 if wrong else 0
    for path in wrong:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(copies()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
