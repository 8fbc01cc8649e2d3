"""Runs the conformance suite: every case, by every via, in every language.

    python3 bindings/conformance/run.py [--runner NAMES] [--cases GLOB] [--corpus DIR]

Ends with the plain line `N passed, N failed`, which counts (case, via, runner) outcomes, and with
status 1 where something failed. README.md describes cases and runners.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from suite import cases, check, corpus, jsontext, kept, plan, runners
from suite.report import Report
from suite.simulator import Simulator, SimulatorError

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Parses the arguments and runs; the exit code."""
    parser = argparse.ArgumentParser(description="Runs the conformance suite.")
    parser.add_argument("--runner", default="rust,c,python,node,go", help="which languages")
    parser.add_argument("--cases", default="*", metavar="GLOB", help="ids of cases, e.g. 'tools/*'")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="recorded exchanges")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each recorded body")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep plans and outcomes here")
    parser.add_argument("--check", action="store_true", help="only check the case files")
    parser.add_argument("--verbose", action="store_true", help="list every failure")
    arguments = parser.parse_args()
    try:
        written = cases.load(HERE / "cases", arguments.cases)
        cases.check_requests(written, HERE / "schemas")
        if arguments.check:
            print(f"{len(written)} cases are well-formed")
            return 0
        records = _records(arguments.corpus)
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            return _run(arguments, written, records, arguments.keep)
        with tempfile.TemporaryDirectory(prefix="liter-llm-conformance-") as folder:
            return _run(arguments, written, records, Path(folder))
    except (cases.CaseError, SimulatorError, runners.RunnerError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2


def _records(folder: Path | None) -> list[corpus.Record]:
    if folder is None:
        return []
    if not folder.is_dir():
        print(f"no recorded exchanges: {folder} is not there")
        return []
    records = list(corpus.read(folder))
    print(f"{len(records)} recorded exchanges from {folder}")
    return records


def _run(
    arguments: argparse.Namespace,
    written: list[cases.Case],
    records: list[corpus.Record],
    folder: Path,
) -> int:
    seeds = range(arguments.seeds)
    everything = written + [corpus.case(record, seed) for record in records for seed in seeds]
    everything += [kept.case(record) for record in records if kept.wanted(record)]
    path = folder / "cases.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for case in everything:
            out.write(jsontext.compact(case.document | {"id": case.id}) + "\n")
    report, verdicts = Report(), check.Checker(written, records, arguments.seeds)
    names = [name for name in arguments.runner.split(",") if name]
    with Simulator(path) as simulator:
        for name in names:
            made = plan.make(everything, name, simulator.url)
            here = folder / name
            variables = made.write(here)
            begun = time.monotonic()
            lines, problem = runners.run(name, here, variables)
            if problem:
                report.notes.append(problem)
            verdicts.take(name, made.keys, lines, report)
            seconds = time.monotonic() - begun
            print(f"{name}: {len(lines)} outcomes of {len(made.keys)} rows in {seconds:.1f} s")
        problems = simulator.report()
    verdicts.requests(problems, names, report)
    verdicts.languages(report)
    verdicts.exceptions(HERE / "known_exceptions.json", report)
    if arguments.keep:
        for name, outcomes in verdicts.outcomes.items():
            rows = (f"{case}\t{via}\t{text}\n" for (case, via), text in sorted(outcomes.items()))
            (folder / name / "canonical.tsv").write_text("".join(rows), encoding="utf-8")
    return 0 if report.print(arguments.verbose) else 1


if __name__ == "__main__":
    sys.exit(main())
