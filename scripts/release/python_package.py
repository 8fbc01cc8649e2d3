"""The Python packages: an sdist that holds the Rust sources too, and a wheel built from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from . import notices, sbom
from .files import fresh
from .library import Engine
from .target import ROOT, STAGE, epoch


def source(output: Path) -> Path:
    """The sdist."""
    return hatchling("sdist", ROOT / "python", fresh(STAGE / "sdist"), output)


def wheel(engine: Engine, sdist: Path, output: Path) -> Path:
    """The wheel of a target, from the sdist as anyone would build it, with our library."""
    target = engine.target
    root = fresh(STAGE / target.name / "wheel")
    with tarfile.open(sdist) as tar:
        tar.extractall(root, filter="data")
    (package,) = root.iterdir()
    notices.write(package / notices.NAME, target)
    sbom.write(package / sbom.NAME, target)
    return hatchling(
        "wheel",
        package,
        root / "dist",
        output,
        LITER_LLM_LIB=str(engine.shared),
        LITER_LLM_PLATFORM=target.wheel,
    )


def hatchling(kind: str, package: Path, stage: Path, output: Path, **extra: str) -> Path:
    """Builds one distribution; moves it to `output`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(stage)]
    environment = dict(os.environ, SOURCE_DATE_EPOCH=str(epoch()), **extra)
    subprocess.run(command, cwd=package, env=environment, check=True, stdout=subprocess.DEVNULL)
    (made,) = (path for path in stage.iterdir() if path.is_file())
    return Path(shutil.move(made, output / made.name))
