"""The engine for a target: built by cargo, linked by zig against the target's oldest glibc."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .target import ROOT, STAGE, Target, abi_version

BIN = Path(sys.executable).parent
TARGET_DIR = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
SHARED, ARCHIVE = "libliter_llm.so", "libliter_llm.a"


@dataclass(frozen=True)
class Engine:
    """A target's build: what every package of that target holds."""

    target: Target
    shared: Path
    # The one that others can link: the header's functions are its only globals.
    archive: Path


def build(target: Target) -> Engine:
    """Builds it, where its sources have changed."""
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
    built = TARGET_DIR / target.rust / "release"
    archive = STAGE / target.name / "lib" / ARCHIVE
    script = ROOT / "scripts" / "static_archive.py"
    subprocess.run([sys.executable, script, built / ARCHIVE, archive], check=True)
    return Engine(target, built / SHARED, archive)


def cxx(target: Target) -> Path:
    """A C++ compiler for the target, as one program: zig's, with its own C++ library linked in."""
    path = STAGE / target.name / "c++"
    # zig links the C++ runtime statically without being told; that is no reason for a warning.
    words = [sys.executable, "-m", "ziglang", "c++", "-target", target.zig]
    words.append("-Wno-unused-command-line-argument")
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path
