"""What the table of check_layers.py forbids, found in a checkout."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from layers.circles import Graph, circles, graph, reachable
from layers.crate import Crate, is_test
from layers.tree import Ref


@dataclass(frozen=True)
class Room:
    """A room's floor. `beside`: rooms of the same floor that it may import, each with a reason.

    `never`: rooms below that it may not import all the same; `only`: all that it may import.
    """

    floor: int
    beside: dict[str, str] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    only: frozenset[str] | None = None


@dataclass
class Table:
    """Every rule; check_layers.py explains each."""

    rooms: dict[str, Room]
    items: dict[tuple[str, str], frozenset[str]]
    knows_both: tuple[str, str, str]
    face: str
    outside: tuple[str, ...]
    shipped: tuple[str, ...]
    shipped_modules: frozenset[str]
    no_circles: tuple[str, ...]
    circles: dict[str, str]
    most_lines: int
    most_lines_of: dict[str, int]
    exceptions: dict[tuple[str, str], str]


class Import(NamedTuple):
    """A file of one room names something of another. Without a name it is the room itself."""

    file: str
    line: int
    room: str
    target: str
    names: frozenset[str]
    ref: Ref

    def violation(self, reason: str) -> str:
        """The line that tells of it."""
        return f"{self.file}:{self.line} {self.room} imports {self.target} ({reason}): {self.ref}"


class Checker:
    """The checks of one checkout."""

    def __init__(self, root: Path, table: Table) -> None:
        self.root = root
        self.table = table
        self.found: list[str] = []
        # Exceptions that something needs.
        self.used: set[tuple[str, str]] = set()
        self.engine = Crate.load(root / "core/src/lib.rs")

    def name(self, file: Path) -> str:
        """A file as the reader of a violation knows it."""
        return file.relative_to(self.root).as_posix()

    def imports(self) -> list[Import]:
        """What rooms of the engine take from each other, one for each path and room."""
        found: list[Import] = []
        for module, ref in self.engine.refs:
            names: dict[str, set[str]] = {}
            for hop in self.engine.follow(ref):
                target = hop.module.room if hop.module else None
                if target is None or module.room in {None, target}:
                    continue
                known = names.setdefault(target, set())
                if ref.glob and hop.last and hop.name is None:
                    known.add("*")
                elif hop.name and not hop.child:
                    known.add(hop.name)
            for target, known in names.items():
                place = (self.name(module.file), ref.line, module.path[0], target)
                found.append(Import(*place, frozenset(known), ref))
        return found

    def rooms(self, imports: list[Import]) -> None:
        """Every room has a floor, and no import goes where the table forbids it."""
        rooms = self.table.rooms
        for room in sorted(self.engine.root.children):
            if room not in rooms:
                self.found.append(f"core/src/{room} has no floor: add it to ROOMS")
        told: set[tuple[str, int, str]] = set()
        knows = self.know_both(imports)
        for found in imports:
            if found.room not in rooms or found.target not in rooms:
                continue
            reason = self.reason(found) or (knows if self.counts_as_both(found) else {}).get(
                found.room
            )
            if reason is None:
                continue
            if (found.file, found.target) in self.table.exceptions:
                self.used.add((found.file, found.target))
            elif (found.file, found.line, found.target) not in told:
                told.add((found.file, found.line, found.target))
                self.found.append(found.violation(reason))

    def reason(self, found: Import) -> str | None:
        """Why an import is forbidden; None where it is allowed."""
        room, other = self.table.rooms[found.room], self.table.rooms[found.target]
        if other.floor > room.floor:
            return f"floor {room.floor} may not import floor {other.floor}"
        if other.floor == room.floor and found.target not in room.beside:
            return f"both stand on floor {room.floor}, and the table has no such pair"
        if found.target in room.never:
            return f"{found.room} may never import {found.target}"
        if room.only is not None and found.target not in room.only:
            return f"{found.room} may import only {', '.join(sorted(room.only))}"
        items = self.table.items.get((found.room, found.target))
        if items is not None and found.names - items:
            return f"of {found.target} only {', '.join(sorted(items))}"
        return None

    def counts_as_both(self, found: Import) -> bool:
        """Whether an import is one of the two that only one room may have together."""
        return found.target in self.table.knows_both[1:]

    def know_both(self, imports: list[Import]) -> dict[str, str]:
        """Rooms that know two rooms which only one may know together, with the reason."""
        one, *both = self.table.knows_both
        pairs = {(found.room, found.target) for found in imports} - self.table.items.keys()
        return {
            room: f"only {one} may know both {both[0]} and {both[1]}"
            for room in self.table.rooms
            if room != one and all((room, target) in pairs for target in both)
        }

    def outside(self) -> None:
        """What stands above the engine keeps to its face."""
        face = self.engine.root.public | {
            name
            for name, uses in self.engine.root.scope.uses.items()
            if any(use.public for use in uses)
        }
        for folder in self.table.outside:
            for file in sorted((self.root / folder).rglob("*.rs")):
                shipped = folder in self.table.shipped
                if "target" in file.relative_to(self.root / folder).parts or (
                    shipped and is_test(file)
                ):
                    continue
                allowed = face - self.engine.root.public | self.table.shipped_modules
                self.face(file, face, allowed & face if shipped else face)

    def face(self, file: Path, face: set[str], allowed: set[str]) -> None:
        """One file above the engine."""
        crate = Crate.load(file, whole=False)
        for _, ref in crate.refs:
            for hop in crate.follow(ref):
                names = hop.name.split("::") if hop.module is None and hop.name else []
                if names[:1] != [self.table.face]:
                    continue
                place = f"{self.name(file)}:{ref.line} imports"
                if len(names) == 1 and ref.glob:
                    self.found.append(f"{place} all of core (name what is used): {ref}")
                elif len(names) > 1 and names[1] not in allowed:
                    why = "public for tests alone" if names[1] in face else "not in its face"
                    self.found.append(f"{place} {names[1]} of core ({why}): {ref}")

    def circles(self) -> int:
        """No files import each other in a circle; how many files that is."""
        count = 0
        for folder in self.table.no_circles:
            for crate in self.crates(self.root / folder):
                edges = graph(crate)
                count += len(edges)
                self.excuse(edges)
                for circle in circles(edges):
                    if not any(
                        all(self.name(file).startswith(inside) for file in circle)
                        for inside in self.table.circles
                    ):
                        self.found.append(self.circle(circle, edges))
        return count

    def excuse(self, edges: Graph) -> None:
        """Takes out of a graph what an exception names, where it closes a circle."""
        excused: list[tuple[Path, Path]] = []
        for key in self.table.exceptions:
            file, target = (self.root / name for name in key)
            if target in edges.get(file, {}) and file in reachable(edges, target):
                self.used.add(key)
                excused.append((file, target))
        for file, target in excused:
            del edges[file][target]

    def crates(self, folder: Path) -> list[Crate]:
        """The crates of a folder; a file that none of them has is named."""
        if not folder.is_dir():
            return []
        roots = [folder / "lib.rs", folder / "main.rs", *sorted(folder.glob("bin/*.rs"))]
        found = [Crate.load(file) for file in roots if file.is_file()]
        known = {file for crate in found for file in crate.files | crate.tests}
        for file in sorted(folder.rglob("*.rs")):
            if file not in known and not is_test(file):
                self.found.append(
                    f"{self.name(file)} belongs to no module: its paths cannot be checked"
                )
        return found

    def circle(self, circle: list[Path], edges: Graph) -> str:
        """A circle, with the line of each import."""
        steps = []
        for file, following in zip(circle, [*circle[1:], circle[0]], strict=True):
            edge = edges[file][following]
            steps.append(f"{self.name(file)}:{edge.line} ({edge.text})")
        return " → ".join([*steps, f"{self.name(circle[0])}: a circle of files"])

    def exceptions(self) -> None:
        """The list only shrinks: what nothing needs any more goes."""
        for file, target in sorted(self.table.exceptions.keys() - self.used):
            self.found.append(f"{file} needs no exception for {target} any more: take it out")

    def sizes(self) -> None:
        """No file is too long."""
        for file in sorted(self.engine.files - self.engine.tests):
            lines = len(file.read_text(encoding="utf-8").splitlines())
            most = self.table.most_lines_of.get(self.name(file), self.table.most_lines)
            if lines > most:
                self.found.append(f"{self.name(file)} has {lines} lines, at most {most}")


def check(root: Path, table: Table) -> tuple[list[str], str]:
    """Every violation, one line each, and a line of figures."""
    checker = Checker(root, table)
    imports = checker.imports()
    checker.rooms(imports)
    checker.outside()
    count = checker.circles()
    checker.exceptions()
    checker.sizes()
    rooms = len(checker.engine.root.children)
    figures = f"{rooms} rooms, {count} files, {len(imports)} imports between rooms"
    return checker.found, f"{figures}, {len(table.exceptions)} exceptions"
