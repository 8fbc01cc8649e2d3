"""What each cargo feature adds to the stripped library, and the limit of the lean one.

    python3 scripts/features.py [FEATURE …]     a table of the sets; default: each feature
    python3 scripts/features.py --check         holds the lean library to its promises

The lean library has no feature. It has the formats of OpenAI's chat completions, Anthropic and
Cohere, and of the servers that speak the first one. It is built for size (profile `lean` of
Cargo.toml), into target/lean. The sizes of the table are those of a package's own profile, release.
A feature's size is what the library loses without it, and without the features that need it. Each
set takes minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterable

from check_symbols import HEADER, faults, functions
from simulator import ROOT, TARGET

LIMIT = int(4.4 * (1 << 20))
CARGO = ("cargo", "--locked", "build", "--quiet", "-p", "liter-llm-c", "--lib")
LIBRARY = "libliter_llm.so"
# Not `target/release`: the tests take their library from there.
SETS = TARGET / "features"


def main() -> int:
    """Builds, and prints or checks; the exit code."""
    if sys.argv[1:] == ["--check"]:
        return check()
    known = features()
    chosen = sys.argv[1:] or sorted(known.keys() - {"default", "schema"})
    if strange := set(chosen) - known.keys():
        print(f"no such feature: {', '.join(sorted(strange))}", file=sys.stderr)
        return 2
    whole = set(known["default"])
    full = size("release", whole)
    print(f"{'every feature':<44} {mib(full)}", flush=True)
    for feature in chosen:
        left = {name for name in whole if feature not in closure(name, known)}
        gone = ", ".join([feature, *sorted(whole - left - {feature})])
        print(f"{gone:<44} {(full - size('release', left)) / 1024:6.0f} KiB", flush=True)
    print(f"{'none of them':<44} {mib(size('release', ()))}", flush=True)
    print(f"{'none of them, built for size':<44} {mib(size('lean', ()))}")
    return 0


def check() -> int:
    """Holds the lean library to its exports and its limit; the exit code."""
    print(f"lean {LIBRARY}: {mib(size('lean', ()))} of at most {mib(LIMIT)}")
    library = TARGET / "lean" / LIBRARY
    found = faults(library, functions(HEADER), LIMIT)
    for fault in found:
        print(f"{library}: {fault}", file=sys.stderr)
    return 1 if found else 0


def features() -> dict[str, list[str]]:
    """The features of core, each with what it turns on."""
    manifest = (ROOT / "core" / "Cargo.toml").read_text(encoding="utf-8")
    return tomllib.loads(manifest)["features"]


def closure(feature: str, known: dict[str, list[str]]) -> set[str]:
    """A feature with those that it needs."""
    needed = [name for name in known[feature] if name in known]
    return {feature}.union(*(closure(name, known) for name in needed))


def size(profile: str, chosen: Iterable[str]) -> int:
    """The bytes of the stripped library with these features alone."""
    target = TARGET if profile == "lean" else SETS
    command = [*CARGO, "--profile", profile, "--target-dir", str(target)]
    command += ["--no-default-features", "--features", ",".join(sorted(chosen))]
    subprocess.run(command, cwd=ROOT, check=True)
    return (target / profile / LIBRARY).stat().st_size


def mib(size: int) -> str:
    """Bytes as MiB."""
    return f"{size / (1 << 20):.2f} MiB"


if __name__ == "__main__":
    sys.exit(main())
