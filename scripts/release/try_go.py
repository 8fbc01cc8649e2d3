"""The Go modules: from a proxy made of files, vendored, and with the C package in their place."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import c_package, go_package
from .sandbox import PROGRAMS, Sandbox, expect
from .target import version


def run(box: Sandbox) -> None:
    """Follows the README; gets the modules from a proxy, builds, asks; again from vendor/."""
    with box.test("go: the README's lines, without a proxy"):
        follows_readme(box)
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
        asks(box, project / "from-proxy")
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
        asks(box, project / "from-vendor")
    with box.test("go: with the C package instead of the archive"):
        package = c_package.folder_name(box.target)
        box.run("tar", "-xzf", box.dist / f"{package}.tar.gz")
        libraries = box.root / package / "lib"
        tagged = {"PKG_CONFIG_PATH": str(libraries / "pkgconfig"), **offline}
        build = ("go", "build", "-mod=vendor", "-tags", "liter_llm_system")
        box.run(*build, "-o", "from-system", ".", cwd=project, **tagged)
        asks(box, project / "from-system", libraries)


def follows_readme(box: Sandbox) -> None:
    """A program of a project in which the README's lines were typed."""
    project = box.root / "replaced"
    project.mkdir()
    go = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOMODCACHE": str(box.root / "none")}
    box.run("go", "mod", "init", "example.com/replaced", cwd=project, **go)
    box.install("go", project, **go)
    shutil.copy(PROGRAMS / "main.go", project)
    box.run("go", "build", "-o", "program", ".", cwd=project, **go)
    asks(box, project / "program")


def asks(box: Sandbox, path: Path, libraries: Path | None = None) -> None:
    """The program gets its answers, with the engine inside it or in a folder of libraries."""
    found = {"LD_LIBRARY_PATH": str(libraries)} if libraries else {}
    said = box.run(path, **found).splitlines()
    expect(len(said) == 2 and said[0] == said[1] and "three" in said[0], f"it says {said}")
    loaded = [line for line in box.run("ldd", path, **found).splitlines() if "liter_llm" in line]
    right = len(loaded) == 1 and str(libraries) in loaded[0] if libraries else not loaded
    expect(right, f"{path.name} loads {loaded}")
