"""The wheel in a new virtual environment."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from .sandbox import PROGRAMS, Sandbox, expect
from .target import version


def run(box: Sandbox) -> None:
    """Installs, asks, and uninstalls."""
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    (wheel,) = box.dist.glob(f"*{box.target.wheel}.whl")
    venv = box.root / "venv"
    pip = (venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    with box.test("python: the wheel installs with pip, and nothing is compiled"):
        box.run(python, "-m", "venv", venv)
        # No compiler and no cargo on the path: a package that wants one fails here.
        path = f"{venv / 'bin'}{os.pathsep}{empty_path(box)}"
        box.run(*pip, "install", "--quiet", wheel, PATH=path)
        box.run(*pip, "check")
    with box.test("python: answers, streams and asyncio work from the installed package"):
        program = Path(shutil.copy(PROGRAMS / "request.py", box.root))
        said = json.loads(box.run(venv / "bin" / "python", program))
        expect(len(set(said["answers"])) == 1 and "three" in said["answers"][0], f"said {said}")
        expect(said["version"] == [version()] * 2, f"the version is {said['version']}")
        expect(said["prefix"] == str(venv), f"ran in {said['prefix']}")
        for path in (said["module"], *said["loaded"]):
            expect(Path(path).is_relative_to(venv), f"{path} is not of the installed package")
        expect(len(said["loaded"]) == 1, f"loaded {said['loaded']}")
    with box.test("python: uninstalling leaves nothing"):
        box.run(*pip, "uninstall", "--quiet", "--yes", "liter-llm-sdk")
        left = list(venv.rglob("*liter*"))
        expect(not left, f"left are {left}")


def empty_path(box: Sandbox) -> Path:
    """A folder for PATH with nothing in it."""
    folder = box.root / "empty"
    folder.mkdir(exist_ok=True)
    return folder
