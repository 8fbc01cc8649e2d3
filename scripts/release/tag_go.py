"""Commits the Go modules of a release on top of the commit that is checked out, and tags them.

    python3 scripts/release/tag_go.py DIST [--push]

Go takes modules from a repository's tags: go/v1.2.3, and one for the archive of each platform. The
commit is on no branch, so that the archives weigh on nobody who clones one. It has the time and the
author of the released commit, so that a second run makes the same commit, and pushes nothing new.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from release import go_package
from release.target import ROOT, version


def main() -> int:
    """Makes the tags; the exit code."""
    dist, push = Path(sys.argv[1]), "--push" in sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="liter-llm-go-") as name:
        folder = Path(name)
        with tarfile.open(dist / f"{go_package.folder_name()}.tar.gz") as tar:
            tar.extractall(folder, filter="data")
        tree = folder / go_package.folder_name()
        commit = committed(tree, folder / "index")
        modules = go_package.modules(tree / "go")
    prefix = go_package.MODULE.removesuffix("go")
    tags = [f"{module.removeprefix(prefix)}/v{version()}" for module in modules]
    for tag in tags:
        git("tag", "--force", tag, commit)
        print(f"{tag}: {commit}")
    if push:
        git("push", "--atomic", "origin", *(f"refs/tags/{tag}" for tag in tags))
    return 0


def committed(tree: Path, index: Path) -> str:
    """A commit of the checked out one with go/ as it is in `tree`; its name."""
    here = {"GIT_INDEX_FILE": str(index)}
    git("read-tree", "HEAD", **here)
    git("rm", "-r", "-q", "--cached", "go", **here)
    git("--work-tree", str(tree), "add", "--force", "go", **here)
    content = git("write-tree", **here)
    author = git("log", "-1", "--format=%an%n%ae%n%ct").split("\n")
    names = ("NAME", "EMAIL", "DATE")
    people = {
        f"GIT_{role}_{name}": f"@{value}" if name == "DATE" else value
        for role in ("AUTHOR", "COMMITTER")
        for name, value in zip(names, author, strict=True)
    }
    message = f"Go modules of {version()}, with the engine"
    return git("commit-tree", content, "-p", "HEAD", "-m", message, **people)


def git(*arguments: str, **extra: str) -> str:
    """What git says."""
    command = ["git", *arguments]
    environment = os.environ | extra
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


if __name__ == "__main__":
    sys.exit(main())
