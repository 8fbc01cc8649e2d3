"""Installs each package of dist/ into an empty place, as a user would, and sends requests with it.

    python3 scripts/dist_test.py [--dist FOLDER] [KIND …]      KIND: python, node, go, c; else all

They are installed by the lines of README.md and of the packages' pages, word by word: see
release/install_lines.py. Go's line of after the first release is tried too, against a proxy made of
files.

Everything happens in a new folder outside the checkout, without any of the project's variables; the
provider is the simulator of target/release. Each test also asks which file was loaded: it has to be
the installed one. The network is used for what the packages depend on only.

With LITER_LLM_LONG=1 the sdist is built too: minutes, and the network for hatchling.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from release import try_c, try_go, try_node, try_python
from release.sandbox import Sandbox
from release.target import ROOT, TARGETS
from simulator import Simulator

KINDS: dict[str, Callable[[Sandbox], None]] = {
    "python": try_python.run,
    "node": try_node.run,
    "go": try_go.run,
    "c": try_c.run,
}


def main() -> int:
    """Tries each; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("kinds", nargs="*", default=KINDS, metavar="KIND")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    arguments = parser.parse_args()
    if unknown := set(arguments.kinds) - set(KINDS):
        parser.error(f"no kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    target = TARGETS.get(f"linux-{platform.machine()}-gnu")
    if target is None:
        print(f"there are no packages for {platform.machine()}: {', '.join(TARGETS)}")
        return 2
    passed = failed = 0
    with Simulator() as simulator:
        for kind in arguments.kinds:
            begin = time.monotonic()
            with tempfile.TemporaryDirectory(prefix=f"liter-llm-{kind}-") as folder:
                sandbox = Sandbox(Path(folder), arguments.dist.resolve(), target, simulator.url)
                try:
                    KINDS[kind](sandbox)
                except Exception as error:  # whatever it is: the other packages are tried too
                    print(f"{kind}: {error}", file=sys.stderr)
                    failed += 1
            passed += sandbox.passed
            print(f"{kind}: {time.monotonic() - begin:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
