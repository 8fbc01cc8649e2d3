"""The provider of the benchmark: the simulator, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import payload

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "liter-llm-simulator"


class Simulator:
    """A running simulator."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [BINARY, "--exit-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1].rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def stats(self) -> dict[str, int]:
        """Its counters. Asking opens a connection, which is counted."""
        return self._json("/_sim/stats", None)

    def text(self, kind: str) -> str:
        """The text that every answer of this kind must have, by a client that nobody measures."""
        if kind == "embed":
            return payload.EMBEDDED
        body = self._json(f"{payload.paths()[kind]}/chat/completions", payload.REQUEST)
        return body["choices"][0]["message"]["content"]

    def _json(self, path: str, document: dict[str, Any] | None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        headers = {"authorization": f"Bearer {payload.KEY}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers)
        with self._opener.open(request, timeout=10) as response:
            return json.load(response)

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
