"""A call's arguments as the two documents that the engine takes: request and options."""

from __future__ import annotations

from os import PathLike

from . import _json
from ._errors import BadRequestError, Led
from ._names import MEMBER_NAMES, OPTION_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    from ._types import Options

KEYWORDS = {operation: names | OPTION_NAMES for operation, names in MEMBER_NAMES.items()}
"""The keyword arguments of each operation."""

CLIENT_KEYWORDS = OPTION_NAMES | {"api_key", "base_url"}


class Defaults:
    """The options of a client, encoded once."""

    __slots__ = ("_document", "options")

    def __init__(self, options: Mapping[str, Any], where: str = "Client") -> None:
        if not options.keys() <= OPTION_NAMES:
            _refuse(options, where, CLIENT_KEYWORDS if where == "Client" else OPTION_NAMES)
        self.options = dict(options)
        self._document = _json.dumps(self.options, "options")

    def documents(
        self,
        request: Any,
        options: Options | Mapping[str, Any] | None,
        members: dict[str, Any],
        where: str = "chat",
        operation: str = "chat",
    ) -> tuple[bytes, bytes]:
        """The request and the options of one call, as JSON. `where` is the method's name.

        The first of these to set an option wins: keyword arguments, `options=`, the request's own
        `options`, the client's.
        """
        if members and not members.keys() <= KEYWORDS[operation]:
            _refuse(members, where, KEYWORDS[operation])
        chosen: dict[str, Any] | None = _checked(options, operation) if options else None
        if members and not OPTION_NAMES.isdisjoint(members):
            chosen = {} if chosen is None else chosen
            for name in OPTION_NAMES.intersection(members):
                chosen[name] = members.pop(name)
        system: str | None = members.pop("system", None)
        if isinstance(request, str):
            _once("prompt", members)
            members["prompt"] = request
        elif isinstance(request, (list, tuple)):
            _once("messages", members)
            members["messages"] = request
        elif isinstance(request, (bytes, bytearray, memoryview)):
            if members or system is not None:
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
        if system is not None:
            _begin_with(system, members)
            return Led(_json.dumps(members)), self._merge(chosen)
        return _json.dumps(members), self._merge(chosen)

    def _merge(self, chosen: dict[str, Any] | None) -> bytes:
        if chosen is None:
            return self._document
        return _json.dumps({**self.options, **chosen}, "options")


def with_operation(request: bytes, operation: str) -> bytes:
    """The same request for another operation. The engine says what is wrong with one that is none.

    Of members with one name the last counts.
    """
    begin, end = request.strip()[:-1], request.rstrip()[-1:]
    if not begin.startswith(b"{") or end != b"}":
        return request
    comma = b"" if begin.strip() == b"{" else b","
    changed = b'%b%b"op":"%b"}' % (begin, comma, operation.encode())
    return Led(changed) if type(request) is Led else changed


def _refuse(
    arguments: Mapping[str, Any],
    where: str,
    known: frozenset[str],
    near: frozenset[str] | None = None,
) -> NoReturn:
    """Raises the error for the first argument that is not in `known`. `near` has what is meant."""
    from ._keywords import unknown

    name = next(name for name in arguments if name not in known)
    raise unknown(name, arguments[name], where, near or known)


def _checked(options: Options | Mapping[str, Any], operation: str) -> dict[str, Any]:
    """The argument `options`, copied."""
    if not hasattr(options, "keys"):
        raise TypeError(f"options is a dict, not {type(options).__name__}")
    if not options.keys() <= OPTION_NAMES:
        _refuse(options, "options=", OPTION_NAMES, KEYWORDS[operation])
    return dict(options)


def _begin_with(system: Any, members: dict[str, Any]) -> None:
    """Puts a message of the system's before the others. What is no list is left to the engine."""
    if not isinstance(system, str):
        raise TypeError(f"system is a str, not {type(system).__name__}")
    prompt, messages = members.get("prompt"), members.get("messages")
    if prompt is not None and messages is None:
        del members["prompt"]
        messages = [{"role": "user", "content": prompt}]
    if messages is None or isinstance(messages, (str, bytes, bytearray, memoryview)):
        return
    if hasattr(messages, "__iter__") and not hasattr(messages, "keys"):
        members["messages"] = [{"role": "system", "content": system}, *messages]


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


def read_json(document: bytes) -> Any:
    """A configuration that is to be added to."""
    import json

    try:
        return json.loads(document)
    except ValueError as error:
        reason = f"the configuration is not JSON: {error}"
    raise BadRequestError.of(reason, param="configuration")


def with_settings(
    config: bytes | None, variables: dict[str, str], provider: str | None, settings: dict[str, str]
) -> bytes | None:
    """A configuration with settings of the client's own provider: its key, its base URL.

    Without a configuration, that of the environment's `variables` takes them in, so that all else
    of the environment counts as before.
    """
    document: Any = read_json(config) if config is not None else _of_environment(variables)
    kind: type[Any] = document.__class__
    if kind is not dict:  # the engine says so
        return config
    found: dict[str, Any] = document
    if provider is None and config is None:
        provider = variables.get("LITER_LLM_PROVIDER")
    provider = provider or found.get("default_provider")
    if not provider:
        model = (variables.get("LITER_LLM_MODEL") if config is None else None) or found.get(
            "default_model"
        )
        provider = str(model).partition("/")[0] if "/" in str(model) else None
    names = " and ".join(f"{name}=" for name in settings)
    belong = f"{names} {'belongs' if len(settings) == 1 else 'belong'} to one provider"
    if not provider:
        raise TypeError(f'{belong}: name it, as in provider="openai"')
    if provider in (found.get("routes") or {}):
        raise TypeError(f"{belong}, and {provider} is a route")
    providers = dict(found.get("providers") or {})
    providers[provider] = {**(providers.get(provider) or {}), **settings}
    document = _json.dumps({**found, "providers": providers}, "configuration")
    if config is not None:
        return document
    variables["LITER_LLM_CONFIG"] = document.decode()
    return None


def _of_environment(variables: Mapping[str, str]) -> Any:
    """The configuration that LITER_LLM_CONFIG has or names."""
    text = variables.get("LITER_LLM_CONFIG", "")
    if text and not text.lstrip().startswith("{"):
        with open(text, encoding="utf-8") as file:
            text = file.read()
    return read_json(text.encode()) if text else {}
