"""The sides that are not Python: how they are built, and how one is started.

Programs go to target/bench. Where a language's tools are missing, its rows are left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from . import payload
from .simulator import ROOT

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / "target" / "bench"
RELEASE = ROOT / "target" / "release"
C_FLAGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

# Other clients, which `make bench` installs.
PEERS_PYTHON = FOLDER / "peers" / "bin" / "python"
PEERS_NODE = HERE / "node" / "node_modules" / "installed"
PEERS_GO = HERE / "go" / "peers"

ADDON = ROOT / "node" / "platforms" / "linux-x64-gnu" / "liter_llm.node"
ARCHIVE = ROOT / "go" / "internal" / "native" / "linux_amd64" / "libliter_llm.a"


@cache
def build(language: str) -> bool:
    """Builds a language's sides. False: its tools are not here."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if language == "c":
        return _build_c(shutil.which(os.environ.get("CC", "cc")))
    if language == "go":
        return _build_go(shutil.which("go"))
    if language == "node":
        return _found("node", shutil.which("node") if ADDON.is_file() else None)
    return True


@cache
def peers(language: str) -> bool:
    """Whether other clients of a language are installed. Go's are built here."""
    if language == "go":
        program = str(FOLDER / "peers_go")
        done = subprocess.run(["go", "build", "-o", program, "."], cwd=PEERS_GO, check=False)
        return done.returncode == 0
    return (PEERS_NODE if language == "node" else PEERS_PYTHON).exists()


def _found(language: str, tool: str | None) -> bool:
    if tool is None:
        print(f"no tools for {language}: its rows are left out", file=sys.stderr)
    return tool is not None


def _build_c(compiler: str | None) -> bool:
    if not _found("C", compiler):
        return False
    raw = [compiler, *C_FLAGS, str(HERE / "raw.c"), "-o", str(FOLDER / "raw_c")]
    subprocess.run(raw, check=True)
    build_c(compiler, HERE / "liter.c", FOLDER / "liter_c")
    return True


def build_c(compiler: str, source: Path, program: Path) -> None:
    """Builds a C program that is linked with the release library."""
    program.parent.mkdir(parents=True, exist_ok=True)
    include, library = f"-I{ROOT / 'include'}", str(RELEASE / "libliter_llm.so")
    linked = [include, str(source), library, f"-Wl,-rpath,{RELEASE}"]
    subprocess.run([compiler, *C_FLAGS, *linked, "-o", str(program)], check=True)


def _build_go(go: str | None) -> bool:
    if not _found("Go", go if ARCHIVE.is_file() else None):
        return False
    subprocess.run([go, "build", "-o", str(FOLDER / "bench_go"), "."], cwd=HERE / "go", check=True)
    return True


def command(language: str, side: str, kind: str, flights: int, arguments: list[str]) -> list[str]:
    """How the process of a side is started; `arguments` are base URL, count and text."""
    if language == "c":
        return [str(FOLDER / f"{side}_c"), *arguments]
    request = json.dumps(payload.REQUEST, ensure_ascii=False)
    program = {
        "node": ["node", str(HERE / "node" / "worker.mjs")],
        "go": [str(FOLDER / ("bench_go" if side in ("raw", "liter") else "peers_go"))],
    }[language]
    return [*program, side, kind, str(flights), *arguments, request]
