"""Holds the release library against its promises: exports, size, and what it needs of the system.

    python3 scripts/check_symbols.py [LIBRARY]      default: target/release/libliter_llm.so

It fails where a symbol is exported that the header does not declare, or the other way round, where
the file is larger than the limit, or where it needs a shared library that not every system has. The
glibc version that it asks for is that of the machine which built it, and is only printed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from simulator import ROOT, TARGET

HEADER = ROOT / "include" / "liter_llm.h"
LIMIT = 6 << 20

# Of glibc and the compiler's runtime: on every Linux that has glibc.
SYSTEM = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2"}
LOADER = re.compile(r"ld-linux.*\.so\.\d+")


def main() -> int:
    """Checks and prints; the exit code."""
    library = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET / "release" / "libliter_llm.so"
    if not library.is_file():
        print(f"{library} is missing: run `make build`", file=sys.stderr)
        return 2
    faults: list[str] = []
    declared, exported = functions(HEADER), exports(library)
    faults += [f"exported, but not in the header: {name}" for name in sorted(exported - declared)]
    faults += [f"in the header, but not exported: {name}" for name in sorted(declared - exported)]
    size = library.stat().st_size
    if size > LIMIT:
        faults.append(f"{size} bytes are more than the limit of {LIMIT}")
    dynamic = output("readelf", "-d", str(library))
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
    strange = sorted(name for name in needed - SYSTEM if not LOADER.fullmatch(name))
    faults += [f"needs {name}" for name in strange]
    if ".symtab" in output("readelf", "-S", "-W", str(library)):
        faults.append("is not stripped")
    print(f"{library.name}: {len(exported)} functions, {size / (1 << 20):.2f} MiB stripped,")
    print(f"needs {', '.join(sorted(needed))}; glibc {glibc(library)} or newer")
    for fault in faults:
        print(f"{library.name}: {fault}", file=sys.stderr)
    return 1 if faults else 0


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


def glibc(library: Path) -> str:
    """The newest version of glibc that a symbol is taken from."""
    versions = re.findall(r"GLIBC_(\d+)\.(\d+)", output("objdump", "-T", str(library)))
    return ".".join(map(str, max((int(a), int(b)) for a, b in versions)))


if __name__ == "__main__":
    sys.exit(main())
