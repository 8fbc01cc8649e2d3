#!/usr/bin/env python3
"""Runs the C tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.

The Rust library is built with -Zsanitizer=address (RUSTC_BOOTSTRAP lets the stable compiler take
it) as a shared library, which leaves the runtime to the program; the C programs are built by gcc
with -fsanitize=address,undefined and bring gcc's libasan. Both speak version 8 of the interface
between instrumented code and runtime, so that one runtime watches both sides, and a document that
Rust allocates and C reads is checked as one block.

First it proves that all this is on: the Rust side calls the sanitizer, and three programs with one
deliberate fault each (C reads behind a document; C loses a document; Rust reads a freed one) are
reported.

ThreadSanitizer is left out: it wants the standard library instrumented too (-Zbuild-std), which
needs the component rust-src; `rustc --print sysroot`/lib/rustlib/src is missing here.

    scripts/sanitize.py [name of a hazard ...]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-gnu"
OUT = ROOT / "target" / "asan"
LIBRARY = OUT / TARGET / "debug" / "libliter_llm.so"
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

FAULT = """
#include <string.h>
#include "liter_llm.h"
static char *volatile document;
int main(int argc, char **argv) {
  int len = 0;
  document = liter_llm_invoke("openai", "{}", &len);
  if (argc == 1) liter_llm_free(document);
  else if (!strcmp(argv[1], "overflow")) return document[strlen(document) + 1];
  else if (!strcmp(argv[1], "leak")) document = 0;
  else { liter_llm_free(document); liter_llm_free(document); }
  return 0;
}
"""


def build() -> None:
    """Builds the instrumented library."""
    env = dict(os.environ, RUSTC_BOOTSTRAP="1", RUSTFLAGS="-Zsanitizer=address")
    subprocess.run(
        ["cargo", "build", "-j2", "-p", "liter-llm-c", "--target", TARGET, "--target-dir", OUT],
        cwd=ROOT,
        env=env,
        check=True,
    )


def prove() -> None:
    """Ends the script where the sanitizer misses a fault, or reports one that is not there."""
    nm = subprocess.run(["nm", "-D", LIBRARY], capture_output=True, text=True, check=True)
    symbols = nm.stdout
    if "U __asan_report_load8" not in symbols:
        sys.exit("the Rust library is not instrumented")
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "fault.c"), Path(folder, "fault")
        source.write_text(FAULT)
        subprocess.run(
            [
                "cc",
                "-g",
                *FLAGS.split(),
                f"-I{ROOT}/include",
                "-o",
                program,
                source,
                LIBRARY,
                f"-Wl,-rpath,{LIBRARY.parent}",
            ],
            check=True,
        )
        for fault, report, frame in [
            (None, None, None),
            ("overflow", "heap-buffer-overflow", "fault.c"),
            ("leak", "detected memory leaks", "fault.c"),
            # The faulty read is Rust's own: gcc's runtime reports it from code of rustc's.
            ("twice", "heap-use-after-free", "liter_llm_free"),
        ]:
            arguments = [fault] if fault else []
            run = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
            if fault is None and run.returncode != 0:
                sys.exit(f"a program without a fault is reported:\n{run.stderr}")
            told = run.returncode != 0 and f"{report}" in run.stderr and f"{frame}" in run.stderr
            if fault and not told:
                sys.exit(f"the sanitizer does not see the fault {fault!r}:\n{run.stderr}")
            print(f"proof: {fault or 'no fault'}: {report or 'silent'}", flush=True)


def main() -> None:
    """Builds, proves, and runs the tests."""
    build()
    prove()
    env = dict(
        os.environ,
        LITER_LLM_C_LIBRARY=f"{LIBRARY} -Wl,-rpath,{LIBRARY.parent}",
        LITER_LLM_C_FLAGS=FLAGS,
        ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1",
        UBSAN_OPTIONS="print_stacktrace=1",
    )
    names = sys.argv[1:]
    run = ["cargo", "test", "-j2", "-p", "liter-llm-c", "--test", "hazards"]
    if not names:
        run += ["--test", "examples"]
    sys.exit(subprocess.run([*run, "--", *names], cwd=ROOT, env=env, check=False).returncode)


if __name__ == "__main__":
    main()
