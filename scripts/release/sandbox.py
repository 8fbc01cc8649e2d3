"""A place outside the checkout to install a package in, and what its programs have to say."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .install_lines import install_lines
from .target import ROOT, Target

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 900
# The project's own overrides, and what would show a program another library or module than the
# installed one. Settings of the package managers stay: they say how packages are reached.
OVERRIDES = re.compile(
    r"(LITER_LLM|LD|PYTHON|VIRTUAL_ENV|NODE|GO|CGO|CARGO|RUST|PKG_CONFIG|CMAKE).*"
)


class Sandbox:
    """An empty folder, an environment of a user's, and the packages to install."""

    def __init__(self, root: Path, dist: Path, target: Target, simulator: str) -> None:
        self.root, self.dist, self.target = root.resolve(), dist, target
        assert not self.root.is_relative_to(ROOT), f"{self.root} is inside the checkout"
        self.passed = 0
        kept = {name: text for name, text in os.environ.items() if not OVERRIDES.fullmatch(name)}
        # What a user sets: a key, and where the provider is.
        self.environment = kept | {
            "OPENAI_API_KEY": "demo",
            "OPENAI_BASE_URL": f"{simulator}/v1",
            "NO_PROXY": "127.0.0.1",
        }

    def run(self, *command: str | Path, cwd: Path | None = None, **extra: str) -> str:
        """What a command prints. Raises with all of its output where it fails."""
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=self.environment | extra,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            line = " ".join(map(str, command))
            raise AssertionError(f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def install(self, language: str, cwd: Path, **extra: str) -> None:
        """Runs a language's install lines, as the documents have them, in a folder beside a clone.

        The clone is a folder `liter-llm` with a dist/ of links: to all packages, and of the wheels
        only to this machine's, as `make wheel` leaves it.
        """
        clone = cwd.parent / "liter-llm" / "dist"
        if not clone.exists():
            clone.mkdir(parents=True)
            for path in self.dist.iterdir():
                if path.suffix != ".whl" or self.target.wheel in path.name:
                    (clone / path.name).symlink_to(path)
        self.run("/bin/sh", "-euc", install_lines(language), cwd=cwd, **extra)

    @contextmanager
    def test(self, name: str) -> Iterator[None]:
        """One thing that works or not."""
        try:
            yield
        except Exception as error:
            raise AssertionError(f"{name} FAILED: {error}") from error
        self.passed += 1
        print(f"  {name}")


def expect(condition: bool, message: str) -> None:
    """An assertion that python -O keeps."""
    if not condition:
        raise AssertionError(message)
