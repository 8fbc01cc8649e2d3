"""The SBOM of a package: what its library is made of, as CycloneDX JSON.

The crates and their checksums are those of Cargo.lock, narrowed down to what is linked. The same
lock file makes the same bytes.
"""

from __future__ import annotations

import json
import subprocess
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .notices import linked
from .target import ROOT, Target, epoch, repository, version

NAME = "liter-llm.cdx.json"
SPEC = "1.6"


def write(output: Path, target: Target) -> Path:
    """Writes the SBOM of `target`'s library."""
    text = json.dumps(document(target), indent=1, ensure_ascii=False) + "\n"
    output.write_text(text, encoding="utf-8")
    return output


def document(target: Target) -> dict[str, Any]:
    """The SBOM."""
    components = [*crates(target), standard_library()]
    own = f"pkg:github/{repository().removeprefix('https://github.com/')}@v{version()}"
    content = json.dumps([own, target.name, components])
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch(), UTC).isoformat().replace("+00:00", "Z"),
            "component": {
                "type": "library",
                "bom-ref": own,
                "name": "liter-llm",
                "version": version(),
                "licenses": [{"expression": "MIT"}],
                "purl": own,
                "properties": [{"name": "target", "value": target.rust}],
            },
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [part["bom-ref"] for part in components]}],
    }


def crates(target: Target) -> list[dict[str, Any]]:
    """The crates of others in the library."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    sums = {(own["name"], own["version"]): own.get("checksum") for own in lock["package"]}
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:cargo/{crate['name']}@{crate['version']}",
            "name": crate["name"],
            "version": crate["version"],
            "hashes": [{"alg": "SHA-256", "content": sums[crate["name"], crate["version"]]}],
            "licenses": [{"expression": crate["license"].replace("/", " OR ")}],
            "purl": f"pkg:cargo/{crate['name']}@{crate['version']}",
        }
        for crate in linked(target)
    ]


def standard_library() -> dict[str, Any]:
    """Rust's standard library, which comes with the compiler."""
    said = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout
    release = said.split()[1]
    return {
        "type": "library",
        "bom-ref": f"pkg:generic/rust-std@{release}",
        "name": "rust-std",
        "version": release,
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": f"pkg:generic/rust-std@{release}",
    }
