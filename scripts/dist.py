"""Makes the packages of a release in dist/, with their checksums.

    python3 scripts/dist.py [KIND …]      KIND: python, node, go, c; else all

dist/ is emptied first. The engine is built once for each target in $DIST_TARGETS (default: all that
are known) against an old glibc; every package holds that build. The same sources and tools make the
same bytes: times are the commit's, or $SOURCE_DATE_EPOCH. Run from .venv with
scripts/requirements-dist.txt: `make dist`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from release import c_package, go_package, library, npm_package, python_package
from release.files import fresh
from release.target import ROOT, chosen

KINDS = ("python", "node", "go", "c")


def main() -> int:
    """Makes them and lists them; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("kinds", nargs="*", default=KINDS, metavar="KIND")
    kinds = parser.parse_args().kinds
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"no kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    targets = chosen()
    output = fresh(ROOT / "dist")
    made: list[Path] = []
    engines = [library.build(target) for target in targets]
    if "python" in kinds:
        sdist = python_package.source(output)
        made += [sdist, *(python_package.wheel(engine, sdist, output) for engine in engines)]
    if "node" in kinds:
        made.append(npm_package.main_package(output))
        made += [npm_package.platform_package(engine, output) for engine in engines]
    if "go" in kinds:
        made.append(go_package.make(engines, output))
    if "c" in kinds:
        made += [c_package.make(engine, output) for engine in engines]
    checksums(output)
    for path in made:
        print(f"{path.stat().st_size / (1 << 20):8.2f} MiB  {path.relative_to(output)}")
    return 0


def checksums(output: Path) -> None:
    """SHA256SUMS of every file, in the form of sha256sum."""
    files = sorted(path for path in output.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(output)}\n"
        for path in files
    ]
    (output / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
