"""Who stops reading a stream ends the request: llama.cpp's slot goes idle, the client lives on."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

import servers
from facts import KEY
from servers import Server

WAYS = {
    "python": ["leave", "drop", "task", "task-with", "task-text"],
    "node": ["break", "signal", "return"],
    "go": ["break", "context", "close", "deadline"],
}
# The socket is closed within 0.1 s. The rest is for a busy machine; the whole answer takes longer.
IDLE_S = 1


def busy(server: Server) -> int:
    """How many slots generate."""
    slots = json.loads(servers.fetch(f"{server.url}/slots", KEY))
    return sum(slot["is_processing"] for slot in slots)


@pytest.mark.parametrize(
    ("language", "way"), [(language, way) for language, ways in WAYS.items() for way in ways]
)
def test_the_slot_goes_idle(language: str, way: str, slow: Server, programs) -> None:
    servers.wait_for("idle slots", lambda: busy(slow) == 0, 30)
    command = [*programs("cancel", language), way, f"{slow.url}/v1", KEY]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin and reader.stdout and reader.stderr
        try:
            words = [reader.stdout.readline().strip() for _ in range(2)]
            stopped = time.monotonic()
            assert words == ["begun", "stopped"], reader.stderr.read()
            servers.wait_for("an idle slot", lambda: busy(slow) == 0, 30)
            took = time.monotonic() - stopped
            assert reader.poll() is None, "the process has ended, and its end closed the socket"
        finally:
            reader.stdin.close()
            reader.kill()
    assert took < IDLE_S, f"the server went on for {took:.1f} s"
