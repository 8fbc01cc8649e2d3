"""A small JSON Schema validator: the vocabulary that the schemas in `schemas/` use, and no more.

A keyword that it does not know is an error, so that no schema is checked by half.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_NOTES = {"$schema", "$defs", "title", "description", "default"}
_KNOWN = {"$ref", "additionalProperties", "allOf", "anyOf", "const", "enum", "items"}
_KNOWN |= {"maxItems", "maximum", "minItems", "minimum", "oneOf", "properties", "required", "type"}
_KNOWN |= {"uniqueItems"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


class Schema:
    """One schema document."""

    def __init__(self, path: Path) -> None:
        self._root: Any = json.loads(path.read_text(encoding="utf-8"))

    def fault(self, value: Any) -> str | None:
        """What is wrong with a value; None where nothing is."""
        return self._check(self._root, value, "")

    def _check(self, schema: Any, value: Any, path: str) -> str | None:
        if isinstance(schema, bool):
            return None if schema else f"{path}: not allowed"
        if unknown := set(schema) - _KNOWN - _NOTES:
            raise ValueError(f"the validator does not know {', '.join(sorted(unknown))}")
        if "$ref" in schema:
            target = self._root
            for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
                target = target[step] if step else target
            if found := self._check(target, value, path):
                return found
        if "type" in schema and not _is_a(value, schema["type"]):
            return f"{path}: {type(value).__name__} is not {schema['type']}"
        if "enum" in schema and value not in schema["enum"]:
            return f"{path}: none of {schema['enum']}"
        if "const" in schema and value != schema["const"]:
            return f"{path}: not {schema['const']}"
        number = isinstance(value, int | float)
        if number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            return f"{path}: out of range"
        return self._forms(schema, value, path) or self._inside(schema, value, path)

    def _forms(self, schema: dict[str, Any], value: Any, path: str) -> str | None:
        for part in schema.get("allOf", []):
            if found := self._check(part, value, path):
                return found
        for word in ("anyOf", "oneOf"):
            if word not in schema:
                continue
            found = [self._check(part, value, path) for part in schema[word]]
            if None not in found:
                return f"{path}: none of the forms fits ({found[0]})"
        return None

    def _inside(self, schema: dict[str, Any], value: Any, path: str) -> str | None:
        if isinstance(value, list):
            least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
            if not least <= len(value) <= most:
                return f"{path}: {len(value)} items"
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                if found := self._check(schema["items"], item, f"{path}[{number}]"):
                    return found
        if not isinstance(value, dict):
            return None
        for name in schema.get("required", []):
            if name not in value:
                return f"{path}.{name}: missing"
        properties = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        for name, member in value.items():
            if found := self._check(properties.get(name, rest), member, f"{path}.{name}"):
                return found
        return None


def _is_a(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)
