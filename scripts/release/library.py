"""The engine for a target: built by cargo, linked by zig against the target's oldest glibc."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .target import ROOT, STAGE, Target, abi_version

BIN = Path(sys.executable).parent
TARGET_DIR = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
SHARED, STATIC = "libliter_llm.so", "libliter_llm.a"


def build(target: Target) -> Path:
    """The folder with the shared library and the archive that rustc makes."""
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    # Panic messages name source files: not those of the machine that built them.
    flags = [f"--remap-path-prefix={home}/registry/src=crates", f"--remap-path-prefix={ROOT}=."]
    environment = dict(
        os.environ,
        PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}",
        CARGO_TARGET_DIR=str(TARGET_DIR),
        CARGO_ENCODED_RUSTFLAGS="\x1f".join(flags),
        LITER_LLM_SONAME=f"{SHARED}.{abi_version()}",
    )
    command = ["cargo-zigbuild", "zigbuild", "--locked", "--release", "-p", "liter-llm-c"]
    command += ["--target", target.zigbuild]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return TARGET_DIR / target.rust / "release"


def archive(target: Target, built: Path) -> Path:
    """The static library for others to link, with the header's functions as its only globals."""
    output = STAGE / target.name / STATIC
    script = ROOT / "scripts" / "static_archive.py"
    subprocess.run([sys.executable, script, built / STATIC, output], check=True)
    return output
