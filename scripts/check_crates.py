"""Holds every crate of the lock files to deny.toml: its licence and where it comes from.

    python3 scripts/check_crates.py

It needs no network but what a build needs. It also reads the sources of a crate that must not look
at the environment. In CI, `cargo deny check` reads deny.toml too, and looks for advisories.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from release.notices import acceptable, policy
from release.target import ROOT

# What the packages are built from, and the fuzz targets with their own lock file.
MANIFESTS = ("Cargo.toml", "fuzz/Cargo.toml")

# Code that runs in the middle of a call, beside a host that may change the environment (ADR 19).
READS_NO_ENVIRONMENT = {"tokio": "src/runtime"}


def main() -> int:
    """Names every crate that is refused; the exit code."""
    sources = policy()["sources"]["allow-registry"]
    excepted = {entry["crate"]: entry["allow"] for entry in policy()["licenses"]["exceptions"]}
    denied = {entry["crate"] for entry in policy()["bans"]["deny"]}
    faults = set[str]()
    seen = set[str]()
    for crate in [crate for manifest in MANIFESTS for crate in packages(manifest)]:
        name = f"{crate['name']} {crate['version']}"
        seen.add(name)
        if crate["name"] in denied:
            faults.add(f"{name} is banned")
        if folder := READS_NO_ENVIRONMENT.get(crate["name"]):
            files = (Path(crate["manifest_path"]).parent / folder).rglob("*.rs")
            if any("env::var" in path.read_text() for path in files):
                faults.add(f"{name} reads the environment in {folder}")
        source, licence = crate["source"], crate["license"] or ""
        if source and not acceptable(licence) and licence not in excepted.get(crate["name"], ()):
            faults.add(f"{name} has the licence {licence!r}, which is not accepted")
        if source and source.removeprefix("registry+") not in sources:
            faults.add(f"{name} comes from {source}")
    for fault in sorted(faults):
        print(fault)
    print(f"{len(seen)} crates, {len(faults)} refused")
    return 1 if faults else 0


def packages(manifest: str) -> list[dict[str, Any]]:
    """Every crate that a manifest's lock file names."""
    command = ["cargo", "metadata", "--locked", "--format-version=1", "--manifest-path", manifest]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return json.loads(output)["packages"]


if __name__ == "__main__":
    sys.exit(main())
