"""Python: TypedDicts of what is asked (`_types.py`), classes of what is answered (`_models.py`)."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

from .documents import HEAD, Documents
from .tree import (
    Alias,
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
    "types": {
        "Provider": "ProviderConfig",
        "Model": "ModelConfig",
        "ToolCallIn": "ToolCall",
        "CalledFunction": "ToolCallFunction",
        "Audio": "InputAudio",
        "Message": "RequestMessage",
    },
    "models": {
        "ToolCallFunction": "Function",
        "Warning": "ResponseWarning",
    },
}
EITHER = {"Message": "AssistantMessage"}
"""Records of a request in whose place an answer's own may stand: their name is a union of both."""

CLIENTS_OWN = {"ChatRequest": (("system", "str", "Instructions before the conversation."),)}
"""Keyword arguments that the package itself turns into members."""

ARGUMENTS = {"ChatRequest": ("_RequestMembers", "Members")}
"""Of each request: what it shares with the keyword arguments of its method, and their name."""

NOT_ARGUMENTS = ("op", "stream", "stream_options", "options")

PLAIN = {"Message", "Tool", "ToolChoice", "ResponseFormat"}
"""Programs have these as plain dicts, too, which no checker takes for a TypedDict."""

FILLED = ("usage",)
"""Objects of whole answers that are empty, never None, where the provider said nothing."""

BASES = {
    "Response": ("Text", ()),
    "Chunk": ("NewText", ()),
    "EmbedResponse": ("Vectors", ()),
    "Cost": (
        "Money",
        (
            "usd",
            "input_usd",
            "output_usd",
            "other_usd",
            "known_usd",
            "table_usd",
            "maybe_usd",
            "saved_usd",
        ),
    ),
    "BudgetState": ("Purse", ("limit_usd", "spent_usd", "held_usd", "left_usd")),
}
"""Classes of `_document.py` with what is computed, and the members that they stand for."""

SCALARS = {"text": "str", "integer": "int", "number": "float", "boolean": "bool", "any": "Any"}

TYPES_HEAD = f'''"""The documents that a caller writes: request, options, configuration.

{HEAD}
All are plain dicts at run time.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ._models import AssistantMessage

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    try:  # pydantic, which brings it, takes no other one
        from typing_extensions import TypedDict
    except ImportError:
        from typing import TypedDict
'''

MODELS_HEAD = f'''"""Responses: the engine's JSON objects as dicts whose members are attributes too.

{HEAD}

    response.text == response["choices"][0]["message"]["content"] or ""
    response.choices[0].message.content
    response.usage.prompt_tokens            # None where the provider did not say

Each class lists the contract's members: one that is absent reads as None. The usage of a whole
answer is never None, but may be empty.
"""

from __future__ import annotations

from ._document import Document, Money, NewText, Purse, Text, Vectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal
'''

NAMES_HEAD = f'''"""The names of keyword arguments: options, and each operation's members.

{HEAD}
"""
'''


def names(documents: Documents) -> str:
    """The text of `_names.py`."""
    tree = documents.tree
    options = tree.definitions[tree.roots["options"]]
    assert isinstance(options, Record)
    named = {member.name for member in documents.shown(options, later=True).members}
    out = [NAMES_HEAD, f"\nOPTION_NAMES = {_set(named)}\n"]
    out.append('"""Keyword arguments that are options."""\n\nMEMBER_NAMES = {\n')
    for name in documents.asked:
        record = tree.definitions[name]
        assert isinstance(record, Record)
        operation = next(member for member in record.members if member.name == "op")
        kind = tree.resolved(operation.type)
        assert isinstance(kind, Words)
        own = {one for one, _, _ in CLIENTS_OWN.get(name, ())}
        inside = {one.name for one in record.members if one.name not in NOT_ARGUMENTS}
        out.append(f'"{kind.words[0][0]}": {_set(inside | own)},\n')
    out.append('}\n"""Keyword arguments that are members of the request, of each operation."""\n')
    return "".join(out)


def _set(words: set[str]) -> str:
    return "frozenset({" + "".join(f'"{word}",' for word in sorted(words)) + "})"


def types(documents: Documents) -> str:
    """The text of `_types.py`."""
    out = [TYPES_HEAD]
    writer = _Writer(documents, "types")
    tree = documents.tree
    for name in tree.reached(*documents.asked, *documents.settings):
        found = tree.definitions[name]
        if isinstance(found, Alias):
            if writer.has_name(found.name):
                out.append(f"\n\n{writer.name(name)} = {writer.type(found.type)}\n")
                out.append(_doc(found.doc, ""))
        elif name in documents.asked:
            out += writer.request(documents.shown(found, later=True))
        else:
            out += writer.typed_dict(documents.shown(found, later=True))
            if name in EITHER:
                out.append(f"\n\n{name} = {writer.name(name)} | {EITHER[name]}\n")
                out.append(_doc("A message, written as a dict or taken from an answer.", ""))
    return "".join(out)


def models(documents: Documents) -> str:
    """The text of `_models.py`."""
    writer = _Writer(documents, "models")
    tree = documents.tree
    names = [name for name in documents.answered if name not in ("Reset", "ErrorDocument")]
    reached = [tree.definitions[name] for name in tree.reached(*names)]
    out = [MODELS_HEAD]
    for found in reached:
        if isinstance(found, Alias):
            out.append(f"\n    {found.name} = {writer.type(found.type)}\n{_doc(found.doc, '    ')}")
    for found in reached:
        if isinstance(found, Record):
            out += writer.model(found)
    return "".join(out)


def _doc(text: str, indent: str) -> str:
    """A docstring, folded."""
    lines: list[str] = []
    for line in text.split("\n"):
        hanging = "  " if line.startswith("- ") else ""
        lines += textwrap.wrap(
            line, 94 - len(indent), subsequent_indent=hanging, break_on_hyphens=False
        )
    if len(lines) == 1:
        return f'{indent}"""{lines[0]}"""\n'
    if len(lines[0]) and not lines[0].endswith((".", ":")):
        lines = _summary(text, indent)
    body = "".join(f"{indent}{line}".rstrip() + "\n" for line in lines)
    return f'{indent}"""{body.lstrip()}{indent}"""\n'


def _summary(text: str, indent: str) -> list[str]:
    """The lines of a docstring whose first sentence stands for itself, where it fits."""
    first, dot, rest = re.sub(r"\s+", " ", text.split("\n- ")[0]).partition(". ")
    listed = text.split("\n- ")[1:]
    width = 94 - len(indent)
    lines = [first + dot.strip()] if len(first) < width else textwrap.wrap(first + dot, width)
    if rest:
        lines += ["", *textwrap.wrap(rest, width)]
    for item in listed:
        lines += textwrap.wrap(f"- {item}", width, subsequent_indent="  ")
    return lines


class _Writer:
    """Writes types by their Python names."""

    def __init__(self, documents: Documents, module: str) -> None:
        self.documents = documents
        self.module = module
        self.renamed = RENAMED[module]

    def name(self, name: str) -> str:
        """The Python name of a definition."""
        return self.renamed.get(name, name)

    def has_name(self, name: str) -> bool:
        """Whether an alias has a name of its own; others are written out where they are used."""
        return self.module == "models" or name in ("Part", "ToolChoice", "ResponseFormat")

    def request(self, record: Record) -> list[str]:
        """A request, and the keyword arguments of its method."""
        shared, arguments = ARGUMENTS.get(
            record.name, (f"_{record.name}Members", f"{record.name.removesuffix('Request')}Members")
        )
        inside = tuple(m for m in record.members if m.name not in NOT_ARGUMENTS)
        outside = tuple(m for m in record.members if m.name in NOT_ARGUMENTS)
        doc = "Keyword arguments: members of the request, and options."
        if any(member.required for member in record.members):
            # What is required is an argument of the method's own.
            more = tuple(member for member in inside if not member.required)
            out = self.typed_dict(record)
            return out + self.one_dict(arguments, doc, "Options", False, more)
        members = f"Members of a {record.name}, and of the arguments of its methods."
        out = self.typed_dict(replace(record, name=shared, doc=members, members=inside))
        out += self.typed_dict(replace(record, members=outside), shared)
        out.append(f"\n\nclass {arguments}({shared}, Options, total=False):\n")
        out.append(_doc(doc, "    "))
        for name, kind, text in CLIENTS_OWN.get(record.name, ()):
            out.append(f"\n    {name}: {kind} | None\n{_doc(text, '    ')}")
        return out

    def typed_dict(self, record: Record, base: str = "") -> list[str]:
        """A TypedDict; with a private base where some members are required and some are not."""
        name = self.name(record.name)
        required = tuple(member for member in record.members if member.required)
        optional = tuple(member for member in record.members if not member.required)
        out: list[str] = []
        if required and optional:
            doc = f"The members that every {name} has."
            out += self.one_dict(f"_{name}", doc, base, True, required)
            base, required = f"_{name}", ()
        total = bool(required)
        out += self.one_dict(name, record.doc, base, total, required or optional)
        return out

    def one_dict(
        self, name: str, doc: str, base: str, total: bool, members: tuple[Member, ...]
    ) -> list[str]:
        """One class."""
        out = [f"\n\nclass {name}({base or 'TypedDict'}{'' if total else ', total=False'}):\n"]
        out.append(_doc(doc, "    ") + "\n")
        for member in members:
            kind = self.type(member.type) + (" | None" if member.nullable else "")
            out.append(f"    {member.name}: {kind}\n")
            out.append(_doc(explained(member, self.documents.tree), "    "))
        return out

    def model(self, record: Record) -> list[str]:
        """A class of an answer."""
        name = self.name(record.name)
        base, computed = BASES.get(record.name, ("Document", ()))
        members = [member for member in record.members if member.name not in computed]
        out = [f"\n\nclass {name}({base}):\n{_doc(record.doc, '    ')}\n"]
        out.append("    __slots__ = ()\n")
        nested = [(m.name, self.wrapped(m.type)) for m in members if self.wrapped(m.type)]
        if nested:
            inside = ", ".join(f'"{member}": {kind}' for member, kind in nested)
            out.append(f"    _nested = {{{inside}}}\n")
        filled = [m for m in members if m.name in FILLED and name.endswith("Response")]
        absent = [f"{m.name!r}: False" for m in members if self.reads_false(m)]
        absent += [f"{m.name!r}: {self.wrapped(m.type)}" for m in filled]
        if absent:
            out.append(f"    _absent = {{{', '.join(absent)}}}\n")
        for member in members:
            always = (member.required or self.reads_false(member)) and not member.nullable
            always = always or member in filled
            kind = self.type(member.type) + ("" if always else " | None")
            out.append(f"    {member.name}: {kind}\n")
            out.append(_doc(explained(member, self.documents.tree), "    "))
        return out

    def reads_false(self, member: Member) -> bool:
        """Whether a member that is absent reads as False: null is none of its values."""
        return member.type == Scalar("boolean") and not member.required and not member.nullable

    def wrapped(self, kind: Type) -> str:
        """The class of what a member holds, or "" where it is none."""
        if isinstance(kind, Items):
            return self.wrapped(kind.of)
        resolved = self.documents.tree.resolved(kind)
        return self.name(resolved.name) if isinstance(resolved, Record) else ""

    def type(self, kind: Type) -> str:
        """A type as Python writes it."""
        match kind:
            case Scalar():
                return SCALARS[kind.kind]
            case Words():
                return f"Literal[{', '.join(f'{word!r}' for word, _ in kind.words)}]"
            case Off():
                return "Literal[False]"
            case Items():
                inner = self.type(kind.of)
                return f"list[{inner}]" if self.module == "models" else f"Sequence[{inner}]"
            case Table():
                if self.module == "models":
                    return "Document"
                return f"Mapping[str, {self.type(kind.of)}]"
            case Union():
                forms = sorted(kind.forms, key=lambda form: isinstance(form, Off))
                return " | ".join(self.type(form) for form in forms)
            case Named():
                return self.named(kind.name)

    def named(self, name: str) -> str:
        """A definition by name, or written out."""
        found = self.documents.tree.definitions[name]
        if isinstance(found, Alias) and not self.has_name(name):
            return self.type(found.type)
        plain = " | Mapping[str, Any]" if self.module == "types" and name in PLAIN else ""
        return (name if name in EITHER else self.name(name)) + plain
