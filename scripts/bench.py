#!/usr/bin/env python3
"""Measures what liter-llm and other clients cost, as ratios of CPU time to raw-socket clients.

All run in turns, so that they meet the same machine.

    python3 scripts/bench.py                  all of it, about ten minutes
    python3 scripts/bench.py --quick          fewer rounds, to see that it runs
    python3 scripts/bench.py --language node  one language, may be repeated
    python3 scripts/bench.py --only sync      one workload, may be repeated
    python3 scripts/bench.py --against FILE   another build of libliter_llm.so in the raw place
                                              (Python and C: the others have the engine inside)
    python3 scripts/bench.py --write-readme   puts the table into README.md

Wants the release build of the library and of the simulator, and `liter_llm` importable; Node's
addon and Go's archive, or their rows are left out. The other clients are left out too where they
are not installed. `make bench` sees to all of that.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench import many, programs, report, sizes, workloads
from bench.simulator import Simulator

LANGUAGES = ("python", "node", "go", "c")
NAMES = [*(workload.name for workload in workloads.WORKLOADS), "go-threads", "import", "size"]


def main() -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="three rounds, a fifth of the calls")
    parser.add_argument("--only", action="append", choices=NAMES, help="one measurement")
    parser.add_argument("--language", action="append", choices=LANGUAGES, help="one language")
    parser.add_argument("--rounds", type=int, help="how often each side runs (15)")
    parser.add_argument("--standard-json", action="store_true", help="hide orjson from Python")
    parser.add_argument("--no-peers", action="store_true", help="leave out the other clients")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with another build")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every round there")
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    parts = (options.against, options.only, options.language, options.quick, options.no_peers)
    if options.write_readme and any(parts):
        parser.error("README.md gets a whole run against raw sockets")
    wanted = options.only or NAMES
    languages = options.language or (("python", "c") if options.against else LANGUAGES)
    rounds = options.rounds or (3 if options.quick else 15)

    threads = "go-threads" in wanted and "go" in languages and many.raise_limit()
    results: list[workloads.Result] = []
    facts: list[report.Fact] = []
    with Simulator() as simulator:
        for workload in workloads.WORKLOADS:
            if workload.name not in wanted or workload.language not in languages:
                continue
            if not workloads.available(workload):
                continue
            chosen = workloads.shorter(workload) if options.quick else workload
            results.append(
                workloads.run(
                    chosen,
                    simulator,
                    rounds,
                    standard_json=options.standard_json,
                    against=options.against,
                    peers=not options.no_peers,
                )
            )
            report.progress(results[-1])
        if threads and programs.build("go"):
            facts += many.go_threads(simulator)
    if "import" in wanted and "python" in languages:
        facts += sizes.import_time(5 if options.quick else 15)
    if "size" in wanted:
        facts += sizes.sizes(languages)
    facts = [*report.facts_of(results), *facts]

    table = report.table(results, facts)
    print(table)
    if options.json:
        rows = {"rounds": [result.row() for result in results], "facts": [f.row() for f in facts]}
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if options.write_readme:
        report.write_readme(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
