"""The table: what was measured, beside its target."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from .simulator import ROOT

if TYPE_CHECKING:
    from .workloads import Result

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
README = ROOT / "README.md"


@dataclass(frozen=True)
class Fact:
    """One figure that is no ratio, and its bound."""

    what: str
    value: float
    shown: str
    target: float | None
    target_shown: str = ""

    @property
    def met(self) -> bool:
        """Whether it keeps its bound."""
        return self.target is None or self.value <= self.target

    def row(self) -> dict[str, Any]:
        """For `--json`."""
        return {"what": self.what, "value": self.value, "target": self.target}


def verdict(target: float | None, *, met: bool) -> str:
    """The last cell of a row."""
    return "–" if target is None else "met" if met else "**missed**"


def facts_of(results: list[Result]) -> list[Fact]:
    """Connections and threads, from the workloads that show them."""
    facts: list[Fact] = []
    for result in results:
        if result.workload.name == "async512" and result.connections is not None:
            opened = result.connections
            what = "New connections, steady state at 512 in flight"
            facts.append(Fact(what, opened, str(opened), 0, "0"))
    threads = max((result.threads for result in results), default=0)
    if threads:
        bound = 2 + (os.cpu_count() or 1)
        facts.append(Fact("Threads of the library", threads, str(threads), bound, f"≤ {bound}"))
    return facts


def progress(result: Result) -> None:
    """One line on standard error as soon as a workload is done."""
    own = median(result.own)
    part = f"(calling thread {own:7.2f})" if own else " " * 24
    ratios = " ".join(f"{ratio:.2f}" for ratio in result.ratios)
    print(
        f"{result.workload.name:12} raw {median(result.raw):8.2f}  "
        f"liter-llm {median(result.liter):8.2f} "
        f"{part}  × {result.ratio:.2f}   [{ratios}]  {others(result)}",
        file=sys.stderr,
    )


def others(result: Result) -> str:
    """The ratios of other clients."""
    found = [f"{name} {short(result.peer_ratio(name))}" for name in result.peers]
    return ", ".join(found) or "–"


def short(ratio: float) -> str:
    """A ratio in as many digits as it is worth."""
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"


def table(results: list[Result], facts: list[Fact]) -> str:
    """Markdown."""
    lines: list[str] = []
    if results:
        lines += [
            "| CPU time | raw socket | liter-llm | ratio (range) | others, × raw | target | |",
            "|---|--:|--:|--:|---|--:|---|",
        ]
    for result in results:
        load, ratios = result.workload, result.ratios
        target = "–" if load.target is None else f"≤ {load.target} ×"
        met = load.target is not None and round(result.ratio, 2) <= load.target
        lines.append(
            f"| {load.what}, per {load.unit} | {median(result.raw):.1f} µs "
            f"| {median(result.liter):.1f} µs | {result.ratio:.2f} × "
            f"({min(ratios):.2f}–{max(ratios):.2f}) | {others(result)} "
            f"| {target} | {verdict(load.target, met=met)} |"
        )
    if facts:
        lines += ["", "| figure | value | target | |", "|---|--:|--:|---|"]
    for fact in facts:
        cell = verdict(fact.target, met=fact.met)
        lines.append(f"| {fact.what} | {fact.shown} | {fact.target_shown or '–'} | {cell} |")
    return "\n".join(lines)


def machine() -> str:
    """Where it was measured."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if "model name" in line]
        model = names[0] if names else model
    except OSError:
        pass
    return (
        f"{os.cpu_count()} cores ({model}), {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}{_versions()}"
    )


def _versions() -> str:
    """Those of the other languages that are here."""
    found = ""
    for command in (["node", "--version"], ["go", "env", "GOVERSION"]):
        if shutil.which(command[0]):
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found += f", {command[0].capitalize()} {said.strip().lstrip('vgo')}"
    return found


def write_readme(text: str) -> None:
    """Puts the table between the markers of README.md."""
    readme = README.read_text(encoding="utf-8")
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md has no {BEGIN} … {END}")
    note = (
        f"`make bench` on {machine()}; medians of paired rounds, CPU time of the whole process "
        "(user and system)."
    )
    README.write_text(f"{before}{BEGIN}\n{note}\n\n{text}\n{END}{after}", encoding="utf-8")
