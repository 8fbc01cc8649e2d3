"""The base of the classes of `_models`: a dict whose members are attributes too.

Nested objects are plain dicts until an attribute reaches them. Then they are wrapped and stay so. A
member that a class lists and a document lacks reads as None. A name that neither has raises
AttributeError.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class Document(dict[str, "Any"]):
    """A JSON object. `json.dumps`, `copy` and `pickle` treat it as the dict it is."""

    __slots__ = ()
    _nested: ClassVar[dict[str, type[Document]]] = {}
    _absent: ClassVar[dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            if name in type(self).__annotations__ and name[0] != "_":
                return self._absent.get(name)
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


class Text(Document):
    """An answer with a text."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The first choice's text. It is a property, because most callers read it, and at once."""
        text: Any = self.get("text")
        return text


class NewText(Document):
    """A part of a stream. With `on_break="restart"` it may be a `reset` instead."""

    __slots__ = ()

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
