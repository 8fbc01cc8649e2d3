"""Builds and runs the fuzz targets with the toolchain that is there: no nightly, no cargo-fuzz.

    python3 scripts/fuzz.py --build                     only build
    python3 scripts/fuzz.py --seconds 10                every target, from the project's own seeds
    python3 scripts/fuzz.py --seconds 600 decode_openai

libFuzzer wants coverage counters, which are arguments of LLVM, and `--cfg fuzzing`; the address
sanitizer is a flag that RUSTC_BOOTSTRAP=1 opens on a stable compiler. Inputs that were worth
keeping stay in fuzz/corpus, an input that broke a target in fuzz/artifacts, beside a command that
runs it again. Ends with the plain line `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import fuzz_seeds

ROOT = Path(__file__).resolve().parents[1]
FUZZ = ROOT / "fuzz"
TARGETS = (
    "sse",
    "codec",
    "operations",
    "vectors",
    "decode_openai",
    "decode_anthropic",
    "decode_cohere",
    "decode_gemini",
    "decode_bedrock",
    "decode_ollama",
)
COVERAGE = (
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
)


def main() -> int:
    """Builds, and runs unless told not to; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("targets", nargs="*", default=TARGETS, metavar="TARGET")
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("--seconds", type=int, default=10, help="for each target")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    folder = build()
    if arguments.build:
        print(f"{len(TARGETS)} fuzz targets built")
        return 0
    fuzz_seeds.write(FUZZ / "corpus")
    failed = [name for name in arguments.targets if not run(folder / name, arguments.seconds)]
    print(f"{len(arguments.targets) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def build() -> Path:
    """Builds every target; the folder that they are in."""
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = next(line.split()[1] for line in version.splitlines() if line.startswith("host:"))
    flags = [*COVERAGE, "--cfg", "fuzzing", "-Zsanitizer=address", "-Cdebug-assertions"]
    target = FUZZ / "target"
    environment = os.environ | {
        "RUSTC_BOOTSTRAP": "1",
        "RUSTFLAGS": " ".join(flags),
        "CARGO_TARGET_DIR": str(target),
    }
    # With --target, build scripts and macros are compiled without these flags.
    command = ["cargo", "build", "--locked", "--bins", "--target", host]
    subprocess.run(command, cwd=FUZZ, env=environment, check=True)
    return target / host / "debug"


def run(program: Path, seconds: int) -> bool:
    """Runs one target; whether it found nothing."""
    name = program.name
    artifacts = FUZZ / "artifacts" / name
    artifacts.mkdir(parents=True, exist_ok=True)
    command = [
        str(program),
        str(FUZZ / "corpus" / name),
        f"-max_total_time={seconds}",
        f"-artifact_prefix={artifacts}/",
        "-max_len=16384",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    stats = dict(
        line.removeprefix("stat::").split(":", 1)
        for line in done.stderr.splitlines()
        if line.startswith("stat::")
    )
    runs = stats.get("number_of_executed_units", "?").strip()
    print(f"{name}: {runs} inputs in {seconds} s, {'ok' if done.returncode == 0 else 'FAILED'}")
    if done.returncode != 0:
        print("\n".join(done.stderr.splitlines()[-40:]), file=sys.stderr)
        print(f"again: {program} {artifacts}/crash-…", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
