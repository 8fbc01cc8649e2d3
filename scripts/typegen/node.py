"""TypeScript: `documents.d.ts` of what is asked and answered, `settings.d.ts` of how and where."""

from __future__ import annotations

import json
import textwrap

from .documents import HEAD, Documents
from .tree import (
    Alias,
    Definition,
    Items,
    Member,
    Named,
    Off,
    Record,
    Scalar,
    Table,
    Type,
    Union,
    Words,
    explained,
)

RENAMED = {
    "Provider": "ProviderConfig",
    "Model": "ModelConfig",
    "ToolCallIn": "CalledTool",
    "Audio": "InputAudio",
    "File": "InputFile",
    "Chunk": "ChunkDocument",
    "Reset": "ResetDocument",
    "Response": "ResponseDocument",
}
NAMED = {"Part", "ToolChoice", "ResponseFormat", "FinishReason", "Kind"}
"""Unions and words with names of their own; others are written out where they are used."""

SCALARS = {
    "text": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "any": "unknown",
}
WIDTH = 100

DOCUMENTS_HEAD = f"""// {HEAD}
//
// What is asked and what is answered, by the names that the contract has (docs/contract.md).

"""
SETTINGS_HEAD = f"""// {HEAD}
//
// How and where things are done: a request's options and a client's configuration.

"""
JSON = "/** An object with any members. */\nexport type Json = Record<string, unknown>;\n"


def documents(of: Documents) -> str:
    """The text of `documents.d.ts`."""
    tree = of.tree
    settings = set(tree.reached(*of.settings))
    asked = tree.reached(*of.asked)
    here = [name for name in asked if name not in settings or name == "Reasoning"]
    answered = [name for name in tree.reached(*of.answered) if name not in here]
    out = [DOCUMENTS_HEAD, 'import type { Options } from "./settings.js";\n\n']
    out += ['export type * from "./settings.js";\n\n', JSON]
    out += [_Writer(of, "readonly ").definition(tree.definitions[name]) for name in here]
    out += [_Writer(of, "").definition(tree.definitions[name]) for name in answered]
    return "".join(out)


def settings(of: Documents) -> str:
    """The text of `settings.d.ts`."""
    tree = of.tree
    names = [name for name in tree.reached(*of.settings) if name != "Reasoning"]
    out = [SETTINGS_HEAD, 'import type { Json, Reasoning } from "./documents.js";\n']
    out += [_Writer(of, "readonly ").definition(tree.definitions[name]) for name in names]
    return "".join(out)


def comment(text: str, indent: str) -> str:
    """A comment for hover text, folded."""
    lines: list[str] = []
    for line in text.replace("*/", "* /").split("\n"):
        hanging = "  " if line.startswith("- ") else ""
        width = WIDTH - len(indent) - 7
        lines += textwrap.wrap(line, width, subsequent_indent=hanging, break_on_hyphens=False)
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


class _Writer:
    """Writes definitions. `lists`: what stands before those of what is only read."""

    def __init__(self, of: Documents, lists: str) -> None:
        self.of = of
        self.lists = lists

    def definition(self, found: Definition) -> str:
        """An interface, or a type with a name; "" for what is written out where it is used."""
        name = RENAMED.get(found.name, found.name)
        if isinstance(found, Alias):
            if found.name not in NAMED:
                return ""
            doc = self.words(found)
            return "\n" + comment(doc, "") + self.alias(name, found.type)
        out = ["\n", comment(found.doc, ""), f"export interface {name} {{\n"]
        for member in self.of.shown(found, later=True).members:
            out.append(comment(explained(member, self.of.tree), "  "))
            out.append(f"  {member.name}{self.mark(member)}: {self.member(member)};\n")
        if found.open:
            out.append(comment("What further members say is handed on as it is.", "  "))
            out.append("  [member: string]: unknown;\n")
        return "".join([*out, "}\n"])

    def words(self, found: Alias) -> str:
        """The explanation of words, with that of each."""
        member = Member("", found.doc, found.type, required=True, nullable=False)
        return explained(member, self.of.tree)

    def mark(self, member: Member) -> str:
        """A question mark where the member may be absent."""
        return "" if member.required else "?"

    def member(self, member: Member) -> str:
        """A member's type, with null where that is one of its values."""
        kind = self.type(member.type)
        return f"{kind} | null" if member.nullable and kind != "unknown" else kind

    def alias(self, name: str, kind: Type) -> str:
        """A name for a union, on one line where that is short."""
        forms = self.type(kind).split(" | ")
        line = f"export type {name} = {' | '.join(forms)};\n"
        if len(line) <= WIDTH:
            return line
        return f"export type {name} =\n  | " + "\n  | ".join(forms) + ";\n"

    def type(self, kind: Type) -> str:
        """A type as TypeScript writes it."""
        match kind:
            case Scalar():
                return SCALARS[kind.kind]
            case Words():
                return " | ".join(json.dumps(word) for word, _ in kind.words)
            case Off():
                return "false"
            case Items():
                inner = self.type(kind.of)
                return f"{self.lists}{f'({inner})' if ' | ' in inner else inner}[]"
            case Table(Scalar("any")):
                return "Json"
            case Table():
                return f"Record<string, {self.type(kind.of)}>"
            case Union():
                forms = sorted(kind.forms, key=lambda form: isinstance(form, Off))
                return " | ".join(self.type(form) for form in forms)
            case Named():
                return self.named(kind.name)

    def named(self, name: str) -> str:
        """A definition by name, or written out."""
        found = self.of.tree.definitions[name]
        if isinstance(found, Record) or name in NAMED:
            return RENAMED.get(name, name)
        return self.type(found.type)
