"""Go's names and types, where they are not what the rules of `go_fields` say."""

from __future__ import annotations

RENAMED = {
    "ToolCallIn": "ToolCall",
    "CalledFunction": "Function",
    "ToolCallFunction": "Function",
    "FunctionDelta": "Function",
    "AssistantMessage": "Message",
    "ErrorDocument": "errorDocument",
    "ErrorBody": "errorBody",
    "Reset": "resetDocument",
}
"""Definitions with one name are one struct, which has the first one's members."""

BY_HAND = {"ToolChoice"}
"""Structs that somebody wrote, with methods `value` and `read`."""

CONSTANTS = {"FinishReason"}
"""Words with a type and constants."""

WORDS = {"Kind"} | CONSTANTS
"""Words with a type; all other words are strings. `Kind` is one of errors.go."""

BY_METHOD = ("op", "stream", "stream_options")
"""Members of requests without a field: the method says them."""

DEFAULT_OPERATION = "chat"
"""The operation of a request that names none."""

OMITTED = {"ChatRequest": ("max_completion_tokens", "reasoning_effort")}
"""Members without a field, as they are other names of fields."""

OTHER_NAMES = {("Message", "reasoning_content"): "reasoning"}
"""Members that are read into the field of another one."""

FIELDS = {
    ("Options", "timeout_ms"): "Timeout",
    ("Options", "idle_ms"): "Idle",
    ("Liter", "ratelimit"): "RateLimit",
    ("CacheOptions", "ttl_s"): "TTLSeconds",
    ("CacheOptions", "max_age_s"): "MaxAgeSeconds",
    ("Cache", "ttl_s"): "TTLSeconds",
    ("Cache", "max_ttl_s"): "MaxTTLSeconds",
    ("Cache", "stale_s"): "StaleSeconds",
    ("Cache", "stale_if_error_s"): "StaleIfErrorSeconds",
}

TYPES = {
    ("ChatRequest", "seed"): "*int64",
    ("Parameters", "seed"): "*int64",
    ("Message", "is_error"): "bool",
    ("Message", "provider_fields"): "JSON",
    ("FunctionSpec", "parameters"): "any",
    ("JSONSchema", "schema"): "any",
    ("Options", "timeout_ms"): "time.Duration",
    ("Options", "idle_ms"): "time.Duration",
    ("Response", "created"): "int64",
    ("Chunk", "created"): "int64",
    ("Attempt", "status"): "int",
    ("Attempt", "ms"): "int64",
    ("errorBody", "status"): "int",
    ("errorBody", "retry_after_ms"): "int64",
}

WRITTEN = {
    ("Message", "content"): ["v.writeContent(e)"],
    ("Tool", "type"): ['e.text("type", cmp.Or(v.Type, "function"))'],
    ("Function", "arguments"): ['e.text("arguments", v.Arguments)'],
}
"""How members are written that are not written by the rules."""

NOTES = {
    ("Options", "timeout_ms"): (
        "A context's deadline does the same; of the two the earlier one counts."
    ),
    ("Options", "fanout"): "GenerateMulti sets it.",
    ("Options", "on_break"): 'With "restart" a Chunk with Reset comes.',
    ("FunctionSpec", "parameters"): "A map, a struct, or a json.RawMessage.",
    ("JSONSchema", "schema"): "A map, a struct, or a json.RawMessage.",
    ("Tool", "type"): 'Where it is "", it is "function".',
}
"""What there is to say beside the schema's explanation."""

REST = {"Options": "Extra"}
"""The fields of records that keep what has no field."""

PARAMS = {"Part": "messages.content", "ResponseFormat": "response_format"}
"""The members of a request that errors about a union's values name."""

MORE = {
    "Response": """
	// The first choice's text; "" where it has none.
	Text string `json:"-"`

	document string
""",
    "Chunk": """
	// The first choice's new text; "" where the chunk has none.
	Text string `json:"-"`
	// Where it is not "": how the answer broke. It begins anew: all chunks so far are void, and
	// this one has nothing else. Only with Options.OnBreak "restart".
	Reset Kind `json:"-"`
	// The whole answer, put together: in the last chunk of a stream, which has nothing else.
	Response *Response `json:"-"`

	document string
""",
}
"""Further fields, which code by hand sets."""

COMPUTED = {
    "Response": """\
	if len(v.Choices) > 0 {
		v.Text = v.Choices[0].Message.Content
	}
"""
}
"""What sets fields that no member has, once an answer has been read."""

INITIALISMS = {"id", "url", "usd", "api", "ms", "ttft", "http", "ca", "json"}


def field(record: str, member: str) -> str:
    """The name of a member's field: max_tokens is MaxTokens, api_key APIKey."""
    if (record, member) in FIELDS:
        return FIELDS[record, member]
    return exported(member)


def exported(words: str) -> str:
    """snake_case as an exported name."""
    return "".join(
        w.upper() if w in INITIALISMS else w[:1].upper() + w[1:] for w in words.split("_")
    )


def record(name: str) -> str:
    """The name of a definition's struct."""
    return RENAMED.get(name, name)
