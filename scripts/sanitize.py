#!/usr/bin/env python3
"""Runs the C tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.

The Rust library is built with -Zsanitizer=address (RUSTC_BOOTSTRAP lets the stable compiler take
it), the C programs with gcc's -fsanitize=address,undefined; both are linked into one program with
rustc's runtime. gcc and LLVM speak version 8 of the interface between instrumented code and
runtime, so that one runtime watches both sides, and a document that Rust allocates and C reads is
checked as one block. gcc's own runtime would do but for fork.c: that of gcc 12 leaves its
allocator's locks held in a forked child. The archive, not the shared library, because cargo's
LD_LIBRARY_PATH would put the plain one in its place.

First it proves that all this is on: the Rust side calls the sanitizer, and four programs with one
deliberate fault each (C reads behind a document; C loses a document; Rust reads a freed one; C
overflows an integer) are reported.

Threads are looked at in another way: it also runs the model of the queue, in thousands of orders
(bindings/c/src/queue/model.rs). ThreadSanitizer takes longer: tsan.py.

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
LIBRARY = OUT / TARGET / "debug" / "libliter_llm.a"
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
  else if (!strcmp(argv[1], "integer"))
    liter_llm_free(document), len = 2147483647 - 2 + argc + argc;
  else { liter_llm_free(document); liter_llm_free(document); }
  return 0;
}
"""


def rustc(*arguments: str) -> Path:
    """The path that rustc prints."""
    run = subprocess.run(["rustc", *arguments], capture_output=True, text=True, check=True)
    return Path(run.stdout.strip())


def link_arguments(library: Path, sanitizer: str) -> list[str]:
    """The library, rustc's runtime for the sanitizer, and what both need."""
    folder = rustc("--print", "target-libdir", "--target", TARGET)
    runtimes = list(folder.glob(f"librustc-*_rt.{sanitizer}.a"))
    if len(runtimes) != 1:
        sys.exit(f"no runtime of the sanitizer in {folder}")
    runtime = ["-Wl,--whole-archive", str(runtimes[0]), "-Wl,--no-whole-archive"]
    return [*runtime, str(library), "-rdynamic", "-lpthread", "-ldl", "-lm", "-lrt", "-lgcc_s"]


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
    """Ends the script unless every deliberate fault is reported."""
    symbols = subprocess.run(["nm", LIBRARY], capture_output=True, text=True).stdout
    # rustc instruments the reads of the engine itself: thousands of calls, not a dependency's few.
    if symbols.count("U __asan_report_load8") < 20:
        sys.exit("the Rust library is not instrumented")
    with tempfile.TemporaryDirectory() as folder:
        source, item, program = (Path(folder, name) for name in ("fault.c", "fault.o", "fault"))
        source.write_text(FAULT)
        subprocess.run(
            ["cc", "-g", *FLAGS.split(), f"-I{ROOT}/include", "-c", "-o", item, source], check=True
        )
        subprocess.run(["cc", "-o", program, item, *link_arguments(LIBRARY, "asan")], check=True)
        for fault, report, frame in [
            ("", "", ""),
            ("overflow", "heap-buffer-overflow", "fault.c"),
            ("leak", "detected memory leaks", "fault.c"),
            # The faulty read is Rust's own.
            ("twice", "heap-use-after-free", "liter_llm_free"),
            ("integer", "signed integer overflow", "fault.c"),
        ]:
            # Whole stacks: std's own code, which allocates documents, has no frame pointers.
            env = dict(os.environ, ASAN_OPTIONS="fast_unwind_on_malloc=0")
            command = [program, *filter(None, [fault])]
            run = subprocess.run(command, capture_output=True, text=True, env=env)
            if not fault and run.returncode != 0:
                sys.exit(f"a program without a fault is reported:\n{run.stderr}")
            if fault and (
                run.returncode == 0 or report not in run.stderr or frame not in run.stderr
            ):
                sys.exit(f"the sanitizer does not see the fault {fault!r}:\n{run.stderr}")
            print(f"proof: {fault or 'no fault'}: {report or 'silent'}", flush=True)


def main() -> None:
    """Builds, proves and runs."""
    build()
    prove()
    env = dict(
        os.environ,
        LITER_LLM_C_LIBRARY=" ".join(link_arguments(LIBRARY, "asan")),
        LITER_LLM_C_FLAGS=FLAGS,
        ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1",
        UBSAN_OPTIONS="print_stacktrace=1",
    )
    names = sys.argv[1:]
    if not names:
        # Not under the sanitizer, which does not know the stacks on which shuttle runs its threads.
        subprocess.run(["cargo", "test", "-j2", "-p", "liter-llm-c", "--lib"], cwd=ROOT, check=True)
    run = ["cargo", "test", "-j2", "-p", "liter-llm-c", "--test", "hazards"]
    if not names:
        run += ["--test", "examples"]
    sys.exit(subprocess.run([*run, "--", *names], cwd=ROOT, env=env).returncode)


if __name__ == "__main__":
    main()
