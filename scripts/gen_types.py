"""Writes the packages' types, and Go's readers and writers, from bindings/conformance/schemas.

`python3 scripts/gen_types.py` writes them; with `--check` it fails where a file is not what the
schemas say. A new operation's schemas are found by themselves; `typegen/names.py` has what differs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from typegen import go, node, python
from typegen.documents import Documents, load
from typegen.tree import SchemaError

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "bindings" / "conformance" / "schemas"


def formatted(path: str, text: str) -> str | None:
    """The text as the language's formatter has it; None where that is not on this machine."""
    if path.endswith(".go"):
        command = [shutil.which("gofmt") or "", "-s"]
    elif path.endswith(".py"):
        ruff = ROOT / ".venv" / "bin" / "ruff"
        found = str(ruff) if ruff.exists() else shutil.which("ruff")
        command = [found or "", "format", "-", "--stdin-filename", path]
    else:
        return text
    if not command[0]:
        return None
    done = subprocess.run(
        command, input=text, cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode != 0:
        raise SystemExit(f"{path}: {done.stderr}")
    return done.stdout


def written(documents: Documents) -> dict[str, str]:
    """Each file's text, before it is formatted."""
    texts = {
        "python/src/liter_llm/_names.py": python.names(documents),
        "python/src/liter_llm/_types.py": python.types(documents),
        "python/src/liter_llm/_models.py": python.models(documents),
        "node/documents.d.ts": node.documents(documents),
        "node/settings.d.ts": node.settings(documents),
    }
    return texts | {f"go/{name}": text for name, text in go.files(documents).items()}


def main() -> int:
    """Writes or checks; the exit code."""
    check = "--check" in sys.argv[1:]
    try:
        documents = load(SCHEMAS)
    except SchemaError as error:
        print(f"{SCHEMAS.relative_to(ROOT)}: {error}")
        return 1
    stale = []
    for path, text in written(documents).items():
        wanted = formatted(path, text)
        if wanted is None:
            print(f"{path} is passed over: its formatter is not on this machine")
            continue
        file = ROOT / path
        if file.exists() and file.read_text(encoding="utf-8") == wanted:
            continue
        if check:
            stale.append(path)
        else:
            file.write_text(wanted, encoding="utf-8")
    for path in stale:
        print(f"{path} is not what the schemas say: make types-gen")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
