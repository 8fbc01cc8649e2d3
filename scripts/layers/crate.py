"""A crate's tree of modules, and where a path leads: through re-exports to the definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from layers.reader import read
from layers.tokens import RustError
from layers.tree import Contents, Declared, Module, Ref, Scope, Use


@dataclass(frozen=True)
class Hop:
    """A name looked up in a module; in another crate `module` is None and `name` the whole path."""

    module: Module | None
    name: str | None
    # The end of a path: an item, or a module if `name` is None. Other hops are on the way there.
    last: bool = False
    # The name is that of a child module.
    child: bool = False


@dataclass
class Crate:
    """A crate: the modules and paths of its files; files for tests alone are only named."""

    root: Module
    refs: list[tuple[Module, Ref]] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)
    tests: set[Path] = field(default_factory=set)
    macros: dict[str, set[Module]] = field(default_factory=dict)

    @staticmethod
    def load(file: Path, whole: bool = True) -> Crate:
        """Reads a crate from its root file on; the root file alone if it is not to be `whole`."""
        crate = Crate(Module((), file))
        crate.add(crate.root, whole)
        for module in modules(crate.root):
            for name in module.macros:
                crate.macros.setdefault(name, set()).add(module)
        return crate

    def add(self, module: Module, whole: bool) -> None:
        """Reads the file of a module, and those of its children."""
        try:
            contents: Contents = read(module.file.read_text(encoding="utf-8"), module)
        except RustError as error:
            raise RustError(f"{module.file}: {error}") from error
        self.files.add(module.file)
        if contents.test:
            self.tests.add(module.file)
            return
        self.refs += [(ref.scope.module, ref) for ref in contents.refs]
        for declared in contents.mods if whole else []:
            file = file_of(declared)
            if declared.test or is_test(file):
                self.tests.add(file)
                continue
            outer = declared.module
            child = Module((*outer.path, declared.name), file, outer)
            outer.children[declared.name] = child
            self.add(child, whole)

    # ---- where a path leads ---------------------------------------------------------------------

    def follow(self, ref: Ref) -> set[Hop]:
        """Every module that a path goes through and every item that it can mean."""
        hops: set[Hop] = set()
        if ref.kind in {"name", "macro"}:
            self.follow_name(ref, hops)
        else:
            self.resolve(ref.scope, ref.segments, hops, frozenset([ref.use] if ref.use else []))
        return hops

    def follow_name(self, ref: Ref, hops: set[Hop]) -> None:
        """What a single name adds: one that a `*` or a `pub use` brings, an unimported macro."""
        name = ref.segments[0]
        scope: Scope | None = ref.scope
        while scope is not None:
            for use in scope.uses.get(name, []):
                if use.public:
                    self.resolve(use.scope, use.segments, hops, frozenset([use]))
            if name in scope.uses:
                return
            scope = scope.parent
        module = ref.scope.module
        if name in module.items or name in module.children:
            return
        if not self.through_globs(ref.scope, (name,), hops, frozenset()) and ref.kind == "macro":
            homes = self.macros.get(name, set())
            if all(home.file != module.file for home in homes):
                hops.update(Hop(home, name, last=True) for home in homes)

    def resolve(
        self, scope: Scope, path: tuple[str, ...], hops: set[Hop], seen: frozenset[Use]
    ) -> None:
        """A path as a scope means it; `seen` are the `use`s that led here."""
        first, rest = path[0], path[1:]
        module = scope.module
        if first == "crate":
            self.walk(self.root, rest, hops, seen)
        elif first in {"self", "super"}:
            start = module if first == "self" else module.parent
            while start is not None and rest[:1] == ("super",):
                start, rest = start.parent, rest[1:]
            if start is not None:
                self.walk(start, rest, hops, seen)
        elif first == "::":
            hops.add(Hop(None, "::".join(rest), last=True))
        elif not self.bound(scope, path, hops, seen):
            hops.add(Hop(None, "::".join(path), last=True))

    def bound(
        self, scope: Scope, path: tuple[str, ...], hops: set[Hop], seen: frozenset[Use]
    ) -> bool:
        """Follows a name that a block or the module binds; whether one does."""
        inner: Scope | None = scope
        while inner is not None:
            uses = [use for use in inner.uses.get(path[0], []) if use not in seen]
            for use in uses:
                self.resolve(use.scope, use.segments + path[1:], hops, seen | {use})
            if uses:
                return True
            inner = inner.parent
        module = scope.module
        if path[0] in module.children or path[0] in module.items:
            self.walk(module, path, hops, seen)
            return True
        return self.through_globs(scope, path, hops, seen)

    def walk(
        self, module: Module, path: tuple[str, ...], hops: set[Hop], seen: frozenset[Use]
    ) -> None:
        """A path from a module downwards."""
        if not path:
            hops.add(Hop(module, None, last=True))
            return
        name, rest = path[0], path[1:]
        child = module.children.get(name)
        if child is not None:
            hops.add(Hop(module, name, child=True))
            self.walk(child, rest, hops, seen)
            if rest:
                return
        if name in module.items:
            hops.add(Hop(module, name, last=True))
        uses = [use for use in module.scope.uses.get(name, []) if use not in seen]
        for use in uses:
            hops.add(Hop(module, name))
            self.resolve(use.scope, use.segments + rest, hops, seen | {use})
        if child or uses or name in module.items:
            return
        if self.through_globs(module.scope, path, hops, seen):
            hops.add(Hop(module, name))
        else:
            # An item that a macro makes.
            hops.add(Hop(module, name, last=True))

    def through_globs(
        self, scope: Scope | None, path: tuple[str, ...], hops: set[Hop], seen: frozenset[Use]
    ) -> bool:
        """Follows a name that comes by a `*`; whether one brings it."""
        found = False
        while scope is not None:
            for use in scope.globs:
                if use in seen:
                    continue
                ends: set[Hop] = set()
                self.resolve(use.scope, use.segments, ends, seen | {use})
                for end in ends:
                    if end.last and end.module and end.name is None and has(end.module, path[0]):
                        self.walk(end.module, path, hops, seen | {use})
                        found = True
            scope = scope.parent
        return found


def has(module: Module, name: str) -> bool:
    """Whether a module itself names this; what comes to it by a `*` of its own is not asked."""
    return name in module.items or name in module.children or name in module.scope.uses


def modules(root: Module) -> Iterator[Module]:
    """A module and all below it."""
    yield root
    for child in root.children.values():
        yield from modules(child)


def file_of(declared: Declared) -> Path:
    """The file of a `mod x;`."""
    outer = declared.module
    folder = outer.file.parent
    if declared.path is not None:
        return folder / declared.path
    # Modules with a body inside the file are folders of their own.
    inline: list[str] = []
    while outer.parent is not None and outer.parent.file == outer.file:
        inline.insert(0, outer.path[-1])
        outer = outer.parent
    if outer.parent is not None and outer.file.name != "mod.rs":
        folder /= outer.file.stem
    folder = folder.joinpath(*inline)
    flat = folder / f"{declared.name}.rs"
    return flat if flat.is_file() else folder / declared.name / "mod.rs"


def is_test(file: Path) -> bool:
    """Whether the name of a file, or of a folder around it, says that it holds tests."""
    folders = file.parts[:-1]
    inside = folders[len(folders) - folders[::-1].index("src") :] if "src" in folders else ()
    return file.stem == "tests" or file.stem.endswith("_tests") or "tests" in inside
