"""What a file of Rust declares and which paths it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(eq=False)
class Module:
    """A module: a file, or a `mod` with a body inside one."""

    path: tuple[str, ...]
    file: Path
    parent: Module | None = None
    items: set[str] = field(default_factory=set)
    macros: set[str] = field(default_factory=set)
    children: dict[str, Module] = field(default_factory=dict)
    # Names of children that other crates see.
    public: set[str] = field(default_factory=set)
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.scope = Scope(self)

    @property
    def room(self) -> str | None:
        """The top-level module that it belongs to; None for the crate's root."""
        return self.path[0] if self.path else None

    def within(self, other: Module) -> bool:
        """Whether it is `other` or lies in it."""
        return self.path[: len(other.path)] == other.path


@dataclass(eq=False)
class Use:
    """One name, or one `*`, of a `use`."""

    segments: tuple[str, ...]
    public: bool
    scope: Scope


@dataclass(eq=False)
class Scope:
    """The names that `use` binds in a module or in a block of code."""

    module: Module
    parent: Scope | None = None
    uses: dict[str, list[Use]] = field(default_factory=dict)
    globs: list[Use] = field(default_factory=list)


@dataclass
class Ref:
    """A path that a file names; a `name` or a `macro` is a single identifier."""

    kind: Literal["use", "path", "name", "macro"]
    segments: tuple[str, ...]
    line: int
    scope: Scope
    use: Use | None = None
    glob: bool = False

    def __str__(self) -> str:
        text = "::".join(self.segments).replace("::::", "::") + ("::*" if self.glob else "")
        return text + "!" if self.kind == "macro" else f"use {text}" if self.use else text


@dataclass
class Declared:
    """A `mod x;`: its name, the file that `#[path]` names, the folder of modules around it."""

    name: str
    path: str | None
    module: Module
    test: bool


@dataclass
class Contents:
    """What one file says."""

    refs: list[Ref] = field(default_factory=list)
    mods: list[Declared] = field(default_factory=list)
    # `#![cfg(test)]`: the whole file is a test.
    test: bool = False
