"""The Go modules: what the release's tags point at, because Go takes packages from a repository.

The archive of a platform is a module of its own, so that a user downloads one of them only, and its
folder has a Go file, so that vendoring keeps it. Archives are in no branch: the release workflow
commits the content of this tarball on top of the released commit, and pushes the tags alone.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path

from . import notices, sbom
from .files import fresh, tarball
from .library import Engine
from .target import ROOT, STAGE, epoch, version

MODULE = "github.com/liter-llm/liter-llm/go"
NATIVE = "internal/native"


def folder_name() -> str:
    """The name of the tarball before .tar.gz; in it is the folder go/."""
    return f"liter-llm-go-{version()}"


def make(engines: list[Engine], output: Path) -> Path:
    """The tarball with go/ as the tagged commit has it."""
    root = fresh(STAGE / "go") / folder_name() / "go"
    command = ["git", "ls-files", "-z", "go"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        path = root.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, path)
    shutil.copyfile(ROOT / "LICENSE", root / "LICENSE")
    manifest = (root / "go.mod").read_text(encoding="utf-8")
    said = next(line for line in manifest.splitlines() if line.startswith("go "))
    sums = list[str]()
    for engine in engines:
        nested = f"{NATIVE}/{engine.target.go}"
        folder = root / nested
        shutil.copyfile(engine.archive, folder / engine.archive.name)
        shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
        notices.write(folder / notices.NAME, engine.target)
        sbom.write(folder / sbom.NAME, engine.target)
        (folder / "go.mod").write_text(f"module {MODULE}/{nested}\n\n{said}\n", encoding="utf-8")
        manifest += f"\nrequire {MODULE}/{nested} v{version()}\n"
        sums += go_sum(f"{MODULE}/{nested}", folder)
    (root / "go.mod").write_text(manifest, encoding="utf-8")
    (root / "go.sum").write_text("".join(sums), encoding="utf-8")
    return tarball(root.parent, output / f"{folder_name()}.tar.gz", epoch())


def modules(root: Path) -> dict[str, Path]:
    """Module path → folder, of an unpacked go/."""
    folders = sorted(path.parent for path in root.rglob("go.mod"))
    return {
        MODULE if folder == root else f"{MODULE}/{folder.relative_to(root).as_posix()}": folder
        for folder in folders
    }


def proxy(root: Path, output: Path) -> None:
    """A module proxy in files, as GOPROXY=file://… reads it, of an unpacked go/."""
    tag = f"v{version()}"
    for module, folder in modules(root).items():
        place = output / module / "@v"
        place.mkdir(parents=True)
        (place / "list").write_text(f"{tag}\n", encoding="utf-8")
        (place / f"{tag}.info").write_text(f'{{"Version":"{tag}"}}', encoding="utf-8")
        shutil.copyfile(folder / "go.mod", place / f"{tag}.mod")
        with zipfile.ZipFile(place / f"{tag}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in members(folder):
                archive.write(path, f"{module}@{tag}/{path.relative_to(folder).as_posix()}")


def members(folder: Path) -> list[Path]:
    """The files of a module: those of its folder but for modules inside it."""
    nested = [path.parent for path in folder.rglob("go.mod") if path.parent != folder]
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(path.is_relative_to(other) for other in nested)
    ]


def go_sum(module: str, folder: Path) -> list[str]:
    """A module's two lines of a go.sum."""
    tag = f"v{version()}"
    files = ((f"{module}@{tag}/{p.relative_to(folder).as_posix()}", p) for p in members(folder))
    return [
        f"{module} {tag} {hash1(files)}\n",
        f"{module} {tag}/go.mod {hash1([('go.mod', folder / 'go.mod')])}\n",
    ]


def hash1(files: Iterable[tuple[str, Path]]) -> str:
    """Go's hash of a list of files ("h1:")."""
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {n}\n" for n, path in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()
