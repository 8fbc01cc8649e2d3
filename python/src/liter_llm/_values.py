"""Values of other types in requests: the JSON that they become, or why there is none."""

from __future__ import annotations

import math
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def convert(value: Any) -> Any:
    """The JSON form of a value that the encoder does not know.

    | value | form |
    |---|---|
    | a datetime, date or time | ISO 8601 |
    | a UUID | its text |
    | a Decimal | a number, if a double holds it exactly as written |
    | a member of an Enum | its value |
    | numpy's scalars and arrays | numbers, lists |
    | a pydantic model, a dataclass, another mapping | an object |

    Raises TypeError for all else, with what to do.
    """
    for module, names, form in FORMS:
        loaded = sys.modules.get(module)
        for name in names if loaded is not None else ():
            kind: Any = getattr(loaded, name, None)
            if kind is not None and isinstance(value, kind):
                return form(value)
    if isinstance(value, type):
        raise TypeError(f"the class {value.__name__}, and not an object of it")
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("bytes: decode text, or write data as base64")
    if hasattr(value, "__fspath__"):
        raise TypeError("a path: read the file, or give str(path)")
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return dict(value)
    if hasattr(value, "__await__"):
        raise TypeError(f"an object of type {type(value).__name__}: await it first")
    if callable(value):
        raise TypeError(f"a function. {TOOL}")
    raise TypeError(f"an object of type {type(value).__name__}")


TOOL = (
    "A tool is described to the model by a JSON Schema of its arguments, as in "
    '{"type": "function", "function": {"name": ..., "parameters": {"type": "object", ...}}}'
)


WIDEST = 330
"""The decimal exponents that a double reaches, and some more on both sides."""


def _number(value: Any) -> int | float:
    from decimal import Decimal

    if not value.is_finite():
        raise TypeError("a Decimal that is NaN or Infinity")
    # Before anything writes its digits: those of 1E+400000 take seconds.
    if value and (abs(value.adjusted()) > WIDEST or math.isinf(float(value))):
        raise TypeError("a Decimal beyond what a double holds")
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise TypeError("a Decimal with more digits than a number of JSON has: round it")
    return number


def _isoformat(value: Any) -> str:
    return value.isoformat()


def _value(value: Any) -> Any:
    return value.value


def _list(value: Any) -> Any:
    return value.tolist()  # of a scalar: a number


def _dump(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True)


FORMS: Any = (
    ("enum", ("Enum",), _value),
    ("uuid", ("UUID",), str),
    ("datetime", ("date", "time"), _isoformat),  # a datetime is a date
    ("decimal", ("Decimal",), _number),
    ("numpy", ("ndarray", "generic"), _list),
    ("pydantic", ("BaseModel",), _dump),
)
"""Types by their modules: one that is not imported has no object here."""
