"""The wheel, and the sdist, each in a new virtual environment."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from .sandbox import PROGRAMS, Sandbox, expect
from .target import version


def run(box: Sandbox) -> None:
    """Installs, asks, uninstalls; then the same from source, as far as time allows."""
    venv = new_environment(box, "venv")
    pip = (venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    with box.test("python: the README's lines install the wheel, and nothing is compiled"):
        # No compiler and no cargo on the path: a package that wants one fails here.
        empty = box.root / "empty"
        empty.mkdir()
        project = box.root / "project"
        project.mkdir()
        box.install("python", project, PATH=f"{venv / 'bin'}{os.pathsep}{empty}")
        box.run(*pip, "check")
    with box.test("python: answers, streams and asyncio work from the installed package"):
        asks(box, venv)
    with box.test("python: uninstalling leaves nothing"):
        box.run(*pip, "uninstall", "--quiet", "--yes", "liter-llm-sdk")
        left = list(venv.rglob("*liter*"))
        expect(not left, f"left are {left}")

    (sdist,) = box.dist.glob("liter_llm_sdk-*.tar.gz")
    with box.test("python: the sdist has all of the engine that cargo asks for"):
        box.run("tar", "-xzf", sdist)
        rust = box.root / f"liter_llm_sdk-{version()}" / "rust"
        box.run("cargo", "metadata", "--locked", "--format-version=1", cwd=rust)
    if os.environ.get("LITER_LLM_LONG"):
        with box.test("python: the sdist installs, with the engine built on the way"):
            venv = new_environment(box, "from-source")
            box.run(venv / "bin" / "python", "-m", "pip", "install", "--quiet", sdist)
            asks(box, venv)


def new_environment(box: Sandbox, name: str) -> Path:
    """An empty virtual environment of the Python that runs this."""
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    box.run(python, "-m", "venv", name)
    return box.root / name


def asks(box: Sandbox, venv: Path) -> None:
    """A program gets its answers, with nothing loaded but what is in the environment."""
    program = Path(shutil.copy(PROGRAMS / "request.py", box.root))
    said = json.loads(box.run(venv / "bin" / "python", program))
    expect(len(set(said["answers"])) == 1 and "three" in said["answers"][0], f"said {said}")
    expect(said["version"] == [version()] * 2, f"the version is {said['version']}")
    expect(said["prefix"] == str(venv), f"ran in {said['prefix']}")
    for path in (said["module"], *said["loaded"]):
        expect(Path(path).is_relative_to(venv), f"{path} is not of the installed package")
    expect(len(said["loaded"]) == 1, f"loaded {said['loaded']}")
