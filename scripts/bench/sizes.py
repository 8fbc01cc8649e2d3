"""Import time over bare Python, and the size of what is shipped."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from .programs import ADDON, ARCHIVE
from .report import Fact
from .simulator import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

MIB = 1 << 20
LIBRARY = ROOT / "target" / "release" / "libliter_llm.so"


def _wall(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - start) * 1e3


def import_time(rounds: int) -> list[Fact]:
    """Milliseconds of wall time that `import liter_llm` adds, by alternating starts."""
    pairs = [(_wall(""), _wall("import liter_llm")) for _ in range(rounds)]
    added = median(after - before for before, after in pairs)
    bare = median(before for before, _ in pairs)
    # The modules' own times: of a start that waits for nothing but the import itself.
    traced = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import liter_llm"],
        check=True,
        stderr=subprocess.PIPE,
        text=True,
    ).stderr
    own = next(line for line in reversed(traced.splitlines()) if line.endswith(" liter_llm"))
    traced_ms = int(own.split("|")[1]) / 1e3
    shown = f"{added:.1f} ms over {bare:.1f} ms (`-X importtime`: {traced_ms:.1f} ms)"
    return [Fact("`import liter_llm`", added, shown, 40, "≤ 40 ms")]


def sizes(languages: Sequence[str]) -> list[Fact]:
    """The stripped shared library, and what each language ships around the engine."""
    facts = [_size("Stripped library", LIBRARY, 6)]
    if "python" in languages:
        facts += _wheel()
    if "node" in languages and ADDON.is_file():
        facts.append(_size("Node addon, with the engine", ADDON))
        packed = sorted((ROOT / "dist").glob("liter-llm-node-linux-*.tgz"))
        facts += [_size(f"npm package `{tarball.name}`", tarball) for tarball in packed]
    if "go" in languages and ARCHIVE.is_file():
        facts.append(_size("Go's static archive", ARCHIVE))
    return facts


def _size(what: str, path: Path, target: float | None = None) -> Fact:
    size = path.stat().st_size / MIB
    return Fact(what, size, f"{size:.2f} MiB", target, f"≤ {target} MiB" if target else "")


def _wheel() -> list[Fact]:
    with tempfile.TemporaryDirectory() as folder:
        built = subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
            cwd=ROOT / "python",
            env={**os.environ, "LITER_LLM_LIB": str(LIBRARY)},
            capture_output=True,
            check=False,
        )
        if built.returncode:
            print("no wheel: hatchling is not installed or failed", file=sys.stderr)
        return [_size("Wheel", wheel) for wheel in Path(folder).glob("*.whl")]
