"""The Go modules, from a module proxy made of files, and vendored."""

from __future__ import annotations

import shutil

from . import go_package
from .sandbox import PROGRAMS, Sandbox, expect
from .target import version


def run(box: Sandbox) -> None:
    """Gets the modules, builds, asks; the same again from vendor/."""
    name = go_package.folder_name()
    box.run("tar", "-xzf", box.dist / f"{name}.tar.gz")
    tree = box.root / "proxy"
    go_package.proxy(box.root / name / "go", tree)
    shutil.rmtree(box.root / name)
    project = box.root / "project"
    project.mkdir()
    shutil.copy(PROGRAMS / "main.go", project)
    module, tag = go_package.MODULE, f"v{version()}"
    go = {
        "GOPROXY": tree.as_uri(),
        # The checksum database cannot know them yet; go.sum holds them all the same.
        "GONOSUMDB": f"{module},{module}/*",
        "GOMODCACHE": str(box.root / "cache"),
        # The cache is made writable, so that the sandbox can be removed.
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "1",
    }
    with box.test("go: go get and go build, from a proxy"):
        box.run("go", "mod", "init", "example.com/project", cwd=project, **go)
        box.run("go", "get", f"{module}@{tag}", cwd=project, **go)
        box.run("go", "mod", "tidy", cwd=project, **go)
        box.run("go", "build", "-o", "from-proxy", ".", cwd=project, **go)
        asks(box, "from-proxy")
        listed = box.run(
            "go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all", cwd=project, **go
        )
        for nested in ("", f"/{go_package.NATIVE}/{box.target.go}"):
            expect(f"{module}{nested} {tag}" in listed.splitlines(), f"the modules are {listed}")
    with box.test("go: the module's own go.sum fits what was downloaded"):
        cached = box.root / "cache" / f"{module}@{tag}"
        said = (cached / "go.sum").read_text(encoding="utf-8").splitlines()
        used = (project / "go.sum").read_text(encoding="utf-8").splitlines()
        expect(bool(said) and set(said) <= set(used), f"{said} is not in {used}")
    with box.test("go: vendoring keeps the archive"):
        box.run("go", "mod", "vendor", cwd=project, **go)
        shutil.rmtree(box.root / "cache")
        offline = {**go, "GOPROXY": "off"}
        box.run("go", "build", "-mod=vendor", "-o", "from-vendor", ".", cwd=project, **offline)
        asks(box, "from-vendor")


def asks(box: Sandbox, program: str) -> None:
    """The program gets its answers, with the engine inside it."""
    path = box.root / "project" / program
    said = box.run(path).splitlines()
    expect(len(said) == 2 and said[0] == said[1] and "three" in said[0], f"it says {said}")
    expect("liter_llm" not in box.run("ldd", path), f"{program} loads a shared liter_llm")
