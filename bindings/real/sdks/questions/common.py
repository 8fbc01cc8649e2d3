"""What the questions share: the key, a schema, a picture, a document, and the table of them."""

from __future__ import annotations

from collections.abc import Callable

KEY = "sk-oracle"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PNG = b"\x89PNG\r\n\x1a\nnot a picture"
PNG_TEXT = "iVBORw0KGgpub3QgYSBwaWN0dXJl"
PDF = b"%PDF-1.4 not a document"

Question = Callable[[str], object]
QUESTIONS: dict[str, Question] = {}


def question(function: Question) -> Question:
    """Names a question after its function."""
    QUESTIONS[function.__name__] = function
    return function
