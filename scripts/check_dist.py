"""Holds the packages in dist/ against their promises, without installing them.

    python3 scripts/check_dist.py [FOLDER]

Each package is unpacked: the files that it must have are there and no others of the checkout's, and
every binary in it exports what it should, is small enough, needs a glibc no newer than its target's
and names no folder of the machine that built it. Every package holds the same engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from check_symbols import HEADER, LIMIT, dotted, faults, functions, glibc, output
from release import c_package, go_package, notices, npm_package, sbom
from release.target import ROOT, TARGETS, Target, abi_version, chosen, version
from static_archive import global_symbols

# What a user downloads. Twice the library's own size compressed: more means that something came in
# twice, or that debugging information stayed.
MOST_PACKED = 4 << 20
# The C package and a Go module hold an archive too, whose code the linker has not thinned out.
MOST_PACKED_ARCHIVE = 8 << 20
MOST_ARCHIVE = 13 << 20
# An addon has the engine within its limit, and the C++ runtime beside it.
MOST_ADDON = LIMIT + (256 << 10)
# What Node asks an addon for.
ADDON = {"napi_register_module_v1", "node_api_module_get_api_version_v1"}


class Checker:
    """Collects what is wrong, with the package it is wrong in."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.faults: list[str] = []
        self.engines: dict[str, str] = {}
        self.seen: set[Path] = set()

    def fail(self, where: str, what: str) -> None:
        """Notes a fault."""
        self.faults.append(f"{where}: {what}")

    def unpacked(self, package: Path, folder: Path, most: int) -> Path:
        """The package's content; its size is checked."""
        if not package.is_file():
            sys.exit(f"{package} is missing: run `make dist`")
        self.seen.add(package)
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

    def holds(self, package: Path, root: Path, required: str, others: str) -> None:
        """The package has the required files (words), and else only what the pattern allows."""
        files = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
        wanted = set(required.split())
        for name in sorted(wanted - files):
            self.fail(package.name, f"has no {name}")
        for name in sorted(files - wanted):
            if not re.fullmatch(others, name):
                self.fail(package.name, f"has {name}, which belongs in no release")

    def shared(self, package: Path, library: Path, target: Target, names: set[str]) -> None:
        """A shared object, or an addon."""
        most = MOST_ADDON if library.suffix == ".node" else LIMIT
        for fault in faults(library, names, most):
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

    def lists(self, package: Path, path: Path, target: Target) -> None:
        """The SBOM names each crate whose licence the notices have, with its checksum."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self.fail(package.name, f"{path.name} cannot be read: {error}")
            return
        if (document["bomFormat"], document["specVersion"]) != ("CycloneDX", sbom.SPEC):
            self.fail(package.name, f"{path.name} is no CycloneDX {sbom.SPEC}")
        if document["metadata"]["component"]["version"] != version():
            self.fail(package.name, f"{path.name} is of another version")
        crates = [part for part in document["components"] if part["purl"].startswith("pkg:cargo/")]
        found = {f"{crate['name']} {crate['version']}" for crate in crates}
        if found != (wanted := {f"{c['name']} {c['version']}" for c in notices.linked(target)}):
            self.fail(package.name, f"{path.name} differs in {sorted(found ^ wanted)}")
        lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
        for crate in crates:
            if f'checksum = "{crate["hashes"][0]["content"]}"' not in lock:
                self.fail(package.name, f"{path.name}: the checksum of {crate['name']} is wrong")

    def anonymous(self, package: Path, library: Path) -> None:
        """No path of the machine that built it."""
        content = library.read_bytes()
        for folder in {str(ROOT), os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")}:
            if folder.encode() in content:
                self.fail(package.name, f"{library.name} names {folder}")

    def complete(self) -> None:
        """Nothing lies in the folder that was not looked at."""
        for path in set(self.output.iterdir()) - self.seen - {self.output / "SHA256SUMS"}:
            self.fail(path.name, "is none of the packages")

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
    required = """PKG-INFO README.md LICENSE pyproject.toml hatch_build.py include/liter_llm.h
        src/liter_llm/__init__.py src/liter_llm/py.typed rust/Cargo.toml rust/Cargo.lock
        rust/core/Cargo.toml rust/core/src/lib.rs rust/simulator/Cargo.toml
        rust/bindings/c/Cargo.toml rust/bindings/c/build.rs rust/bindings/c/src/lib.rs"""
    sources = (
        r"src/liter_llm/\w+\.pyi?|rust/(core|bindings/c|simulator)/src/.+\.(rs|lua)|\.gitignore"
    )
    root = checker.unpacked(package, folder, 1 << 20) / name
    checker.holds(package, root, required, sources)


def wheel(checker: Checker, folder: Path, target: Target) -> None:
    """The wheel: its tag is what auditwheel would give it."""
    name = f"liter_llm_sdk-{version()}"
    package = checker.output / f"{name}-py3-none-{target.wheel}.whl"
    info = f"{name}.dist-info"
    required = f"""liter_llm/__init__.py liter_llm/_cffi.py liter_llm/py.typed
        liter_llm/libliter_llm.so {info}/METADATA {info}/WHEEL {info}/RECORD
        {info}/licenses/LICENSE {info}/licenses/{notices.NAME} {info}/sboms/{sbom.NAME}"""
    root = checker.unpacked(package, folder, MOST_PACKED)
    checker.lists(package, root / info / "sboms" / sbom.NAME, target)
    checker.holds(package, root, required, r"liter_llm/\w+\.pyi?")
    metadata = (root / info / "METADATA").read_text(encoding="utf-8")
    if not metadata.startswith("Metadata-Version: 2.4\n"):
        checker.fail(package.name, "its metadata is not of version 2.4")
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
    soname = f"libliter_llm.so.{abi_version()}"
    required = f"""README.md LICENSE {notices.NAME} {sbom.NAME} include/liter_llm.h
        lib/libliter_llm.so lib/{soname} lib/libliter_llm.a
        lib/pkgconfig/liter_llm.pc lib/pkgconfig/liter_llm-static.pc
        lib/cmake/liter_llm/liter_llm-config.cmake
        lib/cmake/liter_llm/liter_llm-config-version.cmake
        share/doc/liter_llm/examples/chat.c"""
    root = checker.unpacked(package, folder, MOST_PACKED_ARCHIVE) / c_package.folder_name(target)
    checker.holds(package, root, required, r"share/doc/liter_llm/examples/\w+\.c")
    checker.lists(package, root / sbom.NAME, target)
    library = root / "lib" / "libliter_llm.so"
    if not library.is_symlink() or os.readlink(library) != soname:
        checker.fail(package.name, f"lib/libliter_llm.so is no link to {soname}")
    if f"Library soname: [{soname}]" not in output("readelf", "-d", str(library)):
        checker.fail(package.name, f"the shared library's SONAME is not {soname}")
    checker.shared(package, library, target, functions(HEADER))
    checker.engine(package, library)
    checker.archive(package, root / "lib" / "libliter_llm.a")
    for path in root.rglob("*"):
        if path.suffix in (".pc", ".cmake", ".md") and "@" in path.read_text(encoding="utf-8"):
            checker.fail(package.name, f"{path.name} has a name that was not replaced")


def node(checker: Checker, folder: Path) -> None:
    """The npm package that is imported: no binary, no script, the addons' packages by version."""
    package = checker.output / npm_package.tarball_name()
    root = checker.unpacked(package, folder, 1 << 20) / "package"
    manifest = json.loads((root / "package.json").read_text(encoding="utf-8"))
    entries = json.dumps([manifest["main"], manifest["types"], manifest["exports"]])
    required = " ".join(["LICENSE", *re.findall(r'"\./([^"]+\.\w+)"', entries)])
    others = r"README\.md|src/(\w+\.m?js|_semconv\.json)|[\w./]+\.d\.m?ts"
    checker.holds(package, root, required, others)
    wanted = {f"@liter-llm/node-{target.node}": version() for target in TARGETS.values()}
    if manifest.get("optionalDependencies") != wanted:
        checker.fail(package.name, f"asks for {manifest.get('optionalDependencies')}")
    for member in ("dependencies", "scripts", "workspaces"):
        if member in manifest:
            checker.fail(package.name, f"has {member}: {manifest[member]}")


def addon(checker: Checker, folder: Path, target: Target) -> None:
    """The npm package with a target's addon."""
    package = checker.output / npm_package.tarball_name(target)
    root = checker.unpacked(package, folder, MOST_PACKED) / "package"
    required = f"package.json liter_llm.node LICENSE {notices.NAME} {sbom.NAME}"
    checker.holds(package, root, required, r"README\.md")
    checker.lists(package, root / sbom.NAME, target)
    checker.shared(package, root / "liter_llm.node", target, ADDON)


def go(checker: Checker, folder: Path) -> None:
    """The Go modules."""
    package = checker.output / f"{go_package.folder_name()}.tar.gz"
    root = checker.unpacked(package, folder, MOST_PACKED_ARCHIVE) / go_package.folder_name() / "go"
    wanted = {go_package.MODULE, f"{go_package.MODULE}/otel"}
    required = f"go.mod go.sum LICENSE {go_package.NATIVE}/liter_llm.h"
    required += " otel/go.mod otel/go.sum otel/semconv.json"
    for target in chosen():
        nested = f"{go_package.NATIVE}/{target.go}"
        wanted.add(f"{go_package.MODULE}/{nested}")
        names = ("go.mod", "lib.go", "libliter_llm.a", "LICENSE", notices.NAME, sbom.NAME)
        required += "".join(f" {nested}/{name}" for name in names)
        checker.archive(package, root / nested / "libliter_llm.a")
        checker.lists(package, root / nested / sbom.NAME, target)
    checker.holds(package, root, required, r"[\w/]+\.go|(README|CHANGELOG)\.md")
    if set(go_package.modules(root)) != wanted:
        checker.fail(package.name, f"has the modules {sorted(go_package.modules(root))}")
    if (root / go_package.NATIVE / HEADER.name).read_bytes() != HEADER.read_bytes():
        checker.fail(package.name, f"its {HEADER.name} is not that of include/: make header")


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
        node(checker, folder / "node")
        go(checker, folder / "go")
        for target in chosen():
            wheel(checker, folder / target.name / "wheel", target)
            addon(checker, folder / target.name / "addon", target)
            c(checker, folder / target.name / "c", target)
        checker.complete()
    for fault in checker.faults:
        print(fault, file=sys.stderr)
    if not checker.faults:
        print(f"{checker.output}: every package is as promised")
    return 1 if checker.faults else 0


if __name__ == "__main__":
    sys.exit(main())
