"""Compiles the C sides into target/bench; without a C compiler the row is left out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .simulator import ROOT

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / "target" / "bench"
RELEASE = ROOT / "target" / "release"
FLAGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def build() -> bool:
    """Builds both. False: there is no compiler here."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        print("no C compiler: the C row is left out", file=sys.stderr)
        return False
    FOLDER.mkdir(parents=True, exist_ok=True)
    raw = [compiler, *FLAGS, str(HERE / "raw.c"), "-o", str(FOLDER / "raw_c")]
    include, library = f"-I{ROOT / 'include'}", str(RELEASE / "libliter_llm.so")
    linked = [include, str(HERE / "liter.c"), library, f"-Wl,-rpath,{RELEASE}"]
    liter = [compiler, *FLAGS, *linked, "-o", str(FOLDER / "liter_c")]
    for command in (raw, liter):
        subprocess.run(command, check=True)
    return True
