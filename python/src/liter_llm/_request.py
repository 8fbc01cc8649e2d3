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


def stream_of(request: Any) -> Any:
    """The member `stream` of a whole request, which is a mapping or JSON. None: it has none.

    Most bytes do not have the word, and are not parsed. What is wrong with bytes that are no JSON,
    the engine says.
    """
    if isinstance(request, (str, list, tuple)):
        return None
    if isinstance(request, (bytes, bytearray, memoryview)):
        body = bytes(request)  # pyright: ignore[reportUnknownArgumentType]
        if b'"stream"' not in body:
            return None
        import json

        try:
            document: Any = json.loads(body.decode())
        except (ValueError, RecursionError):
            return None
    else:
        document = request
    if not hasattr(document, "keys"):
        return None
    return document["stream"] if "stream" in document.keys() else None  # noqa: SIM118


def wants_stream(request: Any, stream: Any) -> bool:
    """Whether `chat` is asked for a stream, by its argument or by a whole request."""
    if stream is None:
        stream = stream_of(request)
        if isinstance(request, (bytes, bytearray, memoryview)):
            # The types promise a whole answer for bytes, whose members they do not see.
            _whole(stream, "calls of chat with bytes wait")
            return False  # what is no boolean, the engine refuses
    if stream is not None and not isinstance(stream, bool):
        raise TypeError(f"stream is True or False, not {type(stream).__name__}")
    return stream is True


def check_whole(request: Any, who: str) -> None:
    """Refuses a request for a stream where a whole answer is waited for, by `who`."""
    _whole(stream_of(request), who)


def _whole(stream: Any, who: str) -> None:
    if stream is True:
        raise TypeError(f"stream is True, but {who} for the whole answer: use client.stream")


def check_stream(request: Any) -> None:
    """Refuses a request for a whole answer where a stream is made."""
    if stream_of(request) is False:
        raise TypeError("stream is False, but this is client.stream: ask with client.chat")


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


def purging(tenant: str) -> tuple[bytes, bytes]:
    """The documents of a request to forget a tenant's stored answers."""
    if not isinstance(tenant, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"tenant is a str, not of type {type(tenant).__name__}")
    return _json.dumps({"op": "cache_purge", "tenant": tenant}), b""


def reading(name: str, value: str) -> tuple[bytes, bytes]:
    """The documents of a request to read a budget."""
    for given, what in ((name, "name"), (value, "value")):
        if not isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{what} is a str, not of type {type(given).__name__}")
    return _json.dumps({"op": "budget", "name": name, "value": value}), b""


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
    """A configuration that is to be added to. None: it is no JSON, of which the engine tells."""
    import json

    try:
        return json.loads(document.decode())
    except (ValueError, RecursionError):
        return None


def with_settings(
    config: bytes | None, variables: dict[str, str], provider: Any, settings: dict[str, Any]
) -> bytes | None:
    """A configuration with settings of the client's own provider: its key, its URL, its headers.

    Without a configuration, that of the environment's `variables` takes them in, so that all else
    of the environment counts as before. What is malformed stays as it is: the engine says what is
    wrong with it.
    """
    found: Any = _of_environment(variables) if config is None else read_json(config)
    provider = _own_provider(found, {} if config is not None else variables, provider, settings)
    if provider is None:
        return config
    providers: Any = found.get("providers")
    providers = {} if providers is None else providers
    entry: Any = providers.get(provider) if _is_object(providers) else None
    entry = {} if entry is None else entry
    if not _is_object(providers) or not _is_object(entry):
        return config
    if (headers := settings.get("headers")) is not None:
        settings = {**settings, "headers": _over(entry.get("headers"), headers)}
    providers = {**providers, provider: {**entry, **settings}}
    document = _json.dumps({**found, "providers": providers}, "configuration")
    if config is not None:
        return document
    variables["LITER_LLM_CONFIG"] = document.decode()
    return None


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _over(before: Any, headers: Any) -> Any:
    """Headers of an entry with others over them. Their names have no case."""
    if not _is_object(before) or not hasattr(headers, "keys"):
        return headers
    given = {str(name).lower() for name in headers.keys()}  # noqa: SIM118
    kept = {name: value for name, value in before.items() if name.lower() not in given}
    return {**kept, **headers}


def _own_provider(
    found: Any, variables: Mapping[str, str], provider: Any, settings: Mapping[str, Any]
) -> str | None:
    """The name of the client's own provider. None: the configuration is malformed."""
    if not _is_object(found):
        return None
    provider = provider or variables.get("LITER_LLM_PROVIDER") or found.get("default_provider")
    if not provider:
        model = variables.get("LITER_LLM_MODEL") or found.get("default_model")
        provider = model.partition("/")[0] if isinstance(model, str) and "/" in model else None
    names = " and ".join(f"{name}=" for name in settings if name != "headers")
    belong = f"{names} {'belong' if ' and ' in names else 'belongs'} to one provider"
    if not provider:
        raise TypeError(f'{belong}: name it, as in provider="openai"')
    if not isinstance(provider, str):
        return None
    routes: Any = found.get("routes")
    if _is_object(routes) and provider in routes:
        raise TypeError(f"{belong}, and {provider} is a route")
    return provider


def _of_environment(variables: Mapping[str, str]) -> Any:
    """The configuration that LITER_LLM_CONFIG has or names. None: it cannot be read."""
    text = variables.get("LITER_LLM_CONFIG", "")
    if not text:
        return {}
    if text.lstrip().startswith("{"):
        return read_json(text.encode())
    try:
        with open(text, "rb") as file:
            return read_json(file.read())
    except (OSError, ValueError):  # also of a name with a NUL
        return None
