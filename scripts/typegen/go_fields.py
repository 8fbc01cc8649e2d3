"""A member of a record as fields of a Go struct, with the lines that write and read them.

In the lines `v` is the struct, `e` the encoder and `d` the decoder (go/encode.go, go/decode.go).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import go_names
from .tree import (
    Alias,
    Items,
    Member,
    Named,
    Off,
    Record,
    Scalar,
    SchemaError,
    Table,
    Tree,
    Type,
    Union,
    Words,
    explained,
)


@dataclass
class Field:
    """A field. `member` is "" for one that stands beside another's in the same member."""

    member: str
    name: str
    type: str
    doc: str
    optional: bool = False
    write: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """What encoding/json calls it."""
        if not self.member:
            return '`json:"-"`'
        return f'`json:"{self.member}{",omitempty" if self.optional else ""}"`'


WRITERS = {
    "string": ("e.text({name}, {value})", "e.string({name}, {value})"),
    "int": ("e.whole({name}, int64({value}))", "e.integer({name}, int64({value}))"),
    "int64": ("e.whole({name}, {value})", "e.integer({name}, {value})"),
    "*int": ("", "number(e, {name}, {value})"),
    "*int64": ("", "number(e, {name}, {value})"),
    "float64": ("e.float({name}, &{value})", ""),
    "*float64": ("", "e.float({name}, {value})"),
    "bool": ("e.boolean({name}, &{value})", "e.true({name}, {value})"),
    "*bool": ("", "e.boolean({name}, {value})"),
    "any": ("e.value({name}, {value})", "e.value({name}, {value})"),
    "JSON": ("e.json({name}, {value})", "e.json({name}, {value})"),
    "[]string": ("e.texts({name}, {value}, true)", "e.texts({name}, {value}, false)"),
    "time.Duration": ("", "e.duration({name}, {value})"),
}
"""By Go's type: how a member is written that is required, and one that is not."""

READERS = {
    "string": "d.string()",
    "int": "int(d.integer())",
    "int64": "d.integer()",
    "*int": "d.int()",
    "*int64": "d.count()",
    "float64": "d.float()",
    "*float64": "d.number64()",
    "bool": "d.boolean()",
    "*bool": "d.flag()",
    "JSON": "d.raw()",
    "[]string": "d.texts()",
    "time.Duration": "milliseconds(d.integer())",
}


@dataclass
class Fields:
    """Makes the fields of records. `asked`: of what is written; else of what only comes back."""

    tree: Tree
    asked: bool

    def of(self, record: Record, member: Member, *, part: bool = False) -> list[Field]:
        """A member's fields. `part`: of a union's record, where each member may be absent."""
        name = go_names.record(record.name)
        required = member.required and not member.nullable and not part
        doc = explained(member, self.tree)
        if note := go_names.NOTES.get((name, member.name)):
            first, _, rest = doc.partition("\n")
            doc = f"{first} {note}" + (f"\n{rest}" if rest else "")
        made = Field(member.name, go_names.field(name, member.name), "", doc, not required)
        made.type = go_names.TYPES.get((name, member.name), "")
        fields = self.shaped(made, member.type, required)
        written = go_names.WRITTEN.get((name, member.name))
        if written is not None:
            made.write = written
        if not made.type:
            raise SchemaError(f"{record.name}.{member.name}: Go has no form of {member.type}")
        return fields

    def shaped(self, made: Field, kind: Type, required: bool) -> list[Field]:
        """Fills in the type, and how it is written and read; the field, and what is beside it."""
        if made.type:
            self.simple(made, required)
            return [made]
        kind = self.plain(kind)
        match kind:
            case Union((Scalar("text"), Items(Named(item)))) if self.is_record(item):
                return self.text_or_list(made, go_names.record(item))
            case Union((Scalar("integer"), Words(((word, doc),)))):
                return self.number_or_word(made, word, doc)
            case Union((Scalar("text"), Table())):
                made.type = "string"
                self.simple(made, required)
                made.read = [f"v.{made.name} = d.textOrJSON()"]
            case Union((Scalar("text"), Items(Scalar("text")), Items(Table()))):
                made.type = "any"
                self.simple(made, required)
            case Union((Scalar("text"), Items(Scalar("text")), Items(Scalar("any")))):
                made.type = "any"
                self.simple(made, required)
            case Union((Scalar("text"), Items(Scalar("number")))) if not self.asked:
                made.type = "JSON"
                self.simple(made, required)
            case Union((Scalar("text"), Items(Scalar("text")))):
                made.type = "[]string"
                self.simple(made, required)
            case Union((Scalar("text") | Off(), Named(inner))):
                self.record(made, go_names.record(inner), required)
            case Named(inner):
                self.record(made, go_names.record(inner), required)
            case Items(item):
                self.list(made, self.plain(item), required)
            case Table(Named(inner)) if self.asked:
                self.table(made, go_names.record(inner))
            case _:
                made.type = self.scalar(kind, required)
                self.simple(made, required)
        return [made]

    def plain(self, kind: Type) -> Type:
        """What stands behind the name of a union; a record's own name, and a union of records'."""
        if isinstance(kind, Union):
            return Union(tuple(self.plain(form) for form in kind.forms))
        if not isinstance(kind, Named) or self.is_record(kind.name):
            return kind
        found = self.tree.definitions[kind.name]
        return self.plain(found.type) if isinstance(found, Alias) else kind

    def is_record(self, name: str) -> bool:
        """Whether a definition is a struct in Go, or a type that somebody wrote."""
        found = self.tree.definitions[name]
        if isinstance(found, Record) or name in go_names.BY_HAND | go_names.WORDS:
            return True
        return bool(variants(found, self.tree))

    def scalar(self, kind: Type, required: bool) -> str:
        """The Go type of what is no record."""
        match kind:
            case Scalar("text") | Words():
                return "string"
            case Scalar("integer", minimum):
                if required or (self.asked and minimum):
                    return "int"
                return "*int" if self.asked else "*int64"
            case Scalar("number"):
                return "*float64" if self.asked and not required else "float64"
            case Scalar("boolean"):
                return "*bool" if self.asked and not required else "bool"
            case Scalar("any"):
                return "any" if self.asked else "JSON"
            case Table(inner):
                if not self.asked:
                    return "JSON"
                value = "any" if inner == Scalar("any") else self.scalar(inner, True)
                return f"map[string]{value}"
        return ""

    def simple(self, made: Field, required: bool) -> None:
        """How a value is written and read that is no record."""
        value, name = f"v.{made.name}", f'"{made.member}"'
        if made.type.startswith("map["):
            made.write = [f"if {value} != nil {{", f"e.value({name}, {value})", "}"]
            made.read = [f"d.decode(&{value})"]
            return
        if made.type in WRITERS:
            always, unless_zero = WRITERS[made.type]
            made.write = [((always if required else unless_zero) or always or unless_zero)]
            made.write = [line.format(name=name, value=value) for line in made.write]
        read = READERS.get(made.type)
        made.read = [f"{value} = {read}"] if read else [f"d.decode(&{value})"]

    def record(self, made: Field, name: str, required: bool) -> None:
        """A struct: by value where it is always there, else by pointer."""
        value = f"v.{made.name}"
        if name in go_names.WORDS:
            made.type = name
            made.read = [f"{value} = {name}(d.string())"]
            made.write = [f'e.string("{made.member}", string({value}))']
            return
        made.type = name if required else f"*{name}"
        write = [f'e.name("{made.member}")', f"{value}.value(e)", "e.comma()"]
        made.write = write if required else [f"if {value} != nil {{", *write, "}"]
        if required:
            made.read = [f"{value}.read(d)"]
        else:  # written out: a call through a pointer would put the decoder on the heap
            made.read = ["if !d.null() {", f"{value} = new({name})", f"{value}.read(d)", "}"]

    def list(self, made: Field, item: Type, required: bool) -> None:
        """A list of texts or of structs."""
        if isinstance(item, Union) and isinstance(item.forms[-1], Named):
            item = item.forms[-1]
        if isinstance(item, Named):
            name = go_names.record(item.name)
            made.type = f"[]{name}"
            made.read = self.read_loop(made.name, name)
            made.write = self.loop(made, required)
        elif self.scalar(item, True) == "string":
            made.type = "[]string"
            self.simple(made, required)

    def loop(self, made: Field, required: bool) -> list[str]:
        """The lines that write a list of structs."""
        value = f"v.{made.name}"
        lines = [f'e.list("{made.member}")', f"for i := range {value} {{"]
        lines += [f"{value}[i].value(e)", "e.comma()", "}", "e.end(']')"]
        return lines if required else [f"if {value} != nil {{", *lines, "}"]

    def read_loop(self, field: str, name: str) -> list[str]:
        """The lines that read a list of structs."""
        return [
            "if !d.null() {",
            f"v.{field} = []{name}{{}}",
            "for more := d.begin('['); more; more = d.more(']') {",
            f"var item {name}",
            "item.read(d)",
            f"v.{field} = append(v.{field}, item)",
            "}",
            "}",
        ]

    def table(self, made: Field, name: str) -> None:
        """Structs by name, written in the order of their names."""
        value = f"v.{made.name}"
        made.type = f"map[string]{name}"
        made.read = [f"{value} = table(d, (*{name}).read)"]
        made.write = [
            f"if {value} != nil {{",
            f'e.name("{made.member}")',
            "e.open('{')",
            f"for _, name := range slices.Sorted(maps.Keys({value})) {{",
            f"item := {value}[name]",
            "e.key(name)",
            "item.value(e)",
            "e.comma()",
            "}",
            "e.end('}')",
            "}",
        ]

    def text_or_list(self, made: Field, item: str) -> list[Field]:
        """A text, or in another field a list of structs in its place."""
        made.type = "string"
        plural = f"{item}s"
        beside = Field("", plural, f"[]{item}", "")
        beside.doc = f"The same in parts, in place of {made.name}. Both are an error."
        made.read = [
            "if d.peek() == '[' {",
            *self.read_loop(plural, item),
            "} else {",
            f"v.{made.name} = d.string()",
            "}",
        ]
        return [made, beside]

    def number_or_word(self, made: Field, word: str, doc: str) -> list[Field]:
        """A number, or in another field a word in its place."""
        made.type = "int"
        name = go_names.exported(word)
        beside = Field("", name, "bool", f'"{word}" in place of {made.name}. {doc}')
        made.write = [
            f"if v.{name} {{",
            f'e.text("{made.member}", "{word}")',
            "} else {",
            f'e.whole("{made.member}", int64(v.{made.name}))',
            "}",
        ]
        made.read = [
            "if d.peek() == '\"' {",
            f'v.{name} = d.word("{word}")',
            "} else {",
            f"v.{made.name} = int(d.integer())",
            "}",
        ]
        return [made, beside]


def variants(found: Alias | Record, tree: Tree) -> list[tuple[str, Record]]:
    """The records of a union that are told apart by their `type`, by that; or none."""
    if not isinstance(found, Alias) or not isinstance(found.type, Union):
        return []
    made = []
    for form in found.type.forms:
        record = tree.resolved(form)
        kind = record.members[0].type if isinstance(record, Record) else None
        if not isinstance(record, Record) or not isinstance(kind, Words) or len(kind.words) != 1:
            return []
        made.append((kind.words[0][0], record))
    return made
