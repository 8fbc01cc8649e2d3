#!/usr/bin/env python3
"""Runs the C tests of threads, and core's tests of connections, under ThreadSanitizer.

The sanitizer has to see every lock, so the standard library is built with it as well (-Zbuild-std,
with RUSTC_BOOTSTRAP on the stable compiler). That needs the standard library's source: `rustup
component add rust-src`. As in sanitize.py, C programs are compiled with gcc's -fsanitize=thread and
linked with rustc's runtime, so that one runtime watches both sides.

First it proves that this is on: a program without a race is silent, and two with a deliberate one
(C against C, C against Rust) are reported. Any report fails the run; none is suppressed
(docs/adr/0019-locks-and-environment.md).

    scripts/tsan.py [name of a hazard ...]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sanitize import ROOT, TARGET, link_arguments, rustc

OUT = ROOT / "target" / "tsan"
LIBRARY = OUT / TARGET / "debug" / "libliter_llm.a"
FLAGS = "-fsanitize=thread -fno-omit-frame-pointer"
BUILD = dict(os.environ, RUSTC_BOOTSTRAP="1", RUSTFLAGS="-Zsanitizer=thread")
CARGO = ["-Zbuild-std", "-j2", "--locked", "--target", TARGET, "--target-dir", str(OUT)]
# A forked child may have threads, but the sanitizer looks at none of them.
OPTIONS = "exitcode=66:second_deadlock_stack=1:history_size=4:die_after_fork=0"

# Those whose subject is what happens between threads.
HAZARDS = [
    "cancel",
    "cancel_storm",
    "closed_client",
    "doorbell",
    "environment",
    "event_loops",
    "inline",
    "logs",
    "queue",
    "shutdown",
    "storm",
    "threads",
    "worker_exit",
]

FAULT = """
#include <pthread.h>
#include <string.h>
#include "liter_llm.h"
static char request[] = "{}";
static int number;
static void *other(void *fault) {
  for (int i = 0; i < 1000; i++) {
    if (!strcmp(fault, "c")) number++;
    else if (!strcmp(fault, "rust")) request[0] = '{';
  }
  return 0;
}
int main(int argc, char **argv) {
  char *fault = argc == 1 ? "" : argv[1];
  pthread_t thread;
  pthread_create(&thread, 0, other, fault);
  number++;
  for (int i = 0; i < 100; i++) {
    int len = 0;
    liter_llm_free(liter_llm_invoke("openai", request, &len));
  }
  pthread_join(thread, 0);
  return 0;
}
"""


def build() -> None:
    """Builds the instrumented library, with its standard library."""
    source = rustc("--print", "sysroot") / "lib/rustlib/src/rust/library/Cargo.lock"
    if not source.exists():
        sys.exit("the standard library's source is missing: run `rustup component add rust-src`")
    subprocess.run(["cargo", "build", *CARGO, "-p", "liter-llm-c"], cwd=ROOT, env=BUILD, check=True)


def libraries() -> list[str]:
    """What a C program is linked with, and what tells the sanitizer of duplicated descriptors."""
    source, item = ROOT / "bindings/c/tests/common/tsan_fcntl.c", OUT / "tsan_fcntl.o"
    subprocess.run(["cc", *FLAGS.split(), "-Wall", "-c", "-o", item, source], check=True)
    return [str(item), "-Wl,--wrap=fcntl", *link_arguments(LIBRARY, "tsan")]


def prove(linked: list[str]) -> None:
    """Ends the script unless each deliberate race is reported, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        source, item, program = (Path(folder, name) for name in ("fault.c", "fault.o", "fault"))
        source.write_text(FAULT)
        compiler = ["cc", "-g", *FLAGS.split(), f"-I{ROOT}/include", "-c", "-o", item, source]
        subprocess.run(compiler, check=True)
        subprocess.run(["cc", "-o", program, item, *linked], check=True)
        for fault, frame in [("", ""), ("c", "fault.c"), ("rust", "liter_llm_invoke")]:
            command = [program, *filter(None, [fault])]
            env = dict(os.environ, TSAN_OPTIONS=OPTIONS)
            run = subprocess.run(command, capture_output=True, text=True, env=env)
            if not fault and (run.returncode != 0 or run.stderr):
                sys.exit(f"a program without a race is reported:\n{run.stderr}")
            if fault and ("data race" not in run.stderr or frame not in run.stderr):
                sys.exit(f"the sanitizer does not see the race {fault!r}:\n{run.stderr}")
            print(f"proof: {fault or 'no race'}: {'reported' if fault else 'silent'}", flush=True)


def main() -> None:
    """Builds, proves and runs."""
    names = sys.argv[1:]
    build()
    linked = libraries()
    prove(linked)
    env = dict(
        os.environ,
        LITER_LLM_C_LIBRARY=" ".join(linked),
        LITER_LLM_C_FLAGS=FLAGS,
        TSAN_OPTIONS=OPTIONS,
    )
    hazards = ["cargo", "test", "-j2", "--locked", "-p", "liter-llm-c", "--test", "hazards"]
    run = [*hazards, "--", "--exact", *(names or HAZARDS)]
    subprocess.run(run, cwd=ROOT, env=env, check=True)
    if not names:
        pool = ["cargo", "test", *CARGO, "-p", "liter-llm-core", "--lib", "http::"]
        env = dict(BUILD, TSAN_OPTIONS=OPTIONS)
        subprocess.run(pool, cwd=ROOT, env=env, check=True)


if __name__ == "__main__":
    main()
