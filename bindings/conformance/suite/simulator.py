"""Starts and stops the simulator, and reads its report."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


# The end of a message about exchanges that nobody asked for.
LEFT = "exchange(s) were not asked for"


class SimulatorError(Exception):
    """The simulator is not there or does not start; the message says what to do."""


def target_file(name: str) -> Path | None:
    """A built file in the target folder: the newer of release and debug."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = [target / profile / name for profile in ("release", "debug")]
    found = [path for path in found if path.exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


class Simulator:
    """A running simulator that plays the cases of `path`, a .jsonl file."""

    def __init__(self, path: Path) -> None:
        named = os.environ.get("LITER_LLM_SIMULATOR")
        binary = Path(named) if named else target_file("liter-llm-simulator")
        if binary is None or not binary.exists():
            raise SimulatorError(
                "the simulator is not built: cargo build -p liter-llm-simulator "
                "(or name it in LITER_LLM_SIMULATOR)"
            )
        self._process = subprocess.Popen(
            [binary, "--cases", path, "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            self.stop()
            raise SimulatorError(f"the simulator did not start: {line.strip() or 'see above'}")
        self.url = line.removeprefix("listening on ").strip().rstrip("/")

    def report(self) -> dict[tuple[str, str], list[str]]:
        """(run, case) → what its requests did wrong."""
        with urllib.request.urlopen(f"{self.url}/_sim/report", timeout=30) as answer:
            report: dict[str, Any] = json.load(answer)
        found: dict[tuple[str, str], list[str]] = {}
        for failure in report["failures"]:
            found.setdefault((failure["run"], failure["case"]), []).append(failure["message"])
        for unused in report["unused"]:
            message = f"{unused['exchanges_left']} {LEFT}"
            found.setdefault((unused["run"], unused["case"]), []).append(message)
        return found

    def stop(self) -> None:
        """Ends it by closing its standard input; kills it where that does not help."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
