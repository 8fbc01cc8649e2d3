"""Runs programs as a user would have written them, with a simulator at the far end.

Blocks of the documents, the programs in `examples/` and the mistakes run in the same way. The
environment gives keys, a default provider and model, and base URLs, so that a program need not
know where it runs:

    openai, anthropic, cohere   answer at once
    together                    answers after a minute, for programs that do not wait so long
    zai                         cannot be reached, for programs that ask another one then
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from simulator import ROOT

SECONDS = 300
"""How long a program may run, with its compiling."""

KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "RUSTUP_HOME", "CARGO_HOME", "NO_PROXY"),
    *("GOCACHE", "GOPATH", "GOFLAGS", "GOTOOLCHAIN"),
)
"""Variables that programs and compilers have from outside."""

NOBODY = "http://127.0.0.1:9"
"""Where no server listens."""

GO_PACKAGE = "github.com/liter-llm/liter-llm/go"


def environment(url: str) -> dict[str, str]:
    """The variables of a program, with the simulator at `url` as its providers."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "OPENAI_API_KEY": "demo",
        "OPENAI_BASE_URL": f"{url}/v1",
        "ANTHROPIC_API_KEY": "demo",
        "ANTHROPIC_BASE_URL": url,
        "CO_API_KEY": "demo",
        "CO_API_URL": url,
        "TOGETHER_API_KEY": "demo",
        "TOGETHER_BASE_URL": f"{url}/sim,delay_ms=60000/v1",
        "ZAI_API_KEY": "demo",
        "ZAI_BASE_URL": NOBODY,
        "LITER_LLM_PROVIDER": "openai",
        "LITER_LLM_MODEL": "gpt-4.1-mini",
    }


class Ended(Exception):
    """A program that did not end well. Its text says how, with all that it wrote."""


class Snippets:
    """Runs programs in a folder of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = environment(url)

    def run(self, *words: str, seconds: float = SECONDS) -> str:
        """Runs a command. Returns what it wrote. Raises Ended, also where it takes too long."""
        code, text = self.outcome(*words, seconds=seconds)
        if code != 0:
            raise Ended(f"{Path(words[0]).name} ended with {code}:\n{text.strip()}")
        return text

    def outcome(self, *words: str, seconds: float = SECONDS) -> tuple[int, str]:
        """Runs a command. Returns its exit code, and what it wrote. Raises Ended at a deadline."""
        process = subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # so that what the program has started ends with it
        )
        try:
            text, _ = process.communicate(timeout=seconds)
        except BaseException as error:  # Ctrl-C, too: it reaches only this process
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            text, _ = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            name = Path(words[0]).name
            raise Ended(f"{name} ran for more than {seconds:.0f} s:\n{text.strip()}") from None
        return process.returncode, text

    def python(self, text: str, *options: str) -> list[str]:
        """The command of a Python program."""
        return [sys.executable, *options, "-c", text]

    def js(self, text: str) -> list[str]:
        """The command of an ES module, which finds the package under its name."""
        self.node_modules()
        return ["node", "--input-type=module", "-e", text]

    def node_modules(self) -> None:
        """Makes the package known in the folder, under its name."""
        modules = self.folder / "node_modules"
        if not modules.exists():
            (modules / "@liter-llm").mkdir(parents=True)
            (modules / "@liter-llm" / "node").symlink_to(ROOT / "node")
            (modules / "openai").symlink_to(ROOT / "node" / "node_modules" / "openai")

    def go(self, text: str) -> list[str]:
        """Compiles a Go program. Its command."""
        module = self.go_module(text)
        program = self.folder / "go-block"
        self.run("go", "-C", str(module), "vet", ".")
        self.run("go", "-C", str(module), "build", "-o", str(program), ".")
        return [str(program)]

    def go_module(self, text: str) -> Path:
        """Writes a Go program, as a module that takes the package from here. Its folder."""
        module = self.folder / "go"
        module.mkdir(exist_ok=True)
        (module / "main.go").write_text(text, encoding="utf-8")
        (module / "go.mod").write_text(
            f"module example\n\ngo 1.25\n\nrequire {GO_PACKAGE} v0.0.0\n\n"
            f"replace {GO_PACKAGE} => {ROOT / 'go'}\n",
            encoding="utf-8",
        )
        return module
