"""Holds the packages in dist/ against their promises, without installing them.

    python3 scripts/check_dist.py [FOLDER]

Each package is unpacked: the files that it must have are there and no others of the checkout's, and
every binary in it exports what it should, is small enough, needs a glibc no newer than its target's
and names no folder of the machine that built it. Every package holds the same engine.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from check_symbols import HEADER, LIMIT, dotted, faults, functions, glibc
from release import c_package, notices
from release.target import ROOT, Target, abi_version, chosen, version
from static_archive import global_symbols

# What a user downloads. Twice the library's own size compressed: more means that something came in
# twice, or that debugging information stayed.
MOST_PACKED = 4 << 20
# The C package and a Go module hold an archive too, whose code the linker has not thinned out.
MOST_PACKED_ARCHIVE = 6 << 20
MOST_ARCHIVE = 10 << 20


class Checker:
    """Collects what is wrong, with the package it is wrong in."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.faults: list[str] = []
        self.engines: dict[str, str] = {}

    def fail(self, where: str, what: str) -> None:
        """Notes a fault."""
        self.faults.append(f"{where}: {what}")

    def unpacked(self, package: Path, folder: Path, most: int) -> Path:
        """The package's content; its size is checked."""
        size = package.stat().st_size
        if size > most:
            self.fail(package.name, f"{size} bytes are more than the limit of {most}")
        if package.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(package) as archive:
                archive.extractall(folder)
        else:
            with tarfile.open(package) as archive:
                archive.extractall(folder, filter="data")
        return folder

    def holds(self, package: Path, root: Path, wanted: set[str]) -> None:
        """The package has the files, by path or pattern, and no stray ones."""
        files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())
        for pattern in sorted(wanted):
            if not any(re.fullmatch(pattern, name) for name in files):
                self.fail(package.name, f"has no {pattern}")
        for name in files:
            if not any(re.fullmatch(pattern, name) for pattern in wanted):
                self.fail(package.name, f"has {name}, which belongs in no release")

    def shared(self, package: Path, library: Path, target: Target, names: set[str]) -> None:
        """A shared object, or an addon."""
        for fault in faults(library, names, LIMIT):
            self.fail(f"{package.name}: {library.name}", fault)
        if (found := glibc(library)) > target.glibc:
            self.fail(
                f"{package.name}: {library.name}",
                f"needs glibc {dotted(found)}, promised is {dotted(target.glibc)}",
            )
        self.anonymous(package, library)

    def archive(self, package: Path, library: Path) -> None:
        """A static library."""
        if (found := global_symbols(library)) != functions(HEADER):
            self.fail(package.name, f"{library.name} defines {sorted(found)}")
        if library.stat().st_size > MOST_ARCHIVE:
            self.fail(package.name, f"{library.name} is larger than {MOST_ARCHIVE} bytes")
        self.anonymous(package, library)
        self.engine(package, library)

    def engine(self, package: Path, library: Path) -> None:
        """Everyone ships the same build: of a kind of library there is one set of bytes."""
        digest = hashlib.sha256(library.read_bytes()).hexdigest()
        if self.engines.setdefault(library.suffix, digest) != digest:
            self.fail(package.name, f"{library.name} is not the one of the other packages")

    def anonymous(self, package: Path, library: Path) -> None:
        """No path of the machine that built it."""
        content = library.read_bytes()
        for folder in {str(ROOT), os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")}:
            if folder.encode() in content:
                self.fail(package.name, f"{library.name} names {folder}")

    def sums(self) -> None:
        """SHA256SUMS names every file, and fits."""
        lines = (self.output / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        said = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
        real = {
            str(path.relative_to(self.output)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.output.rglob("*")
            if path.is_file() and path.name != "SHA256SUMS"
        }
        if said != real:
            self.fail("SHA256SUMS", f"differs in {sorted(set(said.items()) ^ set(real.items()))}")


def sdist(checker: Checker, folder: Path) -> None:
    """The sdist: everything that a wheel is built from, and no more."""
    name = f"liter_llm_sdk-{version()}"
    package = checker.output / f"{name}.tar.gz"
    root = checker.unpacked(package, folder, 1 << 20) / name
    rust = (
        r"rust/(core|bindings/c|simulator)/src/.+\.rs|rust/(core|bindings/c|simulator)/Cargo\.toml"
    )
    checker.holds(
        package,
        root,
        {
            r"PKG-INFO|README\.md|LICENSE|pyproject\.toml|hatch_build\.py|\.gitignore",
            r"src/liter_llm/\w+\.pyi?|src/liter_llm/py\.typed",
            r"include/liter_llm\.h",
            r"rust/Cargo\.(toml|lock)|rust/bindings/c/build\.rs",
            rust,
        },
    )


def wheel(checker: Checker, folder: Path, target: Target) -> None:
    """The wheel: its tag is what auditwheel would give it."""
    name = f"liter_llm_sdk-{version()}"
    package = checker.output / f"{name}-py3-none-{target.wheel}.whl"
    root = checker.unpacked(package, folder, MOST_PACKED)
    info = rf"{re.escape(name)}\.dist-info"
    checker.holds(
        package,
        root,
        {
            r"liter_llm/\w+\.pyi?",
            r"liter_llm/_cffi\.py",
            r"liter_llm/py\.typed",
            r"liter_llm/libliter_llm\.so",
            rf"{info}/(METADATA|WHEEL|RECORD)",
            rf"{info}/licenses/LICENSE",
            rf"{info}/licenses/{re.escape(notices.NAME)}",
        },
    )
    library = root / "liter_llm" / "libliter_llm.so"
    checker.shared(package, library, target, functions(HEADER))
    checker.engine(package, library)
    command = [str(Path(sys.executable).parent / "auditwheel"), "show", str(package)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if f'platform tag: "{target.wheel}"' not in " ".join(shown.split()):
        checker.fail(package.name, f"auditwheel says otherwise: {shown}")


def c(checker: Checker, folder: Path, target: Target) -> None:
    """The C package."""
    package = checker.output / f"{c_package.folder_name(target)}.tar.gz"
    root = checker.unpacked(package, folder, MOST_PACKED_ARCHIVE) / c_package.folder_name(target)
    soname = f"libliter_llm.so.{abi_version()}"
    checker.holds(
        package,
        root,
        {
            r"README\.md",
            "LICENSE",
            re.escape(notices.NAME),
            r"include/liter_llm\.h",
            r"lib/libliter_llm\.so",
            re.escape(f"lib/{soname}"),
            r"lib/libliter_llm\.a",
            r"lib/pkgconfig/liter_llm(-static)?\.pc",
            r"lib/cmake/liter_llm/liter_llm-config(-version)?\.cmake",
            r"share/doc/liter_llm/examples/\w+\.c",
        },
    )
    library = root / "lib" / "libliter_llm.so"
    if not library.is_symlink() or os.readlink(library) != soname:
        checker.fail(package.name, f"lib/libliter_llm.so is no link to {soname}")
    named = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True)
    if f"Library soname: [{soname}]" not in named.stdout:
        checker.fail(package.name, f"the shared library's SONAME is not {soname}")
    checker.shared(package, library, target, functions(HEADER))
    checker.engine(package, library)
    checker.archive(package, root / "lib" / "libliter_llm.a")
    for path in root.rglob("*"):
        if path.suffix in (".pc", ".cmake", ".md") and "@" in path.read_text(encoding="utf-8"):
            checker.fail(package.name, f"{path.name} has a name that was not replaced")


def main() -> int:
    """Checks every package; the exit code."""
    checker = Checker(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve())
    if not (checker.output / "SHA256SUMS").is_file():
        print(f"{checker.output} has no packages: run `make dist`", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="liter-llm-check-") as name:
        folder = Path(name)
        checker.sums()
        sdist(checker, folder / "sdist")
        for target in chosen():
            wheel(checker, folder / target.name / "wheel", target)
            c(checker, folder / target.name / "c", target)
    for fault in checker.faults:
        print(fault, file=sys.stderr)
    if not checker.faults:
        print(f"{checker.output}: every package is as promised")
    return 1 if checker.faults else 0


if __name__ == "__main__":
    sys.exit(main())
