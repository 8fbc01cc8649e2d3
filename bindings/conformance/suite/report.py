"""Collects verdicts and prints them for a person, the plain total last."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

_FEW = 20
_SHOWN_OF_A_GROUP = 3


@dataclass
class Report:
    """What was checked: each (case, via, runner) with its reasons to fail."""

    outcomes: set[tuple[str, str, str]] = field(default_factory=set)
    failures: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fail(self, case: str, via: str, runner: str, reason: str) -> None:
        """Notes a reason why an outcome fails."""
        key = (case, via, runner)
        self.outcomes.add(key)
        reasons = self.failures.setdefault(key, [])
        if reason not in reasons:
            reasons.append(reason)

    def print(self, verbose: bool) -> bool:
        """Prints failures and the total; whether all passed."""
        if verbose or len(self.failures) <= _FEW:
            for (case, via, runner), reasons in sorted(self.failures.items()):
                print(f"FAIL {case} via {via} in {runner}")
                for reason in reasons:
                    print(f"     {reason}")
        else:
            self._print_groups()
        for note in self.notes:
            print(f"FAIL {note}")
        passed = len(self.outcomes) - len(self.failures)
        print(f"{passed} passed, {len(self.failures) + len(self.notes)} failed")
        return not self.failures and not self.notes

    def _print_groups(self) -> None:
        groups: dict[str, list[tuple[tuple[str, str, str], str]]] = defaultdict(list)
        for key, reasons in sorted(self.failures.items()):
            for reason in reasons:
                groups[_group(reason)].append((key, reason))
        for name, members in sorted(groups.items(), key=lambda item: -len(item[1])):
            print(f"FAIL {len(members)} × {name}")
            for (case, via, runner), reason in members[:_SHOWN_OF_A_GROUP]:
                print(f"     {case} via {via} in {runner}\n       {reason}")
        print("(--verbose lists every failure)")


def _group(reason: str) -> str:
    """What failures of one cause have in common: the text before their values."""
    head = re.split(r"[:{'\"]", reason, maxsplit=1)[0]
    return re.sub(r"\d+", "N", head)
