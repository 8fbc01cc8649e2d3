"""The C package: header, libraries, pkg-config and CMake files, in a folder that can be moved."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import library, notices, sbom
from .files import fresh, tarball
from .library import Engine
from .target import HEADER, ROOT, STAGE, Target, abi_version, epoch, version

PACKAGE = ROOT / "bindings" / "c" / "package"
EXAMPLES = ROOT / "bindings" / "c" / "examples"


def folder_name(target: Target) -> str:
    """The name of the folder, and of the tarball before .tar.gz."""
    return f"liter-llm-c-{version()}-{target.name}"


def make(engine: Engine, output: Path) -> Path:
    """The tarball."""
    target = engine.target
    root = fresh(STAGE / target.name / "c") / folder_name(target)
    libraries = root / "lib"
    for folder in ("include", "lib/pkgconfig", "lib/cmake/liter_llm", "share/doc/liter_llm"):
        (root / folder).mkdir(parents=True)
    shutil.copyfile(HEADER, root / "include" / HEADER.name)
    # The loader looks for the name with the ABI's number, the linker for the one without.
    shared = f"{library.SHARED}.{abi_version()}"
    shutil.copyfile(engine.shared, libraries / shared)
    (libraries / library.SHARED).symlink_to(shared)
    shutil.copyfile(engine.archive, libraries / library.ARCHIVE)
    for name in ("liter_llm.pc", "liter_llm-static.pc"):
        fill(libraries / "pkgconfig" / name, target)
    for name in ("liter_llm-config.cmake", "liter_llm-config-version.cmake"):
        fill(libraries / "cmake" / "liter_llm" / name, target)
    fill(root / "README.md", target)
    shutil.copyfile(ROOT / "LICENSE", root / "LICENSE")
    notices.write(root / notices.NAME, target)
    sbom.write(root / sbom.NAME, target)
    shutil.copytree(EXAMPLES, root / "share" / "doc" / "liter_llm" / "examples")
    return tarball(root, output / f"{root.name}.tar.gz", epoch())


def fill(output: Path, target: Target) -> None:
    """Writes a file from its template in bindings/c/package, with its @NAMES@ replaced."""
    text = (PACKAGE / f"{output.name}.in").read_text(encoding="utf-8")
    values = {
        "VERSION": version(),
        "SERIES": version().rsplit(".", 1)[0],
        "ABI_VERSION": abi_version(),
        "GLIBC": ".".join(map(str, target.glibc)),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    output.write_text(text, encoding="utf-8")
