"""The C compiler and cffi must see the same header."""

import re
import subprocess
from pathlib import Path

from liter_llm import _queue
from liter_llm._library import ffi, lib

HEADER = Path(__file__).resolve().parents[2] / "include" / "liter_llm.h"
FIELDS = ["token", "kind", "status", "len", "count", "liter"]


def test_layout(tmp_path):
    lines = ['printf("size %zu\\n", sizeof(liter_llm_event));']
    lines += [f'printf("{f} %zu\\n", offsetof(liter_llm_event, {f}));' for f in FIELDS]
    text = HEADER.read_text(encoding="utf-8")
    constants = re.findall(r"^#define (LITER_LLM_\w+) -?\d+", text, re.MULTILINE)
    lines += [f'printf("{name} %d\\n", {name});' for name in constants]
    program = '#include <stdio.h>\n#include "liter_llm.h"\nint main(void) {\n%s\nreturn 0; }\n'
    source = tmp_path / "layout.c"
    source.write_text(program % "\n".join(lines))
    command = ["gcc", "-std=c99", "-Wall", "-Werror", f"-I{HEADER.parent}", source]
    subprocess.run([*command, "-o", tmp_path / "layout"], check=True)
    out = subprocess.run([tmp_path / "layout"], capture_output=True, text=True, check=True).stdout
    seen = {name: int(number) for name, number in map(str.split, out.splitlines())}
    assert seen.pop("size") == ffi.sizeof("liter_llm_event") == _queue._HEADER.size == 32
    for field in FIELDS:
        assert seen.pop(field) == ffi.offsetof("liter_llm_event", field)
    assert len(seen) >= 14
    for name, value in seen.items():
        assert getattr(lib, name) == value


def test_the_struct_module_reads_the_same():
    event = ffi.new("liter_llm_event *", {"token": 2**63, "kind": 3, "status": -7, "len": 5})
    event.count = 9
    fields = _queue._HEADER.unpack(ffi.buffer(event)[:])
    assert fields == (2**63, 3, -7, 5, 9)


def test_every_function_is_declared():
    text = HEADER.read_text(encoding="utf-8")
    functions = set(re.findall(r"^[\w ]+ \*?(liter_llm_\w+)\(", text, re.MULTILINE))
    assert len(functions) == 25
    for name in functions:
        assert callable(getattr(lib, name))
