"""Adds an operation and a provider by the recipe of CONTRIBUTING.md, in a copy of the sources.

The operation is `moderate` under the name of `echo`, the provider is Cohere under the name of
`toy`. The copy is compiled, its types are generated, and one request of each goes through the
engine. The test fails where a file had to change that the recipe does not name.

`python3 scripts/recipe_test.py`; `make lint` runs it. It compiles in target/recipe.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("Cargo.toml", "Cargo.lock", "clippy.toml", "rustfmt.toml", "core", "simulator")
COPIED += ("bindings/c", "bindings/conformance", "include", "scripts", "python", "node", "go")

TOYS = (
    (r"\bModerations\b", "Echos"),
    (r"\bModeration\b", "Echoed"),
    (r"\bModerate(?=(Request|Response|Op|Input)?(Document)?\b)", "Echo"),
    (r"\bmoderate(?=(_request|_response)?\b)", "echo"),
)
PROVIDER = ((r"\bCohere\b", "Toy"), (r"\bcohere\b", "toy"))

RUN = """\
use std::io::{Read as _, Write as _};

use liter_llm_core::{Client, Config, Outcome};

const VERDICT: &str = r#"{"id":"e","model":"m","results":[{"flagged":true}]}"#;
const SAID: &str = r#"{"id":"t","finish_reason":"COMPLETE",
    "message":{"role":"assistant","content":[{"type":"text","text":"Hello"}]}}"#;

/// A server that answers each connection with the next of these, and closes it.
fn serve(answers: &'static [&'static str]) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut part = [0; 4096];
                let read = socket.read(&mut part).unwrap();
                request.extend_from_slice(&part[..read]);
            }
            let head = "HTTP/1.1 200 OK\\r\\nconnection: close\\r\\ncontent-type: application/json";
            let length = answer.len();
            write!(socket, "{head}\\r\\ncontent-length: {length}\\r\\n\\r\\n{answer}").unwrap();
        }
    });
    port
}

#[tokio::test]
async fn both_go_through_the_engine() {
    let port = serve(&[VERDICT, SAID]);
    let config = format!(
        r#"{{"providers":{{"openai":{{"base_url":"http://127.0.0.1:{port}","api_key":"k"}},
            "toy":{{"base_url":"http://127.0.0.1:{port}","api_key":"k"}}}}}}"#
    );
    let client = Client::new(Config::parse(config.as_bytes()).unwrap());
    for (request, wanted) in [
        (&br#"{"op":"echo","input":"x","model":"openai/m"}"#[..], r#""flagged":true"#),
        (&br#"{"prompt":"x","model":"toy/m"}"#[..], r#""content":"Hello""#),
    ] {
        let Ok(Outcome::Answer(answer)) = client.answer(request, b"").await else {
            panic!("no answer to {}", String::from_utf8_lossy(request));
        };
        let document = String::from_utf8(answer.to_json()).unwrap();
        assert!(document.contains(wanted), "{document}");
    }
}
"""


class RecipeError(Exception):
    """The recipe, or this test's way to follow it, does not fit the sources."""


def renamed(text: str, names: tuple[tuple[str, str], ...]) -> str:
    """The text by other names."""
    for old, new in names:
        text = re.sub(old, new, text)
    return text


def has(text: str, names: tuple[tuple[str, str], ...]) -> bool:
    """Whether one of the names is in a text."""
    return any(re.search(old, text) for old, _ in names)


def beside(text: str, names: tuple[tuple[str, str], ...]) -> str:
    """Rust with a copy by other names beside each item, arm and import that has a name."""

    def imported(match: re.Match[str]) -> str:
        inside = re.split(r",\s*", match[2].strip(" \n,"))
        inside += [renamed(name, names) for name in inside if has(name, names)]
        return f"{match[1]}{{{', '.join(inside)}}};"

    whole = re.escape(names[-1][0].split("(")[0].replace(r"\b", ""))
    text = re.sub(
        rf"^((?:pub )?use (?!{whole}::)[\w:]+::)\{{([^}}]*)\}};", imported, text, flags=re.M
    )
    text = re.sub(r"\| (\w+)::Moderate\(_\)", r"\g<0> | \1::Echo(_)", text)
    out: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        first = at
        while lines[at].lstrip().startswith(("///", "#[")) and at + 1 < len(lines):
            at += 1
        head = lines[at]
        indent = head[: len(head) - len(head.lstrip())]
        ends = at
        done = re.search(r'Echo|Toy|\\"|^(pub )?use .*(toy|\becho\b)|^\s*//', head)
        copied = has(head, names) and not done
        if copied and head.rstrip().endswith(("{", "(", "[")):
            closing = (indent + "}", indent + ")", indent + "]")
            ends = next(i for i in range(at + 1, len(lines)) if lines[i].startswith(closing))
        block = lines[first : ends + 1]
        out += block
        if copied:
            out += renamed("\n".join(block), names).split("\n")
        at = ends + 1
    return "\n".join(out)


def named(section: str) -> list[str]:
    """The files that a section of CONTRIBUTING.md names; `<name>` is any name."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, found = text.partition(f"## {section}\n")
    found = found.partition("\n## ")[0]
    return re.findall(r"`((?:core|bindings|python|node|go)/[^`\s]+)`", found)


class Copy:
    """A copy of the sources, and what was changed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                left_out = ("node_modules", "__pycache__", "*.so", "*.a", "*.node", "cases")
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns(*left_out))
            else:
                shutil.copy2(source, folder / name)
        # What no recipe touches is not compiled.
        manifest = folder / "Cargo.toml"
        text = manifest.read_text(encoding="utf-8")
        members = re.sub(r"members = \[[^\]]*\]", 'members = ["core"]', text)
        manifest.write_text(members, encoding="utf-8")
        self.before = self.state()

    def state(self) -> dict[str, bytes]:
        """Each file's content."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        # The lock file loses what is not compiled; who adds a crate changes a manifest.
        kept = (p for p in files if "__pycache__" not in p.parts and p.name != "Cargo.lock")
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in kept}

    def changed(self) -> list[str]:
        """The files that are new or different."""
        now = self.state()
        return sorted(name for name in now if now[name] != self.before.get(name))

    def edit(self, name: str, names: tuple[tuple[str, str], ...]) -> None:
        """Puts copies by other names beside what a file has."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        # The error that lists all operations; a provider's row, which begins without its name.
        new = text.replace('\\"moderate\\"', '\\"moderate\\", \\"echo\\"')
        row = re.search(r'^    Row \{\n        name: "cohere",.*?^    \},\n', new, re.M | re.S)
        marker = "/* the provider's row */"
        if row and names is PROVIDER:
            new = new.replace(row[0], marker)
        new = beside(new, names)
        if row:
            new = new.replace(marker, row[0] + renamed(row[0], names))
        if new == text:
            raise RecipeError(f"{name}: nothing to add beside")
        path.write_text(new, encoding="utf-8")

    def add(self, name: str, like: str, names: tuple[tuple[str, str], ...]) -> None:
        """A new file, or a folder of them, that is as another one by other names."""
        source = self.folder / like
        for path in [source] if source.is_file() else sorted(source.rglob("*.rs")):
            new = self.folder / name / path.relative_to(source)
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(renamed(path.read_text(encoding="utf-8"), names), encoding="utf-8")

    def run(self, *command: str, **variables: str) -> str:
        """A command in the copy; its output."""
        path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        target = str(ROOT / "target" / "recipe")
        environment = os.environ | {"PATH": path, "CARGO_TARGET_DIR": target} | variables
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RecipeError(f"{' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-8000:]}")
        return done.stdout


class Recipe(unittest.TestCase):
    """What the recipe promises."""

    def allowed(self, copy: Copy, section: str, **names: str) -> None:
        """Nothing was changed but what a section of CONTRIBUTING.md names."""
        listed = named(section)
        self.assertTrue(listed, f"CONTRIBUTING.md has no section {section!r} that names files")
        for placeholder, name in names.items():
            listed = [one.replace(f"<{placeholder}>", name) for one in listed]
        folders = tuple(one for one in listed if one.endswith("/"))
        outside = [n for n in copy.changed() if n not in listed and not n.startswith(folders)]
        self.assertEqual(outside, [], f"CONTRIBUTING.md, {section!r}, does not name these")

    def test_an_operation_and_a_provider(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            copy = Copy(Path(scratch))
            copy.add("core/src/provider/toy", "core/src/provider/cohere", PROVIDER)
            for name in ("mod", "registry", "format"):
                copy.edit(f"core/src/provider/{name}.rs", PROVIDER)
            self.allowed(copy, "Add a provider", name="toy")
            copy.before = copy.state()
            for folder in ("model", "operation", "provider/openai"):
                new = f"core/src/{folder}/moderate.rs"
                copy.add(new.replace("moderate", "echo"), new, TOYS)
                copy.edit(f"core/src/{folder}/mod.rs", TOYS)
            for name in ("provider/mod", "model/schema/operations", "model/schema/mod"):
                copy.edit(f"core/src/{name}.rs", TOYS)
            for name in ("answer", "asked"):
                copy.edit(f"core/src/operation/{name}.rs", TOYS)
            copy.edit("core/tests/schemas.rs", TOYS)
            cargo = ("cargo", "--offline", "test", "-q", "-p", "liter-llm-core")
            cargo += ("--features", "liter-llm-core/schema")
            copy.run(*cargo, "--test", "schemas", UPDATE="1")
            copy.run(sys.executable, "scripts/gen_types.py")
            self.allowed(copy, "Add an operation", name="echo", provider="openai")
            for file, wanted in (
                ("python/src/liter_llm/_models.py", "class EchoResponse(Document)"),
                ("python/src/liter_llm/_types.py", "class EchoMembers("),
                ("node/documents.d.ts", "export interface EchoResponse"),
                ("go/gen_response.go", "func readEchoResponse("),
            ):
                self.assertIn(wanted, (copy.folder / file).read_text(encoding="utf-8"))
            (copy.folder / "core/tests/recipe.rs").write_text(RUN, encoding="utf-8")
            copy.run(*cargo, "--test", "recipe")


if __name__ == "__main__":
    unittest.main()
