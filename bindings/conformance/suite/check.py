"""The verdicts: what every outcome must satisfy, alone and beside the others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from . import canonical, compare, corpus, facts, jsontext, kept
from .cases import VIAS, Case, schema_of
from .plan import run_name
from .report import Report
from .schema import Schema
from .simulator import LEFT

Key = tuple[str, str]
# Every key that a case configures begins so; none may be seen in an outcome.
_KEYS = re.compile(rb"(?:sk|sk-ant|co)-conf[a-z-]*|sk-from-the-environment")
_SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


class Checker:
    """Takes the runners' outcomes one after another and judges them."""

    def __init__(self, cases: list[Case], records: list[corpus.Record], seeds: int) -> None:
        self._cases = {case.id: case for case in cases}
        self._records = {
            corpus.case_id(record, seed): record for record in records for seed in range(seeds)
        }
        self._kept = {kept.case_id(record): record for record in records if kept.wanted(record)}
        self._schemas = {path.stem: Schema(path) for path in _SCHEMAS.glob("*.json")}
        # runner → (case, via) → canonical text
        self.outcomes: dict[str, dict[Key, str]] = {}

    def take(self, runner: str, keys: list[Key], lines: list[bytes], report: Report) -> None:
        """Judges what a runner printed, outcome by outcome, and that it printed each once."""
        wanted, found = set(keys), self.outcomes.setdefault(runner, {})
        for number, line in enumerate(lines, 1):
            try:
                outcome = canonical.strip(jsontext.parse(line))
                key = (outcome["case"], outcome["via"])
                reasons = self._shape_of(key, outcome) if key in wanted else []
                if key in wanted and not reasons:
                    reasons = self._judge(key, outcome)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                report.notes.append(f"{runner}, line {number}: {type(error).__name__}: {error}")
                continue
            if shown := _KEYS.search(line):
                reasons.append(f"a key is shown: {shown.group().decode()}")
            if key not in wanted:
                reasons = ["nobody asked for this outcome"]
            elif key in found:
                reasons = ["a second outcome of the same row"]
            if case := self._cases.get(key[0]):
                outcome = canonical.steady(outcome, case.document)
            found.setdefault(key, canonical.text(outcome))
            report.outcomes.add((*key, runner))
            for reason in reasons:
                report.fail(*key, runner, reason)
        for case, via in keys:
            if (case, via) not in found:
                report.fail(case, via, runner, "no outcome")
        self._seeds(runner, found, report)
        self._stored(runner, found, report)

    def _judge(self, key: Key, outcome: dict[str, Any]) -> list[str]:
        reasons: list[str] = []
        if key[1] == "stream":
            if found := compare.stream_difference(outcome):
                reasons.append(f"chunks: {found}")
        elif "events" in outcome:
            reasons.append("events: only a stream has them")
        if key[0] in self._kept:
            # One that was not stored is another reading of the record, and no business of this.
            return reasons if kept.is_stored(outcome) else []
        case = self._cases.get(key[0])
        if case is None:
            return reasons + list(facts.judge(self._records[key[0]], jsontext.plain(outcome)))
        return reasons + self._expected(case, key[1], outcome)

    def _expected(self, case: Case, via: str, outcome: dict[str, Any]) -> list[str]:
        """Where an outcome of a written case is not the expected one."""
        reasons: list[str] = []
        if "cancel_after" in case.document:
            outcome = canonical.steady(outcome, case.document)
        elif case.document.get("exchanges") and not _attempts(outcome) and not _stored(outcome):
            # The simulator cannot tell of a case that nobody began.
            reasons.append("attempts: none, but the case has exchanges")
        if via == "invoke":
            outcome = canonical.rename(outcome, case.id, case.document["provider"])
        exact = case.document.get("outcome_exact", False)
        for name, expected in case.outcome.items():
            if name not in outcome:
                got = outcome.get("error", {"kind": "success"})
                said = f"{got.get('kind')}: {compare.short(got.get('message'))}"
                reasons.append(f"expected {name}, got {said}")
                continue
            actual = compare.with_texts(outcome[name]) if not exact else outcome[name]
            if found := compare.first_difference(expected, actual, exact, name):
                reasons.append(found)
        return reasons

    def _shape_of(self, key: Key, outcome: dict[str, Any]) -> list[str]:
        """What is wrong with an outcome whatever its case; one seed of a recording is enough."""
        if ("result" in outcome) == ("error" in outcome):
            return ["an outcome has a result or an error, one of them"]
        if key[0] in self._cases or key[0].endswith("/0"):
            case = self._cases.get(key[0])
            operation = case.operation if case else self._records[key[0]].operation
            return self._shape(jsontext.plain(outcome), operation)
        return []

    def _shape(self, outcome: dict[str, Any], operation: str) -> list[str]:
        """What is wrong with the documents by their schemas."""
        # Volatile members were taken out; the schemas ask for them.
        if "error" in outcome:
            found = [("error", self._schemas["error"].fault(_whole_error(outcome)))]
        elif compare.is_many(result := outcome["result"]):
            many = result | {
                "results": [_whole_result(answer) for answer in result["results"]],
                "failures": [_whole_error(failure) for failure in result["failures"]],
            }
            found = [("many", self._schemas["many"].fault(many))]
        else:
            name = schema_of(operation, "response")
            found = [(name, self._schemas[name].fault(_whole_result(result)))]
        for event in outcome.get("events", []):
            name = "reset" if compare.is_reset(event) else "chunk"
            name = "http_event" if compare.is_passed_through(event) else name
            found.append((name, self._schemas[name].fault(event)))
        return [f"schema of a {name}: {fault}" for name, fault in found if fault]

    def _seeds(self, runner: str, found: dict[Key, str], report: Report) -> None:
        """A recorded exchange must come out the same however its bytes were cut."""
        first: dict[Key, tuple[str, str]] = {}
        for case, via in sorted(found):
            if case not in self._records:
                continue
            base, text = case.rpartition("/")[0], found[case, via]
            seed, other = first.setdefault((base, via), (case, text))
            if text != other:
                where = compare.bytes_difference(other, text)
                report.fail(case, via, runner, f"split: differs from {seed} {where}")

    def _stored(self, runner: str, found: dict[Key, str], report: Report) -> None:
        """A recorded answer must come out of the cache as it went in, or not at all."""
        for (case, via), text in found.items():
            if (record := self._kept.get(case)) is None:
                continue
            first = (corpus.case_id(record, 0), "stream" if record.data["streaming"] else "call")
            documents = [jsontext.parse(one) for one in (text, found.get(first, "{}"))]
            if reason := kept.judge(record, *documents):
                report.fail(case, via, runner, f"cache: {reason}")

    def requests(self, problems: dict[Key, list[str]], runners: list[str], report: Report) -> None:
        """What the simulator says about the requests that it got."""
        runs = {run_name(runner, via): (runner, via) for runner in runners for via in VIAS}
        for (run, case), messages in problems.items():
            for message in messages:
                if case in self._kept and message.endswith(LEFT):
                    continue
                if run in runs:
                    report.fail(case, runs[run][1], runs[run][0], f"request: {message}")
                else:
                    report.notes.append(f"simulator: {run}: {case}: {message}")

    def languages(self, report: Report) -> None:
        """Every language must give the first one's bytes."""
        names = list(self.outcomes)
        for name in names[1:]:
            reference = self.outcomes[names[0]]
            for (case, via), text in self.outcomes[name].items():
                other = reference.get((case, via))
                if other is not None and other != text:
                    where = compare.bytes_difference(other, text)
                    report.fail(case, via, name, f"language: differs from {names[0]} {where}")

    def exceptions(self, path: Path, report: Report) -> None:
        """Takes the known exceptions out; one that no longer fails is a failure itself."""
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        present = {record.id for record in self._records.values()}
        for id_, reason in known.items():
            if id_ not in present:
                continue
            failing = [key for key in report.failures if key[0].startswith(f"corpus/{id_}/")]
            for key in failing:
                del report.failures[key]
            if failing:
                print(f"known exception: {id_}: {reason}")
            else:
                report.notes.append(f"{id_} is in {path.name} but passes: take it out")


def _whole_result(result: dict[str, Any]) -> dict[str, Any]:
    liter = {"request_id": "", "timing": {"queue_ms": 0, "total_ms": 0}} | result["liter"]
    liter |= {"attempts": [attempt | {"ms": 0} for attempt in liter["attempts"]]}
    if "cache" in liter:
        liter |= {"cache": liter["cache"] | {"age_ms": 0}}
    return result | {"liter": liter}


def _whole_error(document: dict[str, Any]) -> dict[str, Any]:
    error = document["error"]
    if "attempts" in error:
        error = error | {"attempts": [attempt | {"ms": 0} for attempt in error["attempts"]]}
    return {"error": error}


def _stored(outcome: dict[str, Any]) -> bool:
    """Whether an outcome is one of the calls that a cache answers, or alone may answer."""
    if "error" in outcome:
        return outcome["error"].get("code") == "cache_miss"
    return "cache" in outcome["result"].get("liter", {})


def _attempts(outcome: dict[str, Any]) -> list[Any]:
    """The attempts that an outcome tells of."""
    if "error" in outcome:
        return outcome["error"].get("attempts", [])
    result = outcome["result"]
    answers = result["results"] if compare.is_many(result) else [result]
    return [attempt for answer in answers for attempt in answer["liter"].get("attempts", [])]
