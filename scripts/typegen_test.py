"""Tests of the generator: each kind of thing that a schema says, and what the languages make of it.

`python3 scripts/typegen_test.py`; `make lint` runs it.
"""

from __future__ import annotations

import unittest
from typing import Any

from typegen import go, node, python
from typegen.documents import Documents, sort
from typegen.names import RENAMED
from typegen.tree import SchemaError, read


def text(doc: str, **more: Any) -> dict[str, Any]:
    """A string with an explanation."""
    return {"type": "string", "description": doc} | more


def record(title: str, required: str = "", **members: Any) -> dict[str, Any]:
    """An object with these members."""
    schema = {"type": "object", "title": title, "description": f"The {title}."}
    return schema | {"properties": members, "required": required.split()}


OPTIONS = record("Options", provider=text("The provider.", type=["string", "null"]))


def documents(
    request: dict[str, Any] | None = None, answer: dict[str, Any] | None = None, **defs: Any
) -> Documents:
    """The documents of an operation `toy` with these members."""
    options = {"anyOf": [{"$ref": "#/$defs/OptionsDocument"}, {"type": "null"}]}
    members = (request or {}) | {"options": options | {"description": "How."}}
    asked = record("ToyRequest", **members)
    answered = record("ToyResponse", **(answer or {"id": text("Its id.")}))
    definitions = defs | {"OptionsDocument": OPTIONS}
    schemas = {"toy_request": asked, "options": OPTIONS, "toy_response": answered}
    whole = {stem: schema | {"$defs": definitions} for stem, schema in schemas.items()}
    return sort(read(whole, RENAMED))


def member(schema: dict[str, Any], **defs: Any) -> tuple[str, str, str]:
    """What a member `it` of a request is: Python's file, TypeScript's, Go's."""
    made = documents({"it": schema}, **defs)
    return python.types(made), node.documents(made), "".join(go.files(made).values())


class Asked(unittest.TestCase):
    """Members of requests."""

    def holds(self, written: tuple[str, str, str], *wanted: str) -> None:
        """Each language's file has its line, whatever the white space."""
        for file, line in zip(written, wanted, strict=True):
            self.assertIn("".join(line.split()), "".join(file.split()))

    def test_scalars(self) -> None:
        wanted = {
            "string": ("it: str | None", "it?: string | null;", "It string"),
            "boolean": ("it: bool | None", "it?: boolean | null;", "It *bool"),
            "number": ("it: float | None", "it?: number | null;", "It *float64"),
            "integer": ("it: int | None", "it?: number | null;", "It *int"),
        }
        for kind, lines in wanted.items():
            with self.subTest(kind):
                self.holds(member({"type": [kind, "null"], "description": "It."}), *lines)

    def test_a_number_from_one_on_needs_no_pointer(self) -> None:
        written = member({"type": ["integer", "null"], "minimum": 1, "description": "It."})
        self.holds(written, "it: int | None", "it?: number | null;", "It int `json")

    def test_anything(self) -> None:
        self.holds(member({"description": "It."}), "it: Any", "it?: unknown;", "It any")

    def test_every_member_is_explained(self) -> None:
        written = member(text("What it is for."))
        self.holds(
            written,
            'it: str """What it is for."""',
            "/** What it is for. */ it?: string;",
            "// What it is for.\nIt string",
        )

    def test_words_are_explained_each(self) -> None:
        words = [text("The one.", const="one"), text("The other.", const="other")]
        written = member({"oneOf": words, "description": "Which."})
        self.holds(
            written,
            'it: Literal["one", "other"]'.replace('"', "'"),
            'it?: "one" | "other";',
            '// - "one": the one.\n// - "other": the other.\nIt string',
        )

    def test_false_in_place_of_settings(self) -> None:
        forms = [{"type": "boolean", "const": False}, {"$ref": "#/$defs/Set"}]
        written = member({"anyOf": forms, "description": "It."}, Set=record("Set", a=text("A.")))
        self.holds(written, "it: Set | Literal[False]", "it?: Set | false;", "It *Set")
        self.holds(written, "", "", 'Off bool `json:"-"`')

    def test_a_text_in_place_of_a_record(self) -> None:
        forms = [text("Its name."), {"$ref": "#/$defs/Set"}]
        made = record("Set", "a", a=text("A."))
        written = member({"anyOf": forms, "description": "It."}, Set=made)
        short = "if d.peek() == '\"' { v.A = d.string()\n return }"
        self.holds(written, "it: str | Set", "it?: string | Set;", short)

    def test_one_text_or_several(self) -> None:
        forms = [text("One."), {"type": "array", "items": {"type": "string"}}]
        written = member({"anyOf": forms, "description": "It."})
        self.holds(
            written, "it: str | Sequence[str]", "it?: string | readonly string[];", "It []string"
        )

    def test_a_text_or_records(self) -> None:
        items = {"type": "array", "items": {"$ref": "#/$defs/Bit"}}
        written = member(
            {"anyOf": [text("Text."), items], "description": "It."}, Bit=record("Bit", a=text("A."))
        )
        self.holds(
            written, "it: str | Sequence[Bit]", "it?: string | readonly Bit[];", "Bits []Bit"
        )

    def test_a_number_or_a_word(self) -> None:
        forms = [{"type": "integer", "minimum": 0}, {"$ref": "#/$defs/Best"}]
        best = {"oneOf": [text("Which is best.", const="best")], "description": "Best."}
        written = member({"anyOf": forms, "description": "It."}, Best=best)
        go_fields = (
            'It int `json:"it,omitempty"` // "best" in place of It. Which is best.\nBest bool'
        )
        self.holds(written, "it: int | Literal['best']", 'it?: number | "best";', go_fields)

    def test_objects_with_any_names(self) -> None:
        free = {"type": "object", "additionalProperties": True, "description": "It."}
        wanted = ("it: Mapping[str, Any]", "it?: Json;", "It map[string]any")
        self.holds(member(free), *wanted)
        named = free | {"additionalProperties": {"$ref": "#/$defs/Set"}}
        wanted = ("it: Mapping[str, Set]", "it?: Record<string, Set>;", "It map[string]Set")
        self.holds(member(named, Set=record("Set", a=text("A."))), *wanted)

    def test_records_told_apart_by_their_type(self) -> None:
        forms = [
            record("RedThing", "type", type={"const": "red"}, red=text("How red.")),
            record("BlueThing", "type", type={"const": "blue"}, blue=text("How blue.")),
        ]
        thing = {"oneOf": forms, "description": "A thing."}
        written = member({"$ref": "#/$defs/Thing", "description": "It."}, Thing=thing)
        self.holds(written, "it: RedThing | BlueThing", "it?: RedThing | BlueThing;", "It *Thing")
        self.holds(written, "", "", '// How red. Red string `json:"red,omitempty"` // How blue.')
        self.holds(written, "", "", 'kind = e.only(kind, "blue"')

    def test_a_record_that_is_open_keeps_all(self) -> None:
        made = record("Set", a=text("A.")) | {"additionalProperties": True}
        written = member({"$ref": "#/$defs/Set", "description": "It."}, Set=made)
        self.holds(written, "it: Set", "[member: string]: unknown;", "Members map[string]any")
        self.holds(written, "", "", "v.Members = d.other(v.Members, name)")


class Answered(unittest.TestCase):
    """Members of answers, and what an operation needs."""

    def test_what_may_be_absent(self) -> None:
        members = {
            "count": {"type": ["integer", "null"], "minimum": 0, "description": "So many."},
            "late": {"type": "boolean", "description": "Whether it is late."},
            "more": {"type": "object", "additionalProperties": True, "description": "More."},
        }
        made = documents(answer=members)
        classes = python.models(made)
        self.assertIn("count: int | None\n", classes)
        self.assertIn("_absent = {'late': False}\n", classes)
        self.assertIn("late: bool\n", classes)
        self.assertIn("more: Document | None\n", classes)
        self.assertIn("late?: boolean;\n", node.documents(made))
        written = go.files(made)["gen_response.go"]
        for line in ("Count *int64", "Late bool", "More JSON", "v.Count = d.count()"):
            self.assertIn(line, written)

    def test_an_operation_needs_its_schemas_only(self) -> None:
        made = documents({"it": text("It.")})
        self.assertIn("class ToyMembers(_ToyRequestMembers, Options", python.types(made))
        self.assertIn("class ToyResponse(Document)", python.models(made))
        self.assertIn("export interface ToyRequest {", node.documents(made))
        self.assertIn("export interface ToyResponse {", node.documents(made))
        files = go.files(made)
        self.assertNotIn("v.Options.value(e)", files["gen_request.go"])
        self.assertIn("func (v *ToyRequest) encode() (*encoder, error)", files["gen_request.go"])
        self.assertIn("func readToyResponse(document string)", files["gen_response.go"])
        self.assertIn("func (v *ToyResponse) Document() JSON", files["gen_response.go"])

    def test_a_method_says_the_operation(self) -> None:
        made = documents({"op": text("The operation.", const="toy"), "it": text("It.")})
        written = go.files(made)["gen_request.go"]
        self.assertIn('e.text("op", "toy")', written)
        self.assertNotIn("Op string", written)

    def test_what_is_required_is_an_argument_of_the_method(self) -> None:
        schema = record("ToyRequest", "op it", op=text("Op.", const="toy"), it=text("It."))
        schema["properties"]["more"] = text("More.")
        made = sort(read({"toy_request": schema, "options": OPTIONS}, RENAMED))
        _, _, members = python.types(made).partition("class ToyMembers(Options, total=False):")
        self.assertIn("    more: str", members)
        self.assertNotIn("    it: ", members)
        self.assertNotIn("    op: ", members)

    def test_a_line_break_in_the_schema_is_none_in_the_comment(self) -> None:
        for written in member(text("It says\nmore.")):
            self.assertIn("It says more.", written)


class Faults(unittest.TestCase):
    """What is left out in silence would be missed by nobody until a user looks for it."""

    def fails(self, said: str, schema: dict[str, Any], **defs: Any) -> None:
        """The generator refuses a member, and says why."""
        with self.assertRaisesRegex(SchemaError, said):
            member(schema, **defs)

    def test_no_explanation(self) -> None:
        self.fails("ToyRequest.it has no description", {"type": "string"})

    def test_an_unknown_keyword(self) -> None:
        self.fails("ToyRequest.it: patternProperties", text("It.", patternProperties={}))

    def test_an_object_without_a_name(self) -> None:
        inner = {"type": "object", "properties": {"a": text("A.")}, "description": "In."}
        self.fails("needs a title", {"anyOf": [text("A."), inner], "description": "It."})

    def test_two_things_of_one_name(self) -> None:
        one, other = record("Set", a=text("A.")), record("Set", b=text("B."))
        self.fails("two different things", text("It."), One=one, Other=other)

    def test_a_union_that_go_has_no_form_for(self) -> None:
        forms = [{"type": "boolean"}, {"type": "integer"}]
        self.fails("Go has no form", {"anyOf": forms, "description": "It."})


if __name__ == "__main__":
    unittest.main()
