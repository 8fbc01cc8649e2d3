"""What the table of names finds in the facts of a call."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def span_name(found: dict[str, Any]) -> str:
    """`chat gpt-4.1-mini`, or `chat`."""
    operation = found.get("gen_ai.operation.name", "chat")
    model = found.get("gen_ai.request.model")
    return f"{operation} {model}" if model else operation


def attributes(rows: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """What the rows of the table find in the facts of a call."""
    found: dict[str, Any] = {}
    for row in rows:
        value = written(row["as"], at(facts, row["from"]))
        if value is not None:
            found[row["name"]] = value
    return found


def at(facts: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(facts, dict):
            return None
        facts = facts.get(name)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return facts  # pyright: ignore[reportUnknownVariableType]


def written(how: str, value: Any) -> Any:
    """A value as the table says."""
    if value is None:
        return None
    return _HOW[how](value)


def _operation(value: Any) -> Any:
    from ._semconv import TABLE

    return TABLE["operations"].get(value, value)


def _provider(trace: Any) -> Any:
    from ._semconv import TABLE

    return TABLE["providers"].get(trace.get("kind"), trace.get("provider"))


def _finish_reasons(choices: Any) -> Any:
    reasons = [choice.get("finish_reason") or "error" for choice in choices]
    return reasons or None


def _number(value: Any) -> Any:
    return float(value)


def _seconds(value: Any) -> Any:
    return value / 1000


def _count(value: Any) -> Any:
    return len(value)


def _not_one(value: Any) -> Any:
    return None if value == 1 else value


def _host(value: Any) -> Any:
    return value.rpartition(":")[0].strip("[]") or None


def _port(value: Any) -> Any:
    return int(value.rpartition(":")[2] or 0) or None


def _value(value: Any) -> Any:
    return value


_HOW: dict[str, Any] = {
    "value": _value,
    "number": _number,
    "seconds": _seconds,
    "count": _count,
    "not_one": _not_one,
    "operation": _operation,
    "provider": _provider,
    "host": _host,
    "port": _port,
    "finish_reasons": _finish_reasons,
}
