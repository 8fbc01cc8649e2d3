"""The runners: where each is, how it is started, and what it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .simulator import ROOT, target_file

# A key that cases may refer to; no real one reaches a runner.
KEY_VARIABLE = "LITER_LLM_CONFORMANCE_KEY"
_SECRETS = ("_API_KEY", "_BASE_URL", "_PAT", "_TOKEN", "CO_API_URL")
_TIME_LIMIT = 600


class RunnerError(Exception):
    """A runner is not there; the message says what to do."""


def command(runner: str, folder: Path) -> list[str]:
    """The command of a runner, which is built where that is quick. `folder` is for its output."""
    if named := os.environ.get(f"LITER_LLM_RUNNER_{runner.upper()}"):
        return named.split()
    if runner == "rust":
        return [
            _built("examples/conformance", "cargo build -p liter-llm-core --example conformance")
        ]
    if runner == "c":
        return [_compile_c(folder)]
    if runner == "python":
        interpreter = os.environ.get("LITER_LLM_PYTHON", sys.executable)
        return [interpreter, str(ROOT / "python" / "tests" / "conformance.py")]
    if runner == "node":
        return ["node", str(ROOT / "node" / "test" / "conformance.mjs")]
    if runner == "go":
        return [_build_go(folder)]
    raise RunnerError(f"there is no runner {runner!r}: rust, c, python, node, go")


def _built(name: str, how: str) -> str:
    path = target_file(name)
    if path is None:
        raise RunnerError(f"{name} is not built: {how}")
    return str(path)


def _compile_c(folder: Path) -> str:
    library = Path(_built("libliter_llm.so", "cargo build -p liter-llm-c"))
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RunnerError("no C compiler: set CC, or leave c out with --runner")
    source, program = ROOT / "bindings/c/tests/conformance.c", folder / "conformance-c"
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    where = [f"-I{ROOT / 'include'}", f"-L{library.parent}", f"-Wl,-rpath,{library.parent}"]
    arguments = [compiler, *flags, *where, str(source), "-o", str(program), "-lliter_llm"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunnerError(f"{source.name} does not compile:\n{done.stderr}")
    return str(program)


def _build_go(folder: Path) -> str:
    program = folder / "conformance-go"
    build = ["go", "-C", str(ROOT / "go"), "build"]
    arguments = [*build, "-o", str(program), "./internal/conformance"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunnerError(f"the Go runner does not build (make go-lib):\n{done.stderr}")
    return str(program)


def run(runner: str, folder: Path, variables: dict[str, str]) -> tuple[list[bytes], str | None]:
    """Runs one runner. Returns the lines that it printed, and why it ended badly if it did."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith(_SECRETS)}
    environment |= {KEY_VARIABLE: "sk-from-the-environment", "NO_PROXY": "*"} | variables
    if library := target_file("libliter_llm.so"):
        # Every language runs the same build of the engine.
        environment.setdefault("LITER_LLM_LIB", str(library))
    output, problem = folder / "outcomes.jsonl", None
    with output.open("wb") as out:
        try:
            done = subprocess.run(
                command(runner, folder),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                timeout=_TIME_LIMIT,
                check=False,
            )
            if done.returncode != 0:
                problem = f"the {runner} runner ended with status {done.returncode}"
        except subprocess.TimeoutExpired:
            problem = f"the {runner} runner took more than {_TIME_LIMIT} s"
        except OSError as error:
            problem = f"the {runner} runner does not start: {error}"
    return output.read_bytes().splitlines(), problem
