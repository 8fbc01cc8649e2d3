# cffi generates _cffi.py from include/liter_llm.h when the package is built.
from typing import Any

ffi: Any
