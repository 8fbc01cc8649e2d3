"""Loads the shared library that lies beside this file, and checks that it fits.

`lib` holds the functions of `liter_llm.h`, `ffi` their types. Loading starts no thread and opens no
socket, because the engine starts with the first request.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HINT = "reinstall liter-llm-sdk, or in a checkout run `pip install -e python`"

try:
    from ._cffi import ffi
except ModuleNotFoundError as error:
    raise ImportError(f"liter_llm is not built ({error}): {HINT}") from None


def find() -> str:
    """The library's path: $LITER_LLM_LIB for developers, else the file of the package."""
    name = {"darwin": "libliter_llm.dylib", "win32": "liter_llm.dll"}.get(
        sys.platform, "libliter_llm.so"
    )
    beside = os.path.join(os.path.dirname(__file__), name)
    return os.environ.get("LITER_LLM_LIB") or beside


def load(path: str) -> Any:
    """The library at `path`. ImportError if it is missing, or of another machine or ABI."""
    try:
        library = ffi.dlopen(path)
        found = library.liter_llm_abi_version()
    except (OSError, AttributeError) as error:
        raise ImportError(f"cannot load the liter-llm library: {error}; {HINT}") from None
    if found != library.LITER_LLM_ABI_VERSION:
        raise ImportError(
            f"{path} has ABI version {found}, this package needs "
            f"{library.LITER_LLM_ABI_VERSION}: {HINT}"
        )
    return library


lib: Any = load(find())
