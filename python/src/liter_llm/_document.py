"""The base of the classes of `_models`: a dict whose members are attributes too.

Nested objects are plain dicts until an attribute reaches them. Then they are wrapped and stay so. A
member that a class lists and a document lacks reads as None. A name that neither has raises
AttributeError.
"""

from __future__ import annotations

import sys
from array import array
from binascii import a2b_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Any, ClassVar, Literal

    Format = Literal["f", "b", "B"]

    from typing_extensions import Self

SHOWN = 120
"""The number of characters of a text that a notebook shows."""

FORMATS: dict[str, Format] = {
    "base64": "f",
    "float": "f",
    "int8": "b",
    "binary": "b",
    "uint8": "B",
    "ubinary": "B",
}
"""The format of a vector's numbers, by its encoding."""


class Document(dict[str, "Any"]):
    """A JSON object. `json.dumps`, `copy` and `pickle` treat it as the dict it is."""

    __slots__ = ()
    _nested: ClassVar[dict[str, type[Document]]] = {}
    _absent: ClassVar[dict[str, Any]] = {}

    if not TYPE_CHECKING:  # a name that no class lists is an error of the program's

        def __getattr__(self, name: str) -> Any:
            try:
                value = self[name]
            except KeyError:
                if name in type(self).__annotations__ and name[0] != "_":
                    absent = self._absent.get(name)
                    return absent() if isinstance(absent, type) else absent
                message = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(message, name=name, obj=self) from None
            kind: type[Any] = value.__class__
            if kind is dict:
                wrap: Any = self._nested.get(name, Document)
                value = self[name] = wrap(value)
            elif kind is list and value and type(value[0]) is dict:
                wrap = self._nested.get(name, Document)
                items: list[Any] = value
                items[:] = [wrap(item) if type(item) is dict else item for item in items]
            return value

    def __dir__(self) -> list[str]:
        return sorted(
            {*super().__dir__(), *self, *type(self).__annotations__} - {"_nested", "_absent"}
        )

    def to_dict(self) -> dict[str, Any]:
        """A copy of plain dicts and lists, all the way down."""
        return _plain(self)

    def model_dump(
        self,
        *,
        mode: Literal["json", "python"] = "python",
        exclude_none: bool = False,
        exclude_unset: bool = False,
        by_alias: bool | None = None,
    ) -> dict[str, Any]:
        """`to_dict`, under the name that pydantic's models and other SDKs have.

        Only `exclude_none` changes anything: all values are those of JSON, a member that was not
        sent is absent, and no name has an alias.
        """
        if mode not in ("json", "python"):
            raise ValueError(f"mode is 'json' or 'python', not {mode!r}")
        return _plain(self, exclude_none)

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        exclude_none: bool = False,
        exclude_unset: bool = False,
        by_alias: bool | None = None,
    ) -> str:
        """The same as JSON text."""
        import json

        document = _plain(self, exclude_none)
        return json.dumps(document, ensure_ascii=False, indent=indent)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """A field of a pydantic model: any JSON object, read as this class."""
        from importlib import import_module

        schema: Any = import_module("pydantic_core.core_schema")
        members = schema.dict_schema(schema.str_schema(), schema.any_schema())
        return schema.no_info_after_validator_function(cls, members)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """The schema that a web application publishes."""
        about = (cls.__doc__ or "").partition("\n")[0]
        return {"type": "object", "title": cls.__name__, "description": about}

    def _shown(self) -> dict[str, Any]:
        """What a notebook shows."""
        return self

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """IPython's: one line, long texts cut. `repr` has everything."""
        members = (f"{name}={_short(value)}" for name, value in self._shown().items())
        printer.text(f"{type(self).__name__}({'...' if cycle else ', '.join(members)})")


def _plain(value: Any, exclude_none: bool = False) -> Any:
    kind: type[Any] = value.__class__
    if issubclass(kind, dict):
        return {
            name: _plain(one, exclude_none)
            for name, one in value.items()
            if one is not None or not exclude_none
        }
    return [_plain(one, exclude_none) for one in value] if kind is list else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


class Text(Document):
    """An answer with a text."""

    __slots__ = ()

    @classmethod
    def of(cls, text: str, **members: Any) -> Self:
        """An answer with this text, for tests. `members` are further ones, such as `usage`."""
        message = {"role": "assistant", "content": text}
        liter: dict[str, Any] = {"v": 1, "request_id": "test", "attempts": []}
        return cls(
            {
                "object": "chat.completion",
                "model": "test",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "provider": "test",
                "warnings": [],
                "liter": {**liter, "timing": {"queue_ms": 0.0, "total_ms": 0.0}},
                **members,
            }
        )

    def _shown(self) -> dict[str, Any]:
        choices: list[dict[str, Any]] = self.get("choices") or [{}]
        usage: dict[str, Any] = self.get("usage") or {}
        shown: dict[str, Any] = {
            "text": self.text,
            "finish_reason": choices[0].get("finish_reason"),
            "model": self.get("model"),
            "provider": self.get("provider"),
            "total_tokens": usage.get("total_tokens"),
            "warnings": len(self.get("warnings") or ()) or None,
        }
        return {name: value for name, value in shown.items() if value is not None}

    @property
    def text(self) -> str:
        """The first choice's text. It is empty if the answer has none."""
        choices: list[Any] = self.get("choices") or [{}]
        message: dict[str, Any] = choices[0].get("message") or {}
        return message.get("content") or ""


class NewText(Document):
    """A part of a stream. With `on_break="restart"` it may be a `reset` instead."""

    __slots__ = ()

    @classmethod
    def of(cls, text: str, **members: Any) -> Self:
        """A chunk with this text, for tests. `members` are further ones, such as `usage`."""
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        return cls({"object": "chat.completion.chunk", "choices": [choice], **members})

    @property
    def text(self) -> str:
        """The first choice's new text. It is empty if the chunk has none."""
        # With several choices, each comes in chunks of its own.
        choices: Any = self.get("choices") or ()
        first = (choice for choice in choices if choice["index"] == 0)
        return next((choice["delta"].get("content") or "" for choice in first), "")

    @property
    def reset(self) -> str | None:
        """The break after which the answer begins anew, or None. All chunks before it are void."""
        reason: Any = self.get("reason") if self.get("object") == "chat.completion.reset" else None
        return reason


class Vectors(Document):
    """An answer with vectors."""

    __slots__ = ()

    def vectors(self) -> list[memoryview[Any]]:
        """A vector for each input, in their order: its numbers as a memoryview.

        All are views of the same memory. numpy takes them, and `matrix`, without a copy:
        `numpy.asarray(vector)`. Each call decodes the vectors anew, so keep what it gives.

        | `encoding` | format of the view |
        |---|---|
        | `base64`, `float` | `f`: 32-bit floats |
        | `int8`, `binary` | `b`: signed bytes |
        | `uint8`, `ubinary` | `B`: bytes |

        Raises ValueError if a vector is not base64 of such numbers.
        """
        numbers, length = self._numbers()
        view = memoryview(numbers)
        return [view[at : at + length] for at in range(0, len(view), length or 1)]

    def matrix(self) -> memoryview[Any]:
        """All vectors as one view of two dimensions: inputs, and numbers of a vector.

        Raises ValueError as `vectors` does, and for a document without vectors.
        """
        numbers, length = self._numbers()
        if not length:
            raise ValueError("this document has no vectors")
        shape = [len(numbers) // length, length]
        return memoryview(numbers).cast("B").cast(FORMATS[self["encoding"]], shape)

    def _numbers(self) -> tuple[array[Any], int]:
        """The numbers of all vectors, one after the other, and the length of a vector."""
        numbers: array[Any] = array(FORMATS[self["encoding"]])
        length = 0
        for item in self["data"]:
            embedding: str | list[float] = item["embedding"]
            before = len(numbers)
            if isinstance(embedding, str):
                numbers.frombytes(a2b_base64(embedding))
            else:
                numbers.extend(embedding)
            length = length or len(numbers)
            if len(numbers) - before != length or not length:
                raise ValueError("the vectors of this document differ in length")
        if sys.byteorder == "big" and self["encoding"] == "base64":
            numbers.byteswap()
        return numbers, length


class Money(Document):
    """What a call cost. The document has decimal text, and these attributes a Decimal.

    An amount that is not known, or not there, reads as None.
    """

    __slots__ = ()

    def _amount(self, name: str) -> Decimal | None:
        from decimal import Decimal

        text: Any = self.get(name)
        return None if text is None else Decimal(text)

    @property
    def usd(self) -> Decimal | None:
        """What the attempt cost that answered. None if it is not known, and never 0 for that."""
        return self._amount("usd")

    @property
    def input_usd(self) -> Decimal | None:
        """What was sent, with what was read from a cache and written to it."""
        return self._amount("input_usd")

    @property
    def output_usd(self) -> Decimal | None:
        """What was answered."""
        return self._amount("output_usd")

    @property
    def other_usd(self) -> Decimal | None:
        """What is neither, such as searches."""
        return self._amount("other_usd")

    @property
    def known_usd(self) -> Decimal | None:
        """The part that is known, where the whole is not."""
        return self._amount("known_usd")

    @property
    def table_usd(self) -> Decimal | None:
        """What the price table says, where the provider itself said what it charges."""
        return self._amount("table_usd")

    @property
    def maybe_usd(self) -> Decimal | None:
        """The most that the call's other attempts can have cost, if there is a bound."""
        return self._amount("maybe_usd")

    @property
    def saved_usd(self) -> Decimal | None:
        """What a stored or shared answer cost the call that asked for it."""
        return self._amount("saved_usd")


class Purse(Document):
    """What stands in a budget. The document has decimal text, and these attributes a Decimal."""

    __slots__ = ()

    def _amount(self, name: str) -> Decimal:
        from decimal import Decimal

        return Decimal(self[name])

    @property
    def limit_usd(self) -> Decimal:
        """The money of the window."""
        return self._amount("limit_usd")

    @property
    def spent_usd(self) -> Decimal:
        """What was spent."""
        return self._amount("spent_usd")

    @property
    def held_usd(self) -> Decimal:
        """What calls have reserved that are on their way."""
        return self._amount("held_usd")

    @property
    def left_usd(self) -> Decimal:
        """What is left for further calls."""
        return self._amount("left_usd")
