"""The licences of what is linked into the library: every package carries them, as they demand."""

from __future__ import annotations

import json
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from .target import ROOT, Target

NAME = "THIRD-PARTY-LICENSES.txt"
HEAD = """Software of others in this package

The library was linked from the Rust crates below, with Rust's standard library (MIT OR Apache-2.0,
Copyright (c) The Rust Project Contributors) and, for unwinding and C++, LLVM's libunwind, libc++
and libc++abi (Apache-2.0 WITH LLVM-exception, Copyright (c) The LLVM Project). A text that several
share is printed once, under the first.
"""
RULE = "\n" + "-" * 78 + "\n"

# The price table is data of others, which `make prices` writes.
PRICES = ROOT / "core" / "data"


def write(output: Path, target: Target) -> Path:
    """Writes the notices of the crates that `target`'s library is made from."""
    parts, seen = [HEAD], dict[str, str]()
    for crate in linked(target):
        title = f"{crate['name']} {crate['version']}"
        parts.append(f"{RULE}{title}\nLicence: {crate['license']}\n")
        for path in texts(Path(crate["manifest_path"]).parent):
            text = path.read_text(encoding="utf-8", errors="replace").strip()
            if text in seen:
                parts.append(f"{path.name}: as that of {seen[text]}\n")
            else:
                seen[text] = title
                parts.append(f"{path.name}:\n\n{text}\n")
    parts.append(prices())
    output.write_text("\n".join(parts), encoding="utf-8")
    return output


def prices() -> str:
    """The notice of the price table."""
    with (PRICES / "prices.json").open(encoding="utf-8") as file:
        head = json.loads(file.readline())
    text = (PRICES / "LICENSE-genai-prices").read_text(encoding="utf-8").strip()
    return f"{RULE}{head['catalog']} (the price table)\nLicence: MIT\n\nLICENSE:\n\n{text}\n"


def linked(target: Target) -> list[dict[str, Any]]:
    """The crates of others whose code is in the library, by name."""
    command = ["cargo", "metadata", "--locked", "--format-version=1"]
    command += ["--filter-platform", target.rust]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    data = json.loads(output)
    crates = {crate["id"]: crate for crate in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    waiting = [id for id, crate in crates.items() if crate["name"] == "liter-llm-c"]
    reached = set[str]()
    while waiting:
        id = waiting.pop()
        compiler_only = any("proc-macro" in kind["kind"] for kind in crates[id]["targets"])
        if id in reached or compiler_only:
            continue
        reached.add(id)
        waiting += [
            edge["pkg"]
            for edge in nodes[id]["deps"]
            if any(kind["kind"] is None for kind in edge["dep_kinds"])
        ]
    others = [crates[id] for id in reached if crates[id]["source"]]
    for crate in others:
        if not acceptable(crate["license"] or ""):
            raise SystemExit(
                f"{crate['name']} has the licence {crate['license']!r}, which is not among those"
                " that deny.toml accepts"
            )
    return sorted(others, key=lambda crate: (crate["name"], crate["version"]))


def acceptable(expression: str) -> bool:
    """Whether every part of an SPDX expression, or for OR one of them, is accepted."""
    flat = expression.replace("(", " ").replace(")", " ").replace("/", " OR ")
    required = [" ".join(part.split()) for part in flat.split(" AND ")]
    accepted = policy()["licenses"]["allow"]
    return all(
        any(choice.strip() in accepted for choice in part.split(" OR ")) for part in required
    )


@cache
def policy() -> dict[str, Any]:
    """deny.toml: what may be linked."""
    return tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))


def texts(folder: Path) -> list[Path]:
    """The licence files of a crate."""
    stems = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE")
    return sorted(path for path in folder.iterdir() if path.name.upper().startswith(stems))
