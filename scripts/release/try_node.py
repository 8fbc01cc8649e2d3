"""The npm packages in a new project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .npm_package import tarball_name
from .sandbox import PROGRAMS, Sandbox, expect
from .target import version

# Nothing but the two files: no registry is asked, no script is run.
INSTALL = ("npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund")


def run(box: Sandbox) -> None:
    """Installs, asks; then what is said where the addon's package is missing."""
    main, addon = (box.dist / tarball_name(target) for target in (None, box.target))
    with box.test("node: both packages install without a registry and without scripts"):
        project = new_project(box, "project")
        box.run(*INSTALL, main, addon, cwd=project)
        found = json.loads(box.run("npm", "ls", "--json", "--all", cwd=project))
        expect("problems" not in found, f"npm ls says {found}")
    with box.test("node: answers and streams by import and require, from the installed addon"):
        program = Path(shutil.copy(PROGRAMS / "request.mjs", project))
        said = json.loads(box.run("node", program))
        expect(len(set(said["answers"])) == 1 and "three" in said["answers"][0], f"said {said}")
        expect(said["version"] == [version()] * 2, f"the version is {said['version']}")
        place = project / "node_modules" / "@liter-llm" / f"node-{box.target.node}"
        expect(said["loaded"] == [str(place / "liter_llm.node")], f"loaded {said['loaded']}")
    with box.test("node: without the addon's package the error says what to install"):
        project = new_project(box, "without")
        box.run(*INSTALL, "--omit=optional", main, cwd=project)
        script = 'try { require("@liter-llm/node") } catch (error) { console.log(error.message) }'
        said = box.run("node", "-e", script, cwd=project)
        wanted = f"npm install @liter-llm/node-{box.target.node}@{version()}"
        expect(wanted in said, f"the message is {said}")


def new_project(box: Sandbox, name: str) -> Path:
    """A project without dependencies."""
    folder = box.root / name
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    return folder
