"""Holds every place that says the version against the workspace's, in Cargo.toml.

python3 scripts/check_version.py [TAG]      with a tag (v1.2.3): it says the same, and the
                                            changelog has a heading for it
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable

from release.target import ROOT, version

# A file, and how its version is found in its text. The C package takes its from Cargo.toml.
PLACES: dict[str, Callable[[str], str | None]] = {
    "python/src/liter_llm/__init__.py": lambda text: first(r'^__version__ = "(.+)"$', text),
}
# The addons' packages are asked for by their exact version.
PLACES["node/package.json: optionalDependencies"] = lambda text: only(
    json.loads(text)["optionalDependencies"].values()
)
for manifest in ("package.json", "package-lock.json", "platforms/linux-x64-gnu/package.json"):
    PLACES[f"node/{manifest}"] = lambda text: json.loads(text)["version"]
for member in ("core", "bindings/c", "simulator"):
    PLACES[f"{member}/Cargo.toml"] = lambda text: (
        version() if re.search(r"^version\.workspace = true$", text, re.MULTILINE) else None
    )


def main() -> int:
    """Checks and prints; the exit code."""
    wanted = version()
    said = {
        place: find((ROOT / place.split(":")[0]).read_text(encoding="utf-8"))
        for place, find in PLACES.items()
    }
    faults = [
        f"{place} says {found}, Cargo.toml {wanted}"
        for place, found in said.items()
        if found != wanted
    ]
    if len(sys.argv) > 1:
        if sys.argv[1] != f"v{wanted}":
            faults.append(f"the tag is {sys.argv[1]}, the version {wanted}")
        changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        if not re.search(rf"^## \[{re.escape(wanted)}\]", changelog, re.MULTILINE):
            faults.append(f"CHANGELOG.md has no heading for {wanted}")
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"version {wanted} in {len(said) + 1} places")
    return 1 if faults else 0


def first(pattern: str, text: str) -> str | None:
    """What the pattern's group finds."""
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else None


def only(values: Iterable[str]) -> str:
    """The one value that there is; else all of them."""
    return " and ".join(sorted(set(values)))


if __name__ == "__main__":
    sys.exit(main())
