"""The C package, unpacked: pkg-config and CMake, the shared library and the archive."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from . import c_package
from .sandbox import PROGRAMS, Sandbox, expect
from .target import abi_version, version

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


def run(box: Sandbox) -> None:
    """Unpacks, compiles, asks."""
    name = c_package.folder_name(box.target)
    box.run("tar", "-xzf", box.dist / f"{name}.tar.gz")
    with box.test("c: the commands of its README"):
        follows_readme(box, box.root / name)
    # Packages are moved: nothing in one may name the folder it was made in.
    package = (box.root / name).rename(box.root / "a prefix with spaces")
    with_packages = {"PKG_CONFIG_PATH": str(package / "lib" / "pkgconfig")}
    source = package / "share" / "doc" / "liter_llm" / "examples" / "chat.c"

    with box.test("c: pkg-config, shared library"):
        found = box.run("pkg-config", "--modversion", "liter_llm", **with_packages).strip()
        expect(found == version(), f"pkg-config says {found}")
        rpath = f"-Wl,-rpath,{package / 'lib'}"
        program = compiled(box, source, "liter_llm", with_packages, rpath)
        asks(box, program, package)
    with box.test("c: pkg-config, archive"):
        program = compiled(box, source, "liter_llm-static", with_packages)
        asks(box, program, None)
    with box.test("c: CMake, both"):
        project, build = box.root / "project", box.root / "build"
        project.mkdir()
        shutil.copy(PROGRAMS / "CMakeLists.txt", project)
        series = version().rsplit(".", 1)[0]
        options = [f"-DCMAKE_PREFIX_PATH={package}", f"-DEXAMPLES={source.parent}"]
        box.run("cmake", "-S", project, "-B", build, *options, f"-DWANTED={series}")
        box.run("cmake", "--build", build)
        asks(box, build / "chat-shared", package)
        asks(box, build / "chat-liter_llm", package)
        asks(box, build / "chat-static", None)
    with box.test("c: the header compiles as C++11"):
        text = '#include "liter_llm.h"\nint main() { return liter_llm_abi_version() == 0; }\n'
        (box.root / "main.cc").write_text(text, encoding="utf-8")
        flags = ("-std=c++11", *STRICT[1:], f"-I{package / 'include'}")
        archive = package / "lib" / "libliter_llm.a"
        box.run("c++", *flags, "main.cc", archive, "-lpthread", "-ldl", "-lm", "-o", "main")
        box.run(box.root / "main")


def follows_readme(box: Sandbox, package: Path) -> None:
    """What the package's README says to type, typed."""
    readme = (package / "README.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    source = package / "share" / "doc" / "liter_llm" / "examples" / "chat.c"
    shutil.copy(source, package)
    box.run("sh", "-euc", commands, cwd=package)
    asks(box, package / "chat", None)  # of the last command: the one with the archive


def compiled(
    box: Sandbox, source: Path, module: str, environment: dict[str, str], *more: str
) -> Path:
    """The program, compiled with the flags of a pkg-config module."""
    output = box.root / f"chat-{module}"
    # Split as a shell would: pkg-config escapes what needs it.
    flags = shlex.split(box.run("pkg-config", "--cflags", "--libs", module, **environment))
    box.run("cc", *STRICT, source, "-o", output, *flags, *more)
    return output


def asks(box: Sandbox, program: Path, package: Path | None) -> None:
    """The program gets its answer, with the library of `package`, or with none but its own."""
    answer = box.run(program, "one two three", "openai/gpt-4.1-mini")
    expect("three" in answer, f"{program.name} says {answer}")
    loaded = [line.split() for line in box.run("ldd", program).splitlines() if "liter_llm" in line]
    if package is None:
        expect(not loaded, f"{program.name} loads {loaded}")
        return
    soname = f"libliter_llm.so.{abi_version()}"
    line = f"{soname} => {package / 'lib' / soname}"
    expect(line in " ".join(" ".join(words) for words in loaded), f"{program.name} loads {loaded}")
