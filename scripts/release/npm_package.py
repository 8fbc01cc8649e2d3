"""The npm packages: the one that is imported, and one with the addon for each target."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from . import library, notices, sbom
from .files import fresh
from .library import Engine
from .target import ROOT, STAGE, Target, repository, version

NODE = ROOT / "node"


def tarball_name(target: Target | None = None) -> str:
    """The name of the tarball of a target's package, or of the main one."""
    return f"liter-llm-node-{target.node + '-' if target else ''}{version()}.tgz"


def main_package(output: Path) -> Path:
    """The package that is imported; it asks for the targets' as optional dependencies."""
    stage = fresh(STAGE / "npm")
    for path in listed(NODE):
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(NODE / path, stage / path)
    shutil.copyfile(ROOT / "LICENSE", stage / "LICENSE")
    manifest = json.loads((NODE / "package.json").read_text(encoding="utf-8"))
    # Of no use without the checkout.
    for member in ("devDependencies", "scripts", "workspaces"):
        del manifest[member]
    return pack(stage, manifest, output)


def platform_package(engine: Engine, output: Path) -> Path:
    """A target's addon, with the engine in it."""
    target = engine.target
    stage = fresh(STAGE / target.name / "npm")
    source = NODE / "platforms" / target.node
    manifest = json.loads((source / "package.json").read_text(encoding="utf-8"))
    environment = dict(
        os.environ,
        CXX=str(library.cxx(target)),
        LITER_LLM_LIB_DIR=str(engine.archive.parent),
    )
    command = ["node", "scripts/build.mjs", str(stage / "liter_llm.node")]
    subprocess.run(command, cwd=NODE, env=environment, check=True)
    shutil.copyfile(ROOT / "LICENSE", stage / "LICENSE")
    notices.write(stage / notices.NAME, target)
    sbom.write(stage / sbom.NAME, target)
    manifest["files"] += [notices.NAME, sbom.NAME]
    return pack(stage, manifest, output)


def listed(package: Path) -> list[str]:
    """The files that npm would publish."""
    (found,) = npm(package, "pack", "--dry-run")
    return [entry["path"] for entry in found["files"]]


def pack(stage: Path, manifest: dict[str, Any], output: Path) -> Path:
    """`npm pack`: it gives every file one time and no owner."""
    # npm holds a package's provenance against it.
    manifest["repository"] = {"type": "git", "url": f"git+{repository()}.git", "directory": "node"}
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (stage / "package.json").write_text(text, encoding="utf-8")
    (made,) = npm(stage, "pack", "--pack-destination", str(output))
    return output / made["filename"]


def npm(folder: Path, *arguments: str) -> Any:
    """What an npm command says, read as JSON."""
    command = ["npm", *arguments, "--json", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)
