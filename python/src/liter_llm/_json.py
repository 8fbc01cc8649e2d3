"""JSON by orjson, a dependency on CPython, else by the standard library.

Both write the same documents, refuse the same values and read the same. What orjson does otherwise
goes to the standard library: whole numbers beyond 64 bits, NaN, lone surrogates, deep documents.

The first document decides which one it is, because importing orjson takes 16 ms. So `loads` and
`dumps` are used as `_json.loads`, never imported by name.
"""

from __future__ import annotations

from ._errors import BadRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

SURROGATE = "holds a str with a lone surrogate, which is not Unicode text"

_scan: Any = None
_encode: Callable[[Any], str]
_orjson_dumps: Any = None
_orjson_loads: Any = None
_orjson_options = 0

_DIGITS = bytes(48 if 48 <= byte < 58 else 120 for byte in range(256))
"""Turns each digit into 0 and all else into x."""

_LONG = b"0" * 19
"""Whole numbers with fewer digits have at most 64 bits. orjson reads longer ones as floats."""


def loads(document: bytes | bytearray) -> Any:
    """Reads a document of the engine, which is compact UTF-8 without white space around it."""
    choose()
    return loads(document)


def dumps(value: Any, what: str = "request") -> bytes:
    """Writes a document of the caller. A value that is no document gives BadRequestError."""
    choose()
    return dumps(value, what)


def lines(documents: bytearray) -> Iterator[Any]:
    """Reads documents of the engine, one a line. Each is read only when it is asked for."""
    choose()
    return lines(documents)


def choose() -> None:
    """Replaces the three functions above with those of the installed library."""
    global loads, dumps, lines, _scan, _encode, _orjson_dumps, _orjson_loads, _orjson_options
    import json

    decoder: Any = json.JSONDecoder()
    _scan, _encode = decoder.scan_once, _encoder()
    try:
        import orjson
    except ImportError:
        loads, dumps, lines = standard_loads, standard_dumps, standard_lines
    else:
        _orjson_dumps, _orjson_loads = orjson.dumps, orjson.loads
        _orjson_options = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
        loads, dumps, lines = fast_loads, fast_dumps, fast_lines


def _encoder() -> Callable[[Any], str]:
    """JSONEncoder.encode without building the C encoder anew for each document (2 µs)."""
    from json import encoder

    options: Any = {"ensure_ascii": False, "allow_nan": False, "separators": (",", ":")}
    options["default"] = _converted
    plain = encoder.JSONEncoder(**options)
    make: Any = getattr(encoder, "c_make_encoder", None)
    quote: Any = getattr(encoder, "c_encode_basestring", None)
    if make is None or quote is None:  # PyPy
        return plain.encode
    # No markers are kept. A value that contains itself ends in a RecursionError, and a failed
    # document leaves nothing behind that would affect the next one.
    parts = make(None, plain.default, quote, None, ":", ",", False, False, False)
    join = "".join
    return lambda value: join(parts(value, 0))


def _converted(value: Any) -> Any:
    """Values that JSON lacks and that have one form in it. All else is a TypeError."""
    from ._values import convert

    return convert(value)


def standard_loads(document: bytes | bytearray) -> Any:
    """Reads without orjson."""
    return _scan(str(document, "utf-8"), 0)[0]


def standard_lines(documents: bytearray) -> Iterator[Any]:
    """Reads one a line without orjson. All lines share one text, and none is copied."""
    text = str(documents, "utf-8")
    scan, end, size = _scan, 0, len(text)
    while end < size:
        value, end = scan(text, end)
        end += 1  # the line's end
        yield value


def fast_loads(document: bytes | bytearray) -> Any:
    """Reads with orjson, unless a whole number may be too long for it."""
    # A regular expression would take longer than all of orjson.
    if _LONG in document.translate(_DIGITS):
        return standard_loads(document)
    return _orjson_loads(document)


def fast_lines(documents: bytearray) -> Iterator[Any]:
    """Reads one a line with orjson."""
    if _LONG in documents.translate(_DIGITS):
        return standard_lines(documents)
    return map(_orjson_loads, filter(None, documents.split(b"\n")))


def standard_dumps(value: Any, what: str = "request") -> bytes:
    """Writes without orjson."""
    try:
        return _encode(value).encode()
    except RecursionError:
        problem = "is nested too deeply, or contains itself"
    except UnicodeEncodeError:
        problem = SURROGATE  # the error's own text, and a chained cause, would quote the caller's
    except ValueError as error:
        said = str(error)  # of a number with thousands of digits, else
        problem = f"cannot be written as JSON: {said}"
        if "Circular" in said:
            problem = "contains itself"
        elif "Out of range" in said:
            problem = "holds NaN or Infinity, which JSON lacks"
    except TypeError as error:
        problem = f"holds what JSON lacks: {error}"
    raise BadRequestError.of(f"the {what} {problem}", param=what)


def fast_dumps(value: Any, what: str = "request") -> bytes:
    """Writes with orjson. Values that it refuses, and NaN (it writes null), go the other way."""
    try:
        document: bytes = _orjson_dumps(value, None, _orjson_options)
    except TypeError:
        document = b"null"
    return standard_dumps(value, what) if b"null" in document else document


def encode_text(text: str, what: str = "request") -> bytes:
    """The caller's JSON text as UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass  # see above
    raise BadRequestError.of(f"the {what} {SURROGATE}", param=what)
