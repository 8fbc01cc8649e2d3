"""The npm packages in a new project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .npm_package import tarball_name
from .sandbox import PROGRAMS, Sandbox, expect
from .target import version

# Nothing but the two files: no registry is asked, no script is run.
ALONE = {
    f"npm_config_{name}": value
    for name, value in {
        "offline": "true",
        "ignore_scripts": "true",
        "audit": "false",
        "fund": "false",
    }.items()
}


def run(box: Sandbox) -> None:
    """Installs, asks; then what is said where the addon's package is missing."""
    with box.test("node: the README's lines install both, without a registry or a script"):
        project = new_project(box, "project")
        box.install("node", project, **ALONE)
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
        main = box.dist / tarball_name()
        box.run("npm", "install", "--omit=optional", main, cwd=project, **ALONE)
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
