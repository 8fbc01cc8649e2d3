"""Holds the release library against its promises: exports, size, and what it needs of the system.

    python3 scripts/check_symbols.py [LIBRARY]      default: target/release/libliter_llm.so

It fails where a symbol is exported that the header does not declare, or the other way round, where
the file is larger than the limit, or where it needs a shared library that not every system has. The
glibc version that it asks for is that of the machine which built it, and is only printed;
check_dist.py holds that of packages.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from simulator import ROOT, TARGET

HEADER = ROOT / "include" / "liter_llm.h"
# What prices, the cache and Redis need counts, too; 7.5 MiB is the end of it.
LIMIT = 30 << 18

# Of glibc and the compiler's runtime: on every Linux that has glibc.
SYSTEM = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2"}
LOADER = re.compile(r"ld-linux.*\.so\.\d+")


def main() -> int:
    """Checks and prints; the exit code."""
    library = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET / "release" / "libliter_llm.so"
    if not library.is_file():
        print(f"{library} is missing: run `make build`", file=sys.stderr)
        return 2
    declared = functions(HEADER)
    print(
        f"{library.name}: {len(declared)} functions, {library.stat().st_size / (1 << 20):.2f} MiB,"
    )
    print(f"needs {', '.join(sorted(needed(library)))}; glibc {dotted(glibc(library))} or newer")
    found = faults(library, declared, LIMIT)
    for fault in found:
        print(f"{library.name}: {fault}", file=sys.stderr)
    return 1 if found else 0


def faults(library: Path, declared: set[str], limit: int) -> list[str]:
    """What is wrong with a shared object that is to export `declared` within `limit` bytes."""
    exported = exports(library)
    found = [f"exported, but not declared: {name}" for name in sorted(exported - declared)]
    found += [f"declared, but not exported: {name}" for name in sorted(declared - exported)]
    size = library.stat().st_size
    if size > limit:
        found.append(f"{size} bytes are more than the limit of {limit}")
    strange = sorted(name for name in needed(library) - SYSTEM if not LOADER.fullmatch(name))
    found += [f"needs {name}" for name in strange]
    if ".symtab" in output("readelf", "-S", "-W", str(library)):
        found.append("is not stripped")
    return found


def output(*command: str) -> str:
    """What a tool of binutils prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def functions(header: Path) -> set[str]:
    """The functions that the header declares."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"\b(liter_llm_\w+)\s*\(", text))


def exports(library: Path) -> set[str]:
    """Every symbol that the library offers."""
    lines = output("nm", "-D", "--defined-only", str(library)).splitlines()
    return {line.split()[2].split("@")[0] for line in lines}


def needed(library: Path) -> set[str]:
    """The shared libraries that it is loaded with."""
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "-d", str(library))))


def glibc(library: Path) -> tuple[int, ...]:
    """The oldest glibc that has every version which the file's table of needs names."""
    names = re.findall(r"Name: GLIBC_(\S+)", output("readelf", "-V", "-W", str(library)))
    # Names that are no number (ABI_DT_RELR, PRIVATE) bind to a newer or to one single glibc.
    return max(
        tuple(map(int, name.split("."))) if re.fullmatch(r"[\d.]+", name) else (999,)
        for name in names
    )


def dotted(version: tuple[int, ...]) -> str:
    """(2, 17) as 2.17."""
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main())
