"""Tests what `make simulator` prints: the lines are those of docs/testing.md, and they work.

`python3 scripts/simulator_test.py`: starts it on a free port, sets the variables that it names, and
sends a chat to each provider that it says it plays. Ctrl-C ends it with 0.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

from simulator import PORT, ROOT

PROGRAM = """
import liter_llm
with liter_llm.Client() as client:
    for model in ("openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5", "cohere/command-a-03-2025"):
        print(client.chat("Hello", model=model, max_tokens=20).text)
"""


def main() -> int:
    """The exit code."""
    command = [sys.executable, str(ROOT / "scripts" / "simulator.py"), "--port", "0"]
    # A shell's background job begins with Ctrl-C ignored, and the child would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    try:
        # The last line names the page that has the rest.
        lines = list[str]()
        while not lines or "docs/testing.md" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], f"it ended after {lines}"
        exports = [line.strip() for line in lines if line.strip().startswith("export ")]
        variables = dict(re.findall(r"(\w+)=(\S+)", " ".join(exports)))
        environment = dict(os.environ, NO_PROXY="127.0.0.1", **variables)
        said = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert said == ["You said: Hello"] * 3, said
        page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
        for line in exports:
            shown = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{PORT}", line)
            assert f"\n{shown}\n" in page, f"docs/testing.md has no {shown}"
        # As a terminal does it: to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 0, process.returncode
    finally:
        process.kill()
    print("make simulator: 3 providers answered, as docs/testing.md says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
