"""The neutral tree between the schemas and the languages: records, words and unions by name.

`read` takes the schema documents apart. It knows the vocabulary that the project's schemas use, and
what it does not know is an error: nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


class SchemaError(Exception):
    """A schema has something that no language would be given; the message says where."""


@dataclass(frozen=True)
class Scalar:
    """`kind`: text, integer, number, boolean or any. `minimum`: of integers, where it is said."""

    kind: str
    minimum: int | None = None


@dataclass(frozen=True)
class Words:
    """One of these texts. Each has its explanation, or "" where there is none."""

    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Off:
    """`false`, in place of settings."""


@dataclass(frozen=True)
class Items:
    """A list."""

    of: Type


@dataclass(frozen=True)
class Table:
    """An object with any names."""

    of: Type


@dataclass(frozen=True)
class Named:
    """The definition of this name."""

    name: str


@dataclass(frozen=True)
class Union:
    """One of these forms."""

    forms: tuple[Type, ...]


Type = Scalar | Words | Off | Items | Table | Named | Union


@dataclass(frozen=True)
class Member:
    """A member of a record. One that is not required may be absent; `nullable`: it may be null."""

    name: str
    doc: str
    type: Type
    required: bool
    nullable: bool


@dataclass(frozen=True)
class Record:
    """An object with these members. `open`: further ones are meant to be there."""

    name: str
    doc: str
    members: tuple[Member, ...]
    open: bool


@dataclass(frozen=True)
class Alias:
    """A name for words or a union."""

    name: str
    doc: str
    type: Type


Definition = Record | Alias


@dataclass
class Tree:
    """All definitions by name, and the name of each document's own."""

    definitions: dict[str, Definition] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)

    def resolved(self, kind: Type) -> Type | Record:
        """What stands behind a name: a record, or the type of an alias."""
        if not isinstance(kind, Named):
            return kind
        found = self.definitions[kind.name]
        return found if isinstance(found, Record) else self.resolved(found.type)

    def reached(self, *names: str) -> list[str]:
        """The definitions that these need, each behind all that it needs itself."""
        order: list[str] = []
        begun: set[str] = set()

        def visit(name: str) -> None:
            if name in begun:
                return
            begun.add(name)
            for inner in uses(self.definitions[name]):
                visit(inner)
            order.append(name)

        for name in names:
            visit(name)
        return order


def uses(part: Definition | Type) -> Iterator[str]:
    """The names that a definition or a type mentions."""
    match part:
        case Record():
            for member in part.members:
                yield from uses(member.type)
        case Alias():
            yield from uses(part.type)
        case Named():
            yield part.name
        case Items() | Table():
            yield from uses(part.of)
        case Union():
            for form in part.forms:
                yield from uses(form)


def read(documents: dict[str, dict[str, Any]], renamed: dict[str, str]) -> Tree:
    """The tree of schema documents, by the names of their files. `renamed`: better names."""
    tree = Tree()
    for stem, document in documents.items():
        reader = _Reader(tree, document.get("$defs", {}), renamed)
        for key, schema in document.get("$defs", {}).items():
            reader.define(reader.name(key), schema)
        tree.roots[stem] = reader.define_titled(stem, document)
    return tree


def merged(record: Record, more: Record) -> Record:
    """A record with the members of another one behind its own."""
    return Record(record.name, record.doc, record.members + more.members, record.open)


_KEYWORDS = {"type", "properties", "required", "items", "minItems", "maxItems", "minimum"}
_KEYWORDS |= {"description", "title", "$schema", "$defs", "$ref", "anyOf", "oneOf", "enum", "const"}
_KEYWORDS |= {"additionalProperties", "maximum"}
_SCALARS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}


@dataclass
class _Reader:
    """Reads one document's definitions into the tree."""

    tree: Tree
    definitions: dict[str, Any]
    renamed: dict[str, str]

    def name(self, key: str) -> str:
        """The name of a definition: its title, or its key without "Document"."""
        title = self.definitions.get(key, {}).get("title", key.removesuffix("Document"))
        return self.renamed.get(title, title)

    def define_titled(self, where: str, schema: dict[str, Any]) -> str:
        """Puts what is no definition but has a title into the tree; its name."""
        if "title" not in schema:
            raise SchemaError(f"{where}: an object of its own needs a title, which is its name")
        return self.define(self.renamed.get(schema["title"], schema["title"]), schema)

    def define(self, name: str, schema: dict[str, Any]) -> str:
        """Puts a definition into the tree; its name. One that is there already has to be equal."""
        doc = _said(schema)
        if not doc:
            raise SchemaError(f"{name} has no description: say in core what it is")
        found: Definition
        if "properties" in schema:
            found = self.record(name, doc, schema)
        else:
            found = Alias(name, doc, self.type(schema, name)[0])
        if self.tree.definitions.setdefault(name, found) != found:
            raise SchemaError(f"{name} is two different things: give one of them a title")
        return name

    def record(self, name: str, doc: str, schema: dict[str, Any]) -> Record:
        """An object with members."""
        self.check(schema, name)
        required = schema.get("required", ())
        members = []
        for member, inner in schema["properties"].items():
            kind, nullable = self.type(inner, f"{name}.{member}")
            said = _said(inner) or _word_doc(kind)
            if not said:
                raise SchemaError(f"{name}.{member} has no description: say in core what it is")
            members.append(Member(member, said, kind, member in required, nullable))
        return Record(name, doc, tuple(members), schema.get("additionalProperties") is True)

    def check(self, schema: dict[str, Any], where: str) -> None:
        """What is not known is an error."""
        if unknown := sorted(set(schema) - _KEYWORDS):
            raise SchemaError(f"{where}: {', '.join(unknown)} is unknown to scripts/typegen")

    def type(self, schema: dict[str, Any] | bool, where: str) -> tuple[Type, bool]:
        """A type, and whether null is one of its values."""
        if isinstance(schema, bool):
            return Scalar("any"), False
        self.check(schema, where)
        if "$ref" in schema:
            return Named(self.name(schema["$ref"].removeprefix("#/$defs/"))), False
        if "const" in schema or "enum" in schema:
            return self.constant(schema, where), False
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self.union(schema[keyword], where)
        kinds = schema.get("type", "any")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        forms = tuple(self.plain(kind, schema, where) for kind in kinds if kind != "null")
        return forms[0] if len(forms) == 1 else Union(forms), "null" in kinds

    def constant(self, schema: dict[str, Any], where: str) -> Type:
        """`false`, or words."""
        values = schema.get("enum", [schema.get("const")])
        if values == [False]:
            return Off()
        if not all(isinstance(value, str) for value in values):
            raise SchemaError(f"{where}: {values} are no words")
        return Words(tuple((value, "") for value in values))

    def union(self, schemas: list[dict[str, Any]], where: str) -> tuple[Type, bool]:
        """Forms; several words are one type."""
        if all(isinstance(one.get("const", one.get("enum")), str | list) for one in schemas):
            words: list[tuple[str, str]] = []
            for one in schemas:
                values = one.get("enum", [one.get("const")])
                words += [(value, _said(one)) for value in values]
            return Words(tuple(words)), False
        forms: list[Type] = []
        nullable = False
        for one in schemas:
            if one.get("type") == "null":
                nullable = True
            elif "properties" in one:
                forms.append(Named(self.define_titled(where, one)))
            else:
                kind, null = self.type(one, where)
                forms.append(kind)
                nullable |= null
        return forms[0] if len(forms) == 1 else Union(tuple(forms)), nullable

    def plain(self, kind: str, schema: dict[str, Any], where: str) -> Type:
        """What `type` says."""
        if kind == "any":
            return Scalar("any")
        if kind == "array":
            return Items(self.type(schema.get("items", True), where)[0])
        if kind == "object":
            if "properties" in schema:
                return Named(self.define_titled(where, schema))
            return Table(self.type(schema.get("additionalProperties", True), where)[0])
        if kind not in _SCALARS:
            raise SchemaError(f"{where}: the type {kind} is unknown to scripts/typegen")
        minimum = schema.get("minimum") if kind == "integer" else None
        return Scalar(_SCALARS[kind], minimum)


def _said(schema: dict[str, Any]) -> str:
    """A schema's explanation: the lines of the source are none of it."""
    return " ".join(schema.get("description", "").split())


def _word_doc(kind: Type) -> str:
    """What there is to say of a member that is always the same word."""
    if isinstance(kind, Words) and len(kind.words) == 1:
        return f"`{kind.words[0][0]}`."
    return ""


def explained(member: Member, tree: Tree) -> str:
    """A member's explanation, and that of each word that it may be."""
    kind = tree.resolved(member.type)
    if not isinstance(kind, Words) or len(kind.words) == 1 or not all(doc for _, doc in kind.words):
        return member.doc
    words = [f"- `{word}`: {uncapitalised(doc)}" for word, doc in kind.words]
    return "\n".join([member.doc, *words])


def uncapitalised(doc: str) -> str:
    """A sentence as it stands behind a colon: small, where its first word is no name."""
    common = "A An The It Its In By No Not None Some Another Who What Why How Of Prompt Credit Too"
    common += " What This There Something Everything Settings Parts Further Several Retries Limits"
    common += " Plain Whether Token Tokens Milliseconds Text Members One Where"
    return doc[0].lower() + doc[1:] if doc.split()[0].strip(",.:;") in common.split() else doc
