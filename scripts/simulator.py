"""Starts the simulator: for a script, and for a developer by `make simulator`.

    with Simulator() as simulator: …      simulator.url, on a free port of 127.0.0.1
    python3 scripts/simulator.py          in the foreground, on a port that stays the same

It ends with its standard input, so that a script which is killed leaves nothing behind.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
BINARY = TARGET / "release" / "liter-llm-simulator"
PORT = 8787

HOW = """\
It plays OpenAI, Anthropic and Cohere at {url}
Any key will do, and nothing leaves this machine. Ctrl-C ends it.

In the shell where your program runs:

  export OPENAI_API_KEY=demo OPENAI_BASE_URL={url}/v1
  export ANTHROPIC_API_KEY=demo ANTHROPIC_BASE_URL={url}
  export CO_API_KEY=demo CO_API_URL={url}

Or for one client: base_url = {url}/v1 in the configuration.
A fault is a part of the URL: {url}/sim,fault=rate_limit,times=1/v1
docs/testing.md has all of them, and a test in Python, Node and Go.
"""


class Simulator:
    """A running simulator in free mode: every request is answered with an echo.

    `cases` is a file with cases (`.jsonl`), which are under `/case/` then.
    """

    def __init__(self, cases: Path | None = None, *, port: int = 0) -> None:
        if not BINARY.is_file():
            sys.exit(f"{BINARY} is missing: run `make build`")
        self._process = subprocess.Popen(
            [
                BINARY,
                "--exit-with-stdin",
                *("--addr", f"127.0.0.1:{port}"),
                *(("--cases", cases) if cases else ()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            # It has said why on stderr.
            sys.exit("the simulator did not start" + (": try another --port" if port else ""))
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

    def wait(self) -> None:
        """Waits until it ends by itself."""
        self._process.wait()

    def stop(self) -> None:
        """Ends it, and waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def main() -> int:
    """Plays until Ctrl-C; the exit code."""
    parser = argparse.ArgumentParser(description="a provider on this machine, in the foreground")
    parser.add_argument(
        "--port", type=int, default=PORT, help="0: a free one (default: %(default)s)"
    )
    port: int = parser.parse_args().port
    try:
        with Simulator(port=port) as simulator:
            print(HOW.format(url=simulator.url), end="", flush=True)
            simulator.wait()
    except KeyboardInterrupt:
        return 0
    print("the simulator has ended", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
