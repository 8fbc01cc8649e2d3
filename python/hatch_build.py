"""Build hook: cffi's declarations from the C header, and the shared library beside them.

The header is the one source: its text becomes the cdef after dropping what cffi cannot read. The
library comes from $LITER_LLM_LIB, else from ../target/release, where cargo builds it when missing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SBOM = "liter-llm.cdx.json"
LIBRARY = {"darwin": "libliter_llm.dylib", "win32": "liter_llm.dll"}.get(
    sys.platform, "libliter_llm.so"
)


class Hook(BuildHookInterface[Any]):
    """Adds `_cffi.py` and the library to wheels; puts both in place for editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before a wheel ("standard") or an editable install ("editable") is built."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        package = root / "src" / "liter_llm"
        declare(find_header(root), package / "_cffi.py")
        library = find_library(root)
        if version == "editable":
            link(library, package / LIBRARY)
        else:
            build_data["artifacts"].append("src/liter_llm/_cffi.py")
            build_data["force_include"][str(library)] = f"liter_llm/{LIBRARY}"
        # A release says which systems its library was linked for; else it is for this one.
        platform = os.environ.get("LITER_LLM_PLATFORM") or sysconfig.get_platform()
        platform = platform.replace("-", "_").replace(".", "_")
        # A release brings a list of what the library is made of.
        if (root / SBOM).is_file():
            build_data["sbom_files"].append(SBOM)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"


def find_header(root: Path) -> Path:
    """The header: in an sdist inside it, in the repository beside python/."""
    for path in (root / "include" / "liter_llm.h", root.parent / "include" / "liter_llm.h"):
        if path.is_file():
            return path
    raise SystemExit("liter_llm.h is missing: build from the repository or from an sdist")


def cdef(header: str) -> str:
    r"""The header's text as cffi reads it.

    >>> cdef('#define N 1 /* one */\\n#ifdef __cplusplus\\nextern "C" {\\n#endif\\nint f(void);')
    '#define N 1\\nint f(void);\\n'
    """
    header = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header, flags=re.DOTALL)
    header = re.sub(r"#\s*ifdef __cplusplus\b.*?#\s*endif[^\n]*", "", header, flags=re.DOTALL)
    kept = []
    for line in map(str.rstrip, header.splitlines()):
        if line.lstrip().startswith("#") and not re.fullmatch(r"#define \w+ -?\d+", line):
            continue
        if line:
            kept.append(line)
    return "\n".join(kept) + "\n"


def declare(header: Path, target: Path) -> None:
    """Writes cffi's out-of-line ABI module."""
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(cdef(header.read_text(encoding="utf-8")))
    ffi.set_source("liter_llm._cffi", None)
    ffi.emit_python_code(str(target))


def find_library(root: Path) -> Path:
    """The shared library, built by cargo where it is missing."""
    if given := os.environ.get("LITER_LLM_LIB"):
        path = Path(given).resolve()
        if not path.is_file():
            raise SystemExit(f"LITER_LLM_LIB is {given}: there is no such file")
        return path
    workspace = root / "rust" if (root / "rust").is_dir() else root.parent
    path = workspace / "target" / "release" / LIBRARY
    if not path.is_file() and (workspace / "bindings" / "c").is_dir() and shutil.which("cargo"):
        command = ["cargo", "build", "--locked", "--release", "-p", "liter-llm-c"]
        command += ["--target-dir", str(workspace / "target")]
        subprocess.run(command, cwd=workspace, check=True)
    if not path.is_file():
        raise SystemExit(
            f"{path} is missing: run `cargo build --release -p liter-llm-c` in the repository,"
            f" or set LITER_LLM_LIB to the path of {LIBRARY}"
        )
    return path


def link(library: Path, target: Path) -> None:
    """Links, so that the next `cargo build` is seen without another install."""
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(library)
    except OSError:
        shutil.copyfile(library, target)
