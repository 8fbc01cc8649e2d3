"""Tests of check_layers.py on a toy engine: what it has to find, and what it has to let pass.

`python3 scripts/check_layers_test.py`; `make lint` runs it.
"""

from __future__ import annotations

import dataclasses
import tempfile
import unittest
from pathlib import Path

from check_layers import TABLE
from layers.rules import check
from layers.tokens import RustError

MODS = (
    "mod admission; mod auth; mod call; mod client; pub mod codec; mod config; pub mod error;"
    " pub mod http; pub mod json; mod limit; pub mod model; pub mod observe; mod operation;"
    " mod pipeline; pub mod provider; mod retry; mod services; mod target; pub mod wire;\n"
    "pub use client::Client; pub use error::Error;\n"
)
FLAT = ["admission", "auth", "client", "config", "limit", "operation", "pipeline", "provider"]
FLAT += ["services", "target", "wire"]
TOY = {f"core/src/{name}.rs": f"pub struct {name.title()};\n" for name in FLAT} | {
    "core/src/lib.rs": MODS,
    "core/src/call/mod.rs": "pub mod hedge;\npub struct Call;\n",
    "core/src/call/hedge.rs": "use super::Call;\npub fn hedged(_: &Call) {}\n",
    "core/src/codec.rs": "pub use crate::json::Object;\npub struct Fields;\npub fn finish() {}\n",
    "core/src/error.rs": "pub struct Error;\n",
    "core/src/http.rs": "pub struct Pool;\npub struct Timeouts;\n",
    "core/src/json/mod.rs": "mod object; mod value;\npub use {object::Object, value::Value};\n"
    "macro_rules! json { () => { $crate::json::Value } }\npub(crate) use json;\n",
    "core/src/json/object.rs": "use super::value::Value;\npub struct Object(Vec<Value>);\n",
    "core/src/json/value.rs": "use super::object::Object;\npub struct Value(Option<Object>);\n",
    "core/src/model.rs": "use crate::retry::RetryPolicy;\npub struct Request(RetryPolicy);\n",
    "core/src/observe.rs": "pub struct Observer;\n",
    "core/src/retry.rs": "use crate::error::Error;\npub struct RetryPolicy(Error);\nfn decide();\n",
    "bindings/c/src/lib.rs": "mod work;\nuse liter_llm_core::{Client, observe::Observer};\n",
    "bindings/c/src/work.rs": "use liter_llm_core::Error;\n",
    "core/tests/wire.rs": "use liter_llm_core::wire::Wire;\n",
    "simulator/src/lib.rs": "mod a;\npub use a::A;\n",
    "simulator/src/a.rs": "pub struct A;\n",
    "simulator/src/main.rs": "use liter_llm_simulator::A;\n",
}


def violations(files: dict[str, str], *exceptions: tuple[str, str]) -> list[str]:
    """What is found in the toy with these files more or other, with these exceptions alone."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for name, text in (TOY | files).items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        table = dataclasses.replace(TABLE, exceptions=dict.fromkeys(exceptions, "for now"))
        return check(root, table)[0]


class LayersTest(unittest.TestCase):
    """A toy engine with one thing changed."""

    def found(self, file: str, text: str, *expected: str, **more: str) -> None:
        """The file brings these violations, each given by its beginning, and no other."""
        found = violations({f"core/src/{file}": text} | more)
        self.assertEqual(len(found), len(expected), found)
        for line, begin in zip(found, expected, strict=True):
            self.assertTrue(line.startswith(begin), f"{line!r} does not begin with {begin!r}")

    def allowed(self, file: str, text: str) -> None:
        """The file brings none."""
        self.assertEqual(violations({f"core/src/{file}": text}), [])


class Found(LayersTest):
    """Each way to name another room, from a room that may not."""

    def test_the_whole_line(self) -> None:
        line = (
            "core/src/call/hedge.rs:3 call imports pipeline (floor 6 may not import floor 7):"
            " use crate::pipeline::Pipeline"
        )
        self.found("call/hedge.rs", "//! Hedges.\n\nuse crate::pipeline::Pipeline;\n", line)

    def test_nested_braces_and_renames(self) -> None:
        text = (
            "use crate::{\n    error::{self, Error as E},\n    call::{hedge::{hedged as h}},\n};\n"
        )
        self.found("target.rs", text, "core/src/target.rs:3 target imports call (floor 4")

    def test_through_a_renamed_room(self) -> None:
        text = "use crate as root;\nfn f() -> root::call::Call { root::call::Call }\n"
        line = "core/src/limit.rs:2 limit imports call"
        self.found("limit.rs", text, line)

    def test_super_chains(self) -> None:
        text = "fn f() { super::super::pipeline::run() }\n"
        self.found("call/hedge.rs", text, "core/src/call/hedge.rs:1 call imports pipeline")

    def test_super_of_an_inline_module(self) -> None:
        text = "mod inner {\n    use super::super::client::Client;\n}\n"
        self.found("wire.rs", text, "core/src/wire.rs:2 wire imports client")

    def test_self_leads_to_an_import(self) -> None:
        text = "use crate::provider;\nfn f() { self::provider::Provider; }\n"
        lines = [
            f"core/src/http.rs:{n} http imports provider (both stand on floor 2" for n in (1, 2)
        ]
        self.found("http.rs", text, *lines, **{"core/src/config.rs": ""})

    def test_expressions_types_and_bounds(self) -> None:
        text = (
            "struct X(Vec<crate::call::Call>);\n"
            "fn f<T: crate::client::Client>() where T: Sized {\n"
            "    let x = <X as crate::services::Services>::new(0..crate::pipeline::END);\n"
            "}\n"
        )
        rooms = [(1, "call"), (2, "client"), (3, "services"), (3, "pipeline")]
        self.found(
            "wire.rs", text, *[f"core/src/wire.rs:{n} wire imports {room}" for n, room in rooms]
        )

    def test_macros(self) -> None:
        text = 'fn f() {\n    println!("{}", crate::call::Call);\n}\n'
        text += "macro_rules! m { () => { $crate::client::Client } }\n"
        lines = (
            "core/src/model.rs:2 model imports call",
            "core/src/model.rs:4 model imports client",
        )
        self.found("model.rs", text, *lines)

    def test_a_macro_without_an_import(self) -> None:
        lib = "#[macro_use]\nmod call;\n" + MODS.replace("mod call;", "")
        more = {"core/src/call/mod.rs": "mod hedge;\nmacro_rules! called { () => {} }\n"}
        more |= {"core/src/call/hedge.rs": "", "core/src/lib.rs": lib}
        self.found(
            "wire.rs", "fn f() { called!() }\n", "core/src/wire.rs:1 wire imports call", **more
        )

    def test_code_in_attributes(self) -> None:
        text = '#[serde(with = "crate::config::read")]\nstruct X;\n'
        self.found("wire.rs", text, "core/src/wire.rs:1 wire imports config")

    def test_a_use_in_a_block(self) -> None:
        text = "fn f() {\n    use crate::config::Config;\n}\n"
        self.found("auth.rs", text, "core/src/auth.rs:2 auth imports config")

    def test_everything_of_a_room(self) -> None:
        text = "use crate::call::*;\nfn f(_: Call) {}\n"
        lines = [f"core/src/wire.rs:{n} wire imports call" for n in (1, 2)]
        self.found("wire.rs", text, *lines)

    def test_a_reexport_is_an_import(self) -> None:
        text = "pub use crate::call::Call;\n"
        self.found("observe.rs", text, "core/src/observe.rs:1 observe imports call")

    def test_a_reexport_of_another_room(self) -> None:
        """`retry` may import `error` alone, and so not what error passes on from json."""
        more = {"core/src/error.rs": "pub use crate::json::Object;\npub struct Error;\n"}
        line = "core/src/retry.rs:1 retry imports json (retry may import only error)"
        text = "use crate::error::Object;\npub struct RetryPolicy;\n"
        self.found("retry.rs", text, line, **more)

    def test_a_reexport_over_two_rooms_with_another_name(self) -> None:
        more = {
            "core/src/call/mod.rs": TOY["core/src/call/mod.rs"]
            + "pub use crate::http::Pool as P;\n",
            "core/src/services.rs": "pub use crate::call::P as Q;\n",
        }
        lines = (
            "core/src/services.rs:1 services imports call",
            "core/src/target.rs:2 target imports call",
            "core/src/target.rs:2 target imports http (target may never import http)",
            "core/src/target.rs:2 target imports services",
        )
        found = violations({"core/src/target.rs": "\nuse crate::services::Q;\n"} | more)
        self.assertEqual(len(found), 4, found)
        for line, begin in zip(sorted(found), lines, strict=True):
            self.assertTrue(line.startswith(begin), line)

    def test_a_reexport_by_a_star(self) -> None:
        more = {"core/src/error.rs": "pub use crate::json::*;\npub struct Error;\n"}
        text = "use crate::error::Value;\npub struct RetryPolicy;\n"
        self.found("retry.rs", text, "core/src/retry.rs:1 retry imports json", **more)

    def test_the_face_inside(self) -> None:
        self.found(
            "call/hedge.rs", "use crate::Client;\n", "core/src/call/hedge.rs:1 call imports client"
        )

    def test_rooms_of_the_same_floor(self) -> None:
        pairs = (
            "target operation|limit provider|provider http|provider auth|http auth|admission call"
        )
        for room, other in (pair.split() for pair in pairs.split("|")):
            text = f"use crate::{other};\n"
            self.found(
                f"{room}.rs", text, f"core/src/{room}.rs:1 {room} imports {other} (both stand"
            )

    def test_only_some_items(self) -> None:
        text = "use crate::retry::{RetryPolicy, decide};\n"
        self.found(
            "model.rs", text, "core/src/model.rs:1 model imports retry (of retry only RetryPolicy)"
        )
        self.found("model.rs", "use crate::retry::*;\n", "core/src/model.rs:1 model imports retry")
        text = "use crate::http::{self, Timeouts};\nfn f(_: http::Pool) {}\n"
        self.found("config.rs", text, "core/src/config.rs:2 config imports http (of http only")

    def test_who_knows_both(self) -> None:
        text = "use crate::provider::Provider;\nuse crate::http::Pool;\n"
        lines = [
            f"core/src/services.rs:{n} services imports {room} (only call may know both"
            for n, room in ((1, "provider"), (2, "http"))
        ]
        self.found("services.rs", text, *lines)
        self.allowed("call/hedge.rs", text)

    def test_operation_keeps_to_its_list(self) -> None:
        text = "use crate::auth::Auth;\n"
        self.found(
            "operation.rs", text, "core/src/operation.rs:1 operation imports auth (operation may"
        )

    def test_a_room_without_a_floor(self) -> None:
        more = {"core/src/lib.rs": MODS + "mod attic;\n"}
        self.found("attic.rs", "", "core/src/attic has no floor", **more)

    def test_behind_code_for_tests(self) -> None:
        text = "#[cfg(test)]\nuse x::{A, B};\n#[cfg(not(test))]\nuse crate::call::Call;\n"
        self.found("wire.rs", text, "core/src/wire.rs:4 wire imports call")
        text = "#[cfg(test)]\nconst X: T = T { a: 1 };\nuse crate::call::Call;\n"
        self.found("wire.rs", text, "core/src/wire.rs:3 wire imports call")
        text = "struct S {\n    #[cfg(test)]\n    a: u8,\n    b: crate::call::Call,\n}\n"
        self.found("wire.rs", text, "core/src/wire.rs:4 wire imports call")


class Allowed(LayersTest):
    """What looks like an import of another room and is none, or is an allowed one."""

    def test_the_toy_itself(self) -> None:
        self.assertEqual(violations({}), [])

    def test_downwards_and_listed_pairs(self) -> None:
        text = "use crate::{admission::Admission, pipeline as p, services, json::json};\n"
        self.allowed("client.rs", text)
        self.allowed("auth.rs", "use crate::http::Pool;\n")
        self.allowed("config.rs", "use crate::{http, provider};\nfn f(_: http::Timeouts) {}\n")
        self.allowed("services.rs", "use crate::observe::Observer;\n")

    def test_the_crate_of_a_rooms_name(self) -> None:
        self.allowed(
            "provider.rs", "use ::http::Uri;\nfn f(_: ::http::Uri) {}\nuse http::Method;\n"
        )

    def test_locals_and_modules_of_a_rooms_name(self) -> None:
        text = (
            "mod client { pub fn new() {} }\nuse std::process as call;\n"
            "fn f(pipeline: X) { client::new(); self::client::new(); call::exit(1);\n"
            "    pipeline.call(); let services = X { target: 1 }; <X>::client::<u8>(); }\n"
        )
        self.allowed("wire.rs", text)

    def test_comments_strings_and_characters(self) -> None:
        text = (
            "//! [`crate::call::Call`]\n/* crate::call /* nested */ crate::client */\n"
            '#[doc = "crate::call::Call"]\nfn f<\'a>() { "use crate::call::Call;"; \'"\'; b\'"\';\n'
            '    r#""crate::call"#; \'{\'; \'\\\'\'; "\\"crate::call"; }\n'
        )
        self.allowed("wire.rs", text)

    def test_visibility_is_no_import(self) -> None:
        text = "pub(in crate::call) struct X(pub(crate) u8, pub (super) u8);\n"
        self.allowed("wire.rs", text)

    def test_code_for_tests(self) -> None:
        text = (
            "#[cfg(test)]\nmod tests {\n    use crate::call::Call;\n}\n"
            "#[cfg(all(test, unix))]\nuse crate::call::Call;\n"
            "#[cfg(test)]\nfn f() -> [u8; 2] { crate::call::f() }\n"
            "#[cfg(test)]\nconst X: u8 = { 1 } + crate::call::X;\n"
            "fn g() {\n    #[cfg(test)]\n    crate::call::f();\n}\n"
        )
        self.allowed("wire.rs", text)

    def test_files_for_tests(self) -> None:
        call = "use crate::call::Call;\n"
        files = {
            "core/src/wire.rs": '#[cfg(test)]\n#[path = "wire_tests.rs"]\nmod tests;\n',
            "core/src/wire_tests.rs": call + "mod deep;\n",
            "core/src/limit.rs": "#[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod fake;\n",
            "core/src/limit/tests.rs": call,
            "core/src/limit/tests/deep.rs": call,
            "core/src/limit/fake.rs": call,
            "core/src/auth.rs": "mod fake;\n",
            "core/src/auth/fake.rs": "#![cfg(test)]\n" + call,
        }
        self.assertEqual(violations(files), [])


class Files(LayersTest):
    """Circles and sizes."""

    def test_a_child_and_its_parent(self) -> None:
        text = "pub mod hedge;\npub struct Call;\nfn f() { hedge::hedged(&Call) }\n"
        line = (
            "core/src/call/hedge.rs:1 (use super::Call) → core/src/call/mod.rs:3 (hedge::hedged) → "
        )
        self.found("call/mod.rs", text, line)
        self.found(
            "call/mod.rs", text.replace("fn f", "use hedge::hedged;\nfn f"), line.split("→")[0]
        )

    def test_what_a_parent_passes_on_and_uses(self) -> None:
        text = "mod hedge;\npub use hedge::hedged;\npub struct Call;\nfn f() { hedged(&Call) }\n"
        self.found(
            "call/mod.rs",
            text,
            "core/src/call/hedge.rs:1 (use super::Call) → core/src/call/mod.rs:4",
        )

    def test_what_a_parent_only_passes_on(self) -> None:
        self.allowed("call/mod.rs", "pub mod hedge;\npub use hedge::hedged;\npub struct Call;\n")
        text = "pub mod hedge;\npub use hedge::hedged;\nuse self::hedge as _;\npub struct Call;\n"
        self.allowed("call/mod.rs", text + "fn f(call: Call) { call.hedged() }\n")
        text = "mod hedge;\npub use hedge::*;\nenum E { A, Hedged(u8) }\nfn f() {}\n"
        hedge = {"core/src/call/hedge.rs": "pub struct Hedged;\nfn f() { super::f() }\n"}
        self.assertEqual(violations({"core/src/call/mod.rs": text} | hedge), [])

    def test_round_a_corner(self) -> None:
        files = {
            "simulator/src/lib.rs": "mod a; mod b; mod c;\n",
            "simulator/src/a.rs": "use crate::b::B;\npub struct A(B);\n",
            "simulator/src/b.rs": "pub struct B(crate::c::C);\n",
            "simulator/src/c.rs": "use crate::a::*;\npub struct C;\n",
            "simulator/src/main.rs": "",
        }
        found = violations(files)
        self.assertEqual(len(found), 1, found)
        self.assertIn("a.rs:1 (use crate::b::B) → simulator/src/b.rs:1 (crate::c::C) → ", found[0])

    def test_exceptions_only_shrink(self) -> None:
        upwards = {"core/src/wire.rs": "use crate::call::Call;\n"}
        key = ("core/src/wire.rs", "call")
        self.assertEqual(violations(upwards, key), [])
        self.assertEqual(
            violations({}, key),
            ["core/src/wire.rs needs no exception for call any more: take it out"],
        )
        circle = {
            "core/src/call/mod.rs": "pub mod hedge;\npub struct Call;\nfn f() { hedge::hedged() }\n"
        }
        key = ("core/src/call/mod.rs", "core/src/call/hedge.rs")
        self.assertEqual(violations(circle, key), [])
        self.assertEqual(len(violations({}, key)), 1)

    def test_sizes(self) -> None:
        self.allowed("wire.rs", "//\n" * 400)
        self.found("wire.rs", "//\n" * 401, "core/src/wire.rs has 401 lines, at most 400")
        self.found("pipeline.rs", "//\n" * 151, "core/src/pipeline.rs has 151 lines, at most 150")

    def test_a_file_of_no_module(self) -> None:
        self.found("call/lost.rs", "", "core/src/call/lost.rs belongs to no module")

    def test_a_file_that_cannot_be_read(self) -> None:
        for text in ("fn f() {", "use crate::;", "/* ", 'r#"', "}"):
            with self.assertRaises(RustError):
                violations({"core/src/wire.rs": text})


class Outside(LayersTest):
    """What stands above the engine."""

    def outside(self, file: str, text: str, *expected: str) -> None:
        """The file brings these violations."""
        found = violations({file: text})
        self.assertEqual(len(found), len(expected), found)
        for line, begin in zip(found, expected, strict=True):
            self.assertTrue(line.startswith(begin), line)

    def test_what_is_public_for_tests(self) -> None:
        text = "use ::liter_llm_core::{Client, http::Pool};\n"
        text += "use liter_llm_core as core;\nfn f(_: core::json::Value) {}\n"
        lines = (
            "imports http of core (public for tests alone)",
            "imports json of core (public",
        )
        file = "bindings/c/src/work.rs"
        self.outside(file, text, f"{file}:1 {lines[0]}", f"{file}:3 {lines[1]}")
        self.outside("core/examples/x.rs", text)

    def test_what_is_no_face(self) -> None:
        file = "fuzz/src/lib.rs"
        line = f"{file}:1 imports call of core (not in its face)"
        self.outside(file, "fn f() { liter_llm_core::call::f() }\n", line)

    def test_everything(self) -> None:
        file = "bindings/c/src/work.rs"
        self.outside(file, "use liter_llm_core::*;\n", f"{file}:1 imports all of core")

    def test_tests_of_the_bindings(self) -> None:
        text = "#[cfg(test)]\nmod tests {\n    use liter_llm_core::json::Value;\n}\n"
        self.outside("bindings/c/src/work.rs", text)
        self.outside("bindings/c/src/work_tests.rs", text.replace("#[cfg(test)]", ""))


if __name__ == "__main__":
    unittest.main()
