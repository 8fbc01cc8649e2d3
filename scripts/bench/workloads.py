"""What is measured, against which target, and how the rounds alternate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from . import payload, programs

if TYPE_CHECKING:
    from .simulator import Simulator

SCRIPTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Workload:
    """Two sides, one kind of call. `count` calls or streams a round; `target` bounds the ratio."""

    name: str
    what: str
    side: str
    kind: str
    flights: int
    count: int
    target: float | None

    @property
    def unit(self) -> str:
        """What the CPU time is divided by."""
        return "chunk" if self.kind in ("burst", "paced") else "call"

    @property
    def language(self) -> str:
        """Of its sides."""
        return "python" if self.side in ("sync", "async", "embed") else self.side


WORKLOADS = (
    Workload("sync", "Python, blocking, 1 in flight", "sync", "unary", 1, 1500, 1.5),
    Workload("async1", "Python, asyncio, 1 in flight", "async", "unary", 1, 1500, 1.3),
    Workload("async64", "Python, asyncio, 64 in flight", "async", "unary", 64, 3072, 0.9),
    Workload("async512", "Python, asyncio, 512 in flight", "async", "held", 512, 4096, None),
    Workload("burst", "Python, blocking, burst stream", "sync", "burst", 1, 40, 1.5),
    Workload("burst-async", "Python, asyncio, burst stream", "async", "burst", 1, 40, 1.5),
    Workload("embed", "Python, 10,000 texts embedded", "embed", "embed", 1, 4, 1.5),
    Workload("paced", "Python, asyncio, 64 paced streams", "async", "paced", 64, 64, 0.9),
    Workload("node1", "Node, 1 in flight", "node", "unary", 1, 1500, 1.9),
    Workload("node64", "Node, 64 in flight", "node", "unary", 64, 3072, 0.8),
    Workload("node-burst", "Node, burst stream", "node", "burst", 1, 80, 1.3),
    Workload("node-paced", "Node, 64 paced streams", "node", "paced", 64, 64, 1.0),
    Workload("go1", "Go, 1 in flight", "go", "unary", 1, 1500, 2.0),
    Workload("go64", "Go, 64 in flight", "go", "unary", 64, 3072, 1.3),
    Workload("go-remote", "Go, 64 in flight, 50 ms away", "go", "remote", 64, 1280, 1.5),
    Workload("c", "C, blocking, 1 in flight", "c", "unary", 1, 1500, None),
)


@dataclass(frozen=True)
class Peer:
    """Another client. `share`: it makes one of so many calls, where it is slow."""

    name: str
    side: str
    share: int


PEERS = {
    "sync": (Peer("openai", "openai", 10), Peer("litellm", "litellm", 25)),
    "async": (
        Peer("aiohttp", "aiohttp", 2),
        Peer("openai", "openai", 10),
        Peer("litellm", "litellm", 25),
    ),
    "node": (Peer("undici", "undici", 1), Peer("openai", "openai", 4)),
    "go": (Peer("net/http", "net_http", 1), Peer("go-openai", "go_openai", 1)),
}
"""By the side of a workload."""


def peers_of(workload: Workload) -> tuple[Peer, ...]:
    """The other clients that are installed and do this work."""
    peers = PEERS.get(workload.side, ())
    return peers if peers and programs.peers(workload.language) else ()


@dataclass
class Result:
    """One workload's rounds, side by side: microseconds of CPU for each unit.

    `own` is the part of liter-llm's that the calling thread spends, where there is only one.
    `peers` are the rounds of other clients.
    """

    workload: Workload
    raw: list[float]
    liter: list[float]
    own: list[float]
    threads: int = 0
    connections: int | None = None
    peers: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def peer_ratio(self, name: str) -> float:
        """Another client's median ratio of neighbouring rounds."""
        return median(peer / raw for raw, peer in zip(self.raw, self.peers[name], strict=True))

    @property
    def ratios(self) -> list[float]:
        """Of neighbouring rounds."""
        return [liter / raw for raw, liter in zip(self.raw, self.liter, strict=True)]

    @property
    def ratio(self) -> float:
        """The median ratio of neighbouring rounds."""
        return median(self.ratios)

    def row(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.workload.name,
            "what": self.workload.what,
            "unit": self.workload.unit,
            "raw_us": self.raw,
            "liter_us": self.liter,
            "own_us": self.own,
            "ratio": self.ratio,
            "ratios": self.ratios,
            "target": self.workload.target,
            "threads": self.threads,
            "connections": self.connections,
            "peers_us": self.peers,
        }


class Worker:
    """A side's process."""

    def __init__(self, command: list[str], **environment: str) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SCRIPTS), **environment},
        )
        self._answer()

    def round(self) -> dict[str, Any]:
        """Runs one round."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a side ended early: {self._process.args}")
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


def command(
    workload: Workload, side: str, url: str, text: str, *, standard_json: bool
) -> list[str]:
    """How the process of a side is started."""
    base_url = url + payload.paths()[workload.kind]
    arguments = [base_url, str(workload.count), text]
    if workload.language != "python":
        shape = (workload.kind, workload.flights)
        return programs.command(workload.language, side, *shape, arguments)
    python = sys.executable if side in ("raw", "liter") else str(programs.PEERS_PYTHON)
    start = [python, "-m", "bench.worker", f"{side}_{workload.side}"]
    hidden = ["--standard-json"] * standard_json
    return [*start, workload.kind, str(workload.flights), *arguments, *hidden]


def run(
    workload: Workload,
    simulator: Simulator,
    rounds: int,
    *,
    standard_json: bool,
    against: Path | None = None,
    peers: bool = False,
) -> Result:
    """Alternates between the sides: raw, liter-llm, other clients, raw, liter-llm.

    `against`: another build of the library, which takes the raw client's place.
    """
    text = simulator.text(workload.kind)

    def start(load: Workload, side: str) -> list[str]:
        return command(load, side, simulator.url, text, standard_json=standard_json)

    raw, liter = start(workload, "raw"), start(workload, "liter")
    if against is None:
        other = Worker(raw)
    else:  # C programs look for the library in the folder
        folder = str(against.resolve().parent)
        other = Worker(liter, LITER_LLM_LIB=str(against.resolve()), LD_LIBRARY_PATH=folder)
    workers = [other, Worker(liter)]
    result = Result(workload, [], [], [])
    others: list[tuple[Worker, list[float]]] = []
    for peer in peers_of(workload) if peers and against is None else ():
        load = replace(workload, count=max(workload.count // peer.share, workload.flights))
        others.append((Worker(start(load, peer.side)), result.peers.setdefault(peer.name, [])))
    opened = 0
    for _ in range(rounds):
        for worker, into in zip(workers, (result.raw, result.liter), strict=True):
            before = simulator.stats()["connections_opened"]
            row = worker.round()
            into.append(row["cpu"] / row["units"] * 1e6)
            if into is result.liter:
                result.own.append(row.get("own", 0) / row["units"] * 1e6)
                result.threads = max(result.threads, row["threads"])
                # One of them is the connection that asks the second time.
                opened += simulator.stats()["connections_opened"] - before - 1
        for worker, into in others:
            row = worker.round()
            into.append(row["cpu"] / row["units"] * 1e6)
    result.connections = opened
    for worker in [*workers, *(worker for worker, _ in others)]:
        worker.close()
    return result


def available(workload: Workload) -> bool:
    """Whether its programs can be had."""
    return programs.build(workload.language)


def shorter(workload: Workload) -> Workload:
    """For `--quick`."""
    if workload.kind == "paced":
        return workload
    return replace(workload, count=max(workload.count // 5, workload.flights))
