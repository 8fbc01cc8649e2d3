"""Circles of files: which import each other, directly or round a corner."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import NamedTuple

from layers.crate import Crate


class Edge(NamedTuple):
    """Why a file needs another."""

    line: int
    text: str


Graph = dict[Path, dict[Path, Edge]]


def graph(crate: Crate) -> Graph:
    """Which files of a crate import which.

    A module that only passes on what its child defines (`pub use`) does not import the child.
    """
    found: Graph = {file: {} for file in sorted(crate.files - crate.tests)}
    for module, ref in crate.refs:
        for hop in crate.follow(ref):
            if not hop.last or hop.module is None or hop.module.file == module.file:
                continue
            passed_on = ref.use is not None and ref.use.public and hop.module.within(module)
            # The name of a module is no import yet: what is taken from it is seen where it is used.
            if passed_on or (hop.name is None and not ref.glob):
                continue
            edge = Edge(ref.line, str(ref))
            known = found[module.file].get(hop.module.file, edge)
            found[module.file][hop.module.file] = min(known, edge)
    return found


def circles(graph: Graph) -> list[list[Path]]:
    """One shortest circle for each knot of files, from its first file on."""
    reach = {file: reachable(graph, file) for file in graph}
    knots = {
        frozenset(other for other in reach[file] if file in reach[other])
        for file in graph
        if file in reach[file]
    }
    return sorted(shortest(graph, knot) for knot in knots)


def reachable(graph: Graph, start: Path) -> set[Path]:
    """Everything that a file imports, directly or not."""
    seen: set[Path] = set()
    waiting = deque(graph[start])
    while waiting:
        file = waiting.popleft()
        if file not in seen:
            seen.add(file)
            waiting.extend(graph.get(file, {}))
    return seen


def shortest(graph: Graph, knot: frozenset[Path]) -> list[Path]:
    """The shortest way round in a knot."""
    ways = (way_round(graph, knot, start) for start in sorted(knot))
    return min(ways, key=len)


def way_round(graph: Graph, knot: frozenset[Path], start: Path) -> list[Path]:
    """The shortest way from a file back to itself."""
    waiting = deque([[start]])
    seen: set[Path] = set()
    while waiting:
        way = waiting.popleft()
        for file in sorted(graph[way[-1]]):
            if file == start:
                return way
            if file in knot and file not in seen:
                seen.add(file)
                waiting.append([*way, file])
    raise AssertionError("a knot has a way round from each of its files")
