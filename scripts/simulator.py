"""Starts and stops the simulator for a script: `with Simulator() as simulator: simulator.url`.

It listens on a free port of 127.0.0.1 and ends with its standard input, so that a script which is
killed leaves nothing behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
BINARY = TARGET / "release" / "liter-llm-simulator"


class Simulator:
    """A running simulator in free mode: every request is answered with an echo.

    `cases` is a file with cases (`.jsonl`), which are under `/case/` then.
    """

    def __init__(self, cases: Path | None = None) -> None:
        if not BINARY.is_file():
            sys.exit(f"{BINARY} is missing: run `make build`")
        self._process = subprocess.Popen(
            [BINARY, "--exit-with-stdin", *(["--cases", cases] if cases else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit(f"the simulator did not start: {line.strip()}")
        self.url = line.split()[-1].rstrip("/")

    def config(self, knobs: str = "") -> dict[str, object]:
        """A client's configuration: the three wire formats, all served by this simulator."""
        url = f"{self.url}/sim,{knobs}" if knobs else self.url
        return {
            "providers": {
                "openai": {"base_url": f"{url}/v1", "api_key": "demo"},
                "anthropic": {"base_url": url, "api_key": "demo"},
                "cohere": {"base_url": url, "api_key": "demo"},
            }
        }

    def stop(self) -> None:
        """Ends it, and waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
