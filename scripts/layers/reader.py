"""Reads one file of Rust: its modules, items, `use`s, and every path that it names."""

from __future__ import annotations

import re

from layers.tokens import END, RustError, Token, tokens
from layers.tree import Contents, Declared, Module, Ref, Scope, Use

OPEN, CLOSE = {"(", "[", "{"}, {")", "]", "}"}
ITEMS = {"fn", "struct", "enum", "trait", "type", "union", "static", "const"}
KEYWORDS = {"as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern"}
KEYWORDS |= {"false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut"}
KEYWORDS |= {"pub", "ref", "return", "static", "struct", "trait", "true", "type", "unsafe", "use"}
KEYWORDS |= {"where", "while", "Self"}
# Up to a semicolon, whatever braces stand before it.
TO_SEMICOLON = {"use", "static", "let", "type"}
# Strings in attributes that are code (`with = "crate::a::b"`), not prose.
CODE = re.compile(r'"[\w:<>,&\'()\[\] ]+"')
PROSE = {"doc", "reason", "note", "since", "feature", "path", "rename", "tag", "message"}


def read(text: str, module: Module) -> Contents:
    """What the file of a module says; `module` gets its items, `use`s and inline children."""
    reader = Reader(tokens(text), module)
    reader.run()
    return reader.contents


class Reader:
    """One pass over the tokens of a file."""

    def __init__(self, found: list[Token], module: Module) -> None:
        self.tokens = found
        self.at = 0
        self.contents = Contents()
        # Every open bracket, with the scope that is to hold again behind it.
        self.open: list[tuple[str, Scope, bool]] = []
        self.scope = module.scope
        self.public = False
        self.path: str | None = None
        self.enum = False

    def peek(self, ahead: int = 0) -> Token:
        """A token further on, or one before."""
        index = self.at + ahead
        return self.tokens[index] if 0 <= index < len(self.tokens) else END

    def run(self) -> None:
        """Reads to the end."""
        while self.at < len(self.tokens) and not self.contents.test:
            token = self.peek()
            if token.text == "#" and token.kind == "op":
                self.attribute()
            elif token.text in OPEN and token.kind == "op":
                self.enter(
                    Scope(self.scope.module, self.scope) if token.text == "{" else self.scope
                )
            elif token.text in CLOSE and token.kind == "op":
                self.leave()
            elif token.kind == "id":
                self.word(token)
            else:
                self.at += 1
        if self.open and not self.contents.test:
            raise RustError("a bracket is not closed")

    def enter(self, scope: Scope) -> None:
        """Behind an opening bracket."""
        self.open.append((self.peek().text, self.scope, self.enum))
        self.enum = False
        self.scope = scope
        self.at += 1

    def leave(self) -> None:
        """Behind a closing one."""
        if not self.open:
            raise RustError(f"line {self.peek().line}: a bracket too many")
        _, self.scope, _ = self.open.pop()
        self.public = False
        self.at += 1

    def word(self, token: Token) -> None:
        """A keyword that declares something, or the beginning of a path."""
        match token.text:
            case "pub":
                self.visibility()
                return
            case "mod" if self.peek(1).kind == "id":
                self.module()
            case "use" if self.peek(1).text != "<":
                self.use()
            case "macro_rules" if self.peek(1).text == "!" and self.peek(2).kind == "id":
                self.scope.module.macros.add(self.peek(2).text)
                self.scope.module.items.add(self.peek(2).text)
                self.at += 3
            case text if text in ITEMS and self.peek(-1).text != "*":
                self.item(text)
            case text if text in KEYWORDS:
                self.at += 1
            case _:
                self.reference()
        self.public = False

    def visibility(self) -> None:
        """`pub`, `pub(crate)`, `pub(in crate::a)`: its path is not an import."""
        self.public = True
        self.at += 1
        inside = self.peek(1).text
        plain = inside in {"crate", "self", "super"} and self.peek(2).text == ")"
        if self.peek().text == "(" and (plain or inside == "in"):
            self.at = self.matching(self.at) + 1

    def module(self) -> None:
        """`mod x;` or `mod x { … }`."""
        name, outer = self.peek(1).text, self.scope.module
        if self.public:
            outer.public.add(name)
        self.at += 2
        if self.peek().text == "{":
            child = Module((*outer.path, name), outer.file, outer)
            outer.children[name] = child
            self.enter(child.scope)
        else:
            self.contents.mods.append(Declared(name, self.path, outer, test=False))
        self.path = None

    def item(self, keyword: str) -> None:
        """`fn x`, `struct X`: a name of the module, if it stands in the module itself."""
        self.at += 1
        if keyword == "static" and self.peek().text == "mut":
            self.at += 1
        name = self.peek()
        if name.kind != "id" or name.text in KEYWORDS:
            return
        self.enum = keyword == "enum"
        if self.scope is self.scope.module.scope and not (self.open and self.open[-1][0] != "{"):
            self.scope.module.items.add(name.text)
        self.at += 1

    def reference(self) -> None:
        """A path in code. What stands behind a dot or behind `>::` belongs to what is before it."""
        first, before = self.peek(), self.peek(-1)
        segments = [first.text]
        self.at += 1
        while self.peek().text == "::" and self.peek(1).kind == "id":
            segments.append(self.peek(1).text)
            self.at += 2
        if before.text in {".", "::"}:
            return
        ref = Ref("path", tuple(segments), first.line, self.scope)
        if len(segments) > 1:
            self.contents.refs.append(ref)
            return
        called = self.peek().text in {"(", "!"} and self.peek(1).text != "="
        variant = bool(self.open and self.open[-1][2]) and before.text in {"{", ",", "]"}
        if variant or not (called or first.text[0].isupper()) or first.text in {"self", "crate"}:
            return
        ref.kind = "macro" if self.peek().text == "!" and called else "name"
        self.contents.refs.append(ref)

    # ---- use ------------------------------------------------------------------------------------

    def use(self) -> None:
        """A `use` with its tree."""
        self.at += 1
        external = self.peek().text == "::"
        self.at += external
        self.use_tree(("::",) if external else ())
        if self.peek().text != ";":
            raise RustError(f"line {self.peek().line}: a `use` that does not end")
        self.at += 1

    def use_tree(self, prefix: tuple[str, ...]) -> None:
        """One branch, up to the comma, brace or semicolon behind it."""
        line = self.peek().line
        while True:
            token = self.peek()
            if token.text == "$":
                self.at += 1
            elif token.text == "*":
                self.at += 1
                return self.bind(prefix, line, None)
            elif token.text == "{":
                return self.use_list(prefix)
            elif token.kind == "id":
                self.at += 1
                if token.text != "self" or not prefix:
                    prefix = (*prefix, token.text)
                if self.peek().text == "as":
                    self.at += 2
                    return self.bind(prefix, line, self.peek(-1).text)
                if self.peek().text != "::":
                    return self.bind(prefix, line, prefix[-1])
                self.at += 1
            else:
                raise RustError(f"line {token.line}: a `use` that is no path")

    def use_list(self, prefix: tuple[str, ...]) -> None:
        """`{a, b::c}`."""
        self.at += 1
        while self.peek().text != "}":
            self.at += self.peek().text == "::"
            self.use_tree(prefix)
            self.at += self.peek().text == ","
        self.at += 1

    def bind(self, path: tuple[str, ...], line: int, name: str | None) -> None:
        """One name of a `use`; a `*` without one."""
        use = Use(path, self.public, self.scope)
        if name is None:
            self.scope.globs.append(use)
        elif name != "_":
            self.scope.uses.setdefault(name, []).append(use)
        self.contents.refs.append(Ref("use", path, line, self.scope, use, glob=name is None))

    # ---- attributes -----------------------------------------------------------------------------

    def attribute(self) -> None:
        """`#[…]`: leaves out what is for tests, remembers `path`, reads code in strings."""
        whole_file = self.peek(1).text == "!"
        begin = self.at + 1 + whole_file
        if self.peek(1 + whole_file).text != "[":
            self.at += 1
            return
        end = self.matching(begin)
        inside = self.tokens[begin + 1 : end]
        words = [token.text for token in inside]
        self.at = end + 1
        if words[:1] == ["cfg"] and for_tests(words[2:-1]):
            if whole_file and not self.open:
                self.contents.test = True
            elif not whole_file:
                self.skip_item()
            return
        if words[:2] == ["path", "="]:
            self.path = inside[2].text.strip('"')
            return
        self.quoted(inside)

    def quoted(self, inside: list[Token]) -> None:
        """Paths of an attribute, those in its strings too."""
        code: list[Token] = []
        for number, token in enumerate(inside):
            key = inside[number - 2].text if number > 1 else ""
            if token.kind != "str":
                code.append(token)
            elif "::" in token.text and key not in PROSE and CODE.fullmatch(token.text):
                code += tokens(token.text[1:-1], token.line)
        inner = Reader(code, self.scope.module)
        inner.scope = self.scope
        inner.run()
        self.contents.refs += inner.contents.refs

    def skip_item(self) -> None:
        """Goes behind an item, a field or a statement that only tests have."""
        path, self.path = self.path, None
        while self.peek().text == "#":
            end = self.matching(self.at + 1)
            if self.peek(2).text == "path":
                path = self.peek(4).text.strip('"')
            self.at = end + 1
        if self.peek().text == "pub":
            self.visibility()
        self.public = False
        first = self.peek().text
        if first == "mod" and self.peek(2).text == ";":
            declared = Declared(self.peek(1).text, path, self.scope.module, test=True)
            self.contents.mods.append(declared)
        constant = first == "const" and self.peek(1).text not in {"fn", "unsafe", "async", "extern"}
        item = first in ITEMS | {"impl", "mod", "unsafe", "async", "extern", "macro_rules"}
        while self.at < len(self.tokens):
            text = self.peek().text if self.peek().kind == "op" else ""
            if text in CLOSE:
                return
            if text in OPEN:
                self.at = self.matching(self.at)
            self.at += 1
            if text == ";" or (text == "," and not item):
                return
            if text == "{" and not (constant or first in TO_SEMICOLON):
                return

    def matching(self, at: int) -> int:
        """Where the bracket that opens here closes."""
        depth = 0
        for index in range(at, len(self.tokens)):
            token = self.tokens[index]
            if token.kind == "op":
                depth += (token.text in OPEN) - (token.text in CLOSE)
                if depth == 0:
                    return index
        raise RustError(f"line {self.tokens[at].line}: a bracket is not closed")


def for_tests(words: list[str]) -> bool:
    """Whether a condition holds in tests only: `test`, `all(test, …)`, `any` of nothing else."""
    if words[:1] not in (["all"], ["any"]):
        return words == ["test"]
    parts: list[list[str]] = [[]]
    depth = 0
    for word in words[2:-1]:
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    found = [for_tests(part) for part in parts if part]
    return any(found) if words[0] == "all" else bool(found) and all(found)
