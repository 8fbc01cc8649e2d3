"""Makes a static library that can be linked into any program out of the one that rustc makes.

    python3 scripts/static_archive.py target/release/libliter_llm.a OUTPUT.a

rustc's archive holds the standard library with global names (`rust_eh_personality`, the allocator's
and the compiler's built-ins): a program that links a second Rust archive, in C or through cgo,
defines them twice. Here everything becomes one object in which only the header's functions are
global, and what they do not reach is left out. It keeps its unwind tables, so panics are still
caught.

Needs GNU binutils: LD, OBJCOPY, READELF, NM and AR name others.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "include" / "liter_llm.h"

# rustc gives each function a section of its own; their 15,000 headers, names and relocations are a
# quarter of the file, and of no use once what is not needed has been left out.
JOINED = (
    ".text",
    ".rodata",
    ".gcc_except_table",
    ".data.rel.ro",
    ".data",
    ".bss",
    ".tdata",
    ".tbss",
)


def main() -> int:
    """Writes the archive and says its size; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("input", type=Path, help="rustc's static library")
    parser.add_argument("output", type=Path, help="the archive to write")
    arguments = parser.parse_args()
    if not arguments.input.is_file():
        print(f"{arguments.input} is missing: run `make build`", file=sys.stderr)
        return 2
    names = functions(HEADER)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="liter-llm-archive-") as folder:
        archive = localised(arguments.input, names, Path(folder))
        found = global_symbols(archive)
        if found != names:
            missing, extra = sorted(names - found), sorted(found - names)
            print(f"{arguments.input}: missing {missing}, also global {extra}", file=sys.stderr)
            return 1
        # In one step: who links at this moment sees the old archive or the new one.
        staged = arguments.output.with_suffix(".new")
        staged.write_bytes(archive.read_bytes())
        staged.replace(arguments.output)
    before, after = arguments.input.stat().st_size, arguments.output.stat().st_size
    print(
        f"{arguments.output}: {len(names)} functions, {after / (1 << 20):.1f} MiB"
        f" (of {before / (1 << 20):.1f} MiB)"
    )
    return 0


def localised(source: Path, names: set[str], folder: Path) -> Path:
    """The archive, in `folder`, with one object of which only `names` are global."""
    needed, whole = folder / "needed.o", folder / "whole.o"
    part, archive = folder / "liter_llm.o", folder / "out.a"
    wanted = [word for name in sorted(names) for word in ("-u", name)]
    # Section groups are resolved here: a linker would drop one whose twin it has seen elsewhere.
    groups = ["--gc-sections", "--force-group-allocation"]
    run("LD", "ld", "-r", *groups, *wanted, "-o", str(needed), str(source))
    script = folder / "join.ld"
    joined = "".join(f"{name} 0 : {{ *({name} {name}.*) }}\n" for name in JOINED)
    script.write_text(f"SECTIONS {{\n{joined}}}\n", encoding="utf-8")
    run("LD", "ld", "-r", "-T", str(script), "-o", str(whole), str(needed))
    keep, dropped = folder / "keep", folder / "dropped"
    keep.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
    # What only left-out sections referred to is still listed, and objcopy would make it a reference
    # that must be met: a program whose other archives refer to it weakly (`pidfd_spawnp`, where
    # glibc is older) would no longer link.
    symbols = run("READELF", "readelf", "-s", "-W", str(needed)).splitlines()
    rows = [line.split() for line in symbols if " LOCAL  DEFAULT  UND " in line]
    # The table's first entry is one, without a name. objcopy refuses an empty list: this name is no
    # symbol's.
    listed = ["-", *(row[7] for row in rows if len(row) > 7)]
    dropped.write_text("".join(f"{name}\n" for name in listed), encoding="utf-8")
    # The two sections are LLVM's own representation: large, and of no use to a linker.
    sections = ["-R", ".llvmbc", "-R", ".llvmcmd", "--strip-debug"]
    lists = [f"--strip-symbols={dropped}", f"--keep-global-symbols={keep}"]
    run("OBJCOPY", "objcopy", *sections, *lists, str(whole), str(part))
    # D: no times and no owners, so that the same input makes the same file.
    run("AR", "ar", "rcsD", str(archive), str(part))
    return archive


def functions(header: Path) -> set[str]:
    """The functions that the header declares."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"\b(liter_llm_\w+)\s*\(", text))


def global_symbols(archive: Path) -> set[str]:
    """Every symbol that the archive defines for others."""
    lines = run("NM", "nm", "-g", "--defined-only", str(archive)).splitlines()
    return {words[2] for line in lines if len(words := line.split()) == 3}


def run(variable: str, tool: str, *arguments: str) -> str:
    """What a tool of binutils prints."""
    command = [os.environ.get(variable, tool), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
