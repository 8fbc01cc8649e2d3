"""What a release is made for: its targets, its version, its time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What is made on the way; dist/ holds packages only.
STAGE = ROOT / "build" / "dist"
HEADER = ROOT / "include" / "liter_llm.h"


@dataclass(frozen=True)
class Target:
    """A platform, by the names that each package manager has for it."""

    name: str
    rust: str
    zig: str
    # The oldest glibc that it runs with: what zig links against, and what check_dist.py holds.
    glibc: tuple[int, int]
    wheel: str
    node: str
    go: str

    @property
    def zigbuild(self) -> str:
        """The target as cargo-zigbuild takes it."""
        return f"{self.rust}.{self.glibc[0]}.{self.glibc[1]}"


# 2.17 is the oldest glibc that Rust's standard library runs with, and costs nothing over 2.28.
TARGETS = {
    target.name: target
    for target in (
        Target(
            name="linux-x86_64-gnu",
            rust="x86_64-unknown-linux-gnu",
            zig="x86_64-linux-gnu.2.17",
            glibc=(2, 17),
            wheel="manylinux_2_17_x86_64",
            node="linux-x64-gnu",
            go="linux_amd64",
        ),
    )
}


def chosen() -> list[Target]:
    """The targets that $DIST_TARGETS names, or all."""
    names = (os.environ.get("DIST_TARGETS") or " ".join(TARGETS)).split()
    if unknown := [name for name in names if name not in TARGETS]:
        sys.exit(f"DIST_TARGETS: there is no {unknown[0]}, only {', '.join(TARGETS)}")
    return [TARGETS[name] for name in names]


def version() -> str:
    """The workspace's version: the one place that says it (check_version.py holds the others)."""
    return workspace("version")


def repository() -> str:
    """Where the sources are."""
    return workspace("repository")


def workspace(member: str) -> str:
    """A member of [workspace.package] in Cargo.toml."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    return manifest["workspace"]["package"][member]


def abi_version() -> str:
    """The header's LITER_LLM_ABI_VERSION: the number in the shared library's SONAME."""
    found = re.search(r"#define LITER_LLM_ABI_VERSION (\d+)", HEADER.read_text(encoding="utf-8"))
    assert found, f"{HEADER} has no LITER_LLM_ABI_VERSION"
    return found[1]


def epoch() -> int:
    """The time written into packages: $SOURCE_DATE_EPOCH, else that of the commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    # Without a repository: 2020-02-02, as hatchling has it.
    return int(commit.stdout or 1580601600)
