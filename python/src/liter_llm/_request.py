"""A call's arguments as the two documents that the engine takes: request and options."""

from __future__ import annotations

from os import PathLike

from . import _json
from ._errors import BadRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._types import Options

OPTION_NAMES = frozenset(
    {
        "provider",
        "timeout_ms",
        "idle_ms",
        "merge_deltas",
        "unsupported",
        "strict",
        "retry",
        "fallback",
        "fanout",
        "hedge",
        "limit",
        "region",
        "sticky_key",
        "idempotency_key",
        "on_break",
        "cache",
        "traceparent",
        "tracestate",
        "baggage",
        "tags",
    }
)
"""Keyword arguments that are options. All others are members of the request."""


class Defaults:
    """The options of a client, encoded once."""

    __slots__ = ("_document", "options")

    def __init__(self, options: Mapping[str, Any]) -> None:
        for name in options:
            if name not in OPTION_NAMES:
                raise TypeError(
                    f"{name!r} is not an option; known: {', '.join(sorted(OPTION_NAMES))}"
                )
        self.options = dict(options)
        self._document = _json.dumps(self.options, "options")

    def documents(
        self,
        request: Any,
        options: Options | Mapping[str, Any] | None,
        members: dict[str, Any],
    ) -> tuple[bytes, bytes]:
        """The request and the options of one call, as JSON.

        The first of these to set an option wins: keyword arguments, `options=`, the request's own
        `options`, the client's.
        """
        if options and not hasattr(options, "keys"):
            raise TypeError(f"options is a dict, not {type(options).__name__}")
        chosen: dict[str, Any] | None = dict(options) if options else None
        if members and not OPTION_NAMES.isdisjoint(members):
            chosen = {} if chosen is None else chosen
            for name in OPTION_NAMES.intersection(members):
                chosen[name] = members.pop(name)
        if isinstance(request, str):
            _once("prompt", members)
            members["prompt"] = request
        elif isinstance(request, (list, tuple)):
            _once("messages", members)
            members["messages"] = request
        elif isinstance(request, (bytes, bytearray, memoryview)):
            if members:
                raise TypeError("members cannot be added to a request that is given as bytes")
            body = bytes(request)  # pyright: ignore[reportUnknownArgumentType]
            return body, self._merge(chosen)
        elif not hasattr(request, "keys") and hasattr(request, "__getitem__"):  # another sequence
            _once("messages", members)
            members["messages"] = list(request)
        elif request is not None:
            members = {**_mapping(request), **members}
            own = members.get("options")
            if isinstance(own, dict):
                del members["options"]
                chosen = {**own, **(chosen or {})}  # pyright: ignore[reportUnknownVariableType]
        return _json.dumps(members), self._merge(chosen)

    def _merge(self, chosen: dict[str, Any] | None) -> bytes:
        if chosen is None:
            return self._document
        return _json.dumps({**self.options, **chosen}, "options")


def _once(name: str, members: Mapping[str, Any]) -> None:
    if name in members:
        raise TypeError(f"{name} is given twice: as the request, and by name")


def _mapping(request: Any) -> Mapping[str, Any]:
    if hasattr(request, "keys"):
        return request
    raise TypeError(
        "a request is a prompt (str), messages (list), a dict or JSON (bytes), "
        f"not {type(request).__name__}"
    )


def config_document(config: Mapping[str, Any] | str | bytes | PathLike[str] | None) -> bytes | None:
    """A configuration as JSON, from a dict, JSON text or a file's path. None: the environment."""
    if config is None or isinstance(config, bytes):
        return config
    if isinstance(config, str):
        if config.lstrip()[:1] not in ("{", "[", '"', ""):
            message = (
                "the configuration is not JSON: a str is JSON text, a file's path is given as "
                "pathlib.Path"
            )
            raise BadRequestError.of(message, param="configuration")
        return _json.encode_text(config, "configuration")
    if hasattr(config, "keys"):
        return _json.dumps(config, "configuration")
    if not isinstance(config, PathLike):  # open() would take a number as a descriptor
        raise TypeError(
            "a configuration is a dict, JSON (str or bytes), the path of a file or None, "
            f"not {type(config).__name__}"
        )
    with open(config, "rb") as file:
        return file.read()
