"""What the schemas do not say of the packages: public names, and members that they lack.

A new document needs nothing here: its title is its name in every language.
"""

from __future__ import annotations

from .tree import Member, Record, Scalar, Table

PASSED_THROUGH = {
    "budget_request",
    "cache_purge_request",
    "count_tokens_request",
    "http_event",
    "http_request",
    "http_response",
    "many",
}
"""Documents that no package has a type of: bytes of others, answers with errors among them, a
request that is a chat's, and one that is a tenant, which each package's method makes of it."""

FIRST = ("request", "options", "config", "response", "chunk", "reset", "error")
"""The order of the documents in what is written; further ones follow by name."""

RENAMED = {
    "Request": "ChatRequest",
    "Function": "FunctionSpec",
    "Called": "ToolCallFunction",
    "JsonSchema": "JSONSchema",
    "Probe": "HealthProbe",
    "Budget": "RetryBudget",
    "ErrorKind": "Kind",
}
"""Better names than the schemas' titles, in every language."""

_ANY = Scalar("any")


def _may_be(name: str, doc: str, kind: Scalar | Table) -> Member:
    return Member(name, doc, kind, required=False, nullable=True)


_TEXT = Scalar("text")
_LACKS = "An engine may lack it: then it is an error of kind unsupported."

LATER = {
    "Options": Record(
        "Options",
        "",
        (_may_be("baggage", f"The W3C baggage. {_LACKS}", _TEXT),),
        False,
    )
}
"""Members that the contract has and a build may lack: Python and Node know their names."""

FILE = Record(
    "File",
    "OpenAI's object of a file: by content or by the provider's id. It is handed on as it is.",
    (
        _may_be("file_data", "The content, as a `data:` URL with base64.", _TEXT),
        _may_be("file_id", "The provider's id of the file.", _TEXT),
        _may_be("filename", "The file's name.", _TEXT),
    ),
    False,
)
"""What `FilePart.file` holds, which the engine does not read."""
