//! What differs between the three providers around the body: paths, headers, error bodies.

use std::sync::LazyLock;

/// Whose wire format is spoken.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    #[default]
    OpenAi,
    Anthropic,
    Cohere,
}

type Headers = &'static [(&'static str, &'static str)];

// As much quota as the simulator has speed: a client that keeps to quotas is not to be slowed.
const OPENAI: Headers = &[
    ("openai-organization", "simulator"),
    ("openai-processing-ms", "12"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "10000000"),
    ("x-ratelimit-limit-tokens", "20000000000"),
    ("x-ratelimit-remaining-requests", "9999999"),
    ("x-ratelimit-remaining-tokens", "19999999000"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-reset-tokens", "12ms"),
];

const ANTHROPIC: Headers = &[
    ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-requests-reset", "2056-01-01T00:00:00Z"),
    ("anthropic-ratelimit-input-tokens-limit", "400000"),
    ("anthropic-ratelimit-input-tokens-remaining", "399000"),
    ("anthropic-ratelimit-input-tokens-reset", "2056-01-01T00:00:00Z"),
    ("anthropic-ratelimit-output-tokens-limit", "80000"),
    ("anthropic-ratelimit-output-tokens-remaining", "79000"),
    ("anthropic-ratelimit-output-tokens-reset", "2056-01-01T00:00:00Z"),
];

const COHERE: Headers = &[
    ("num_chars", "120"),
    ("num_tokens", "30"),
    ("x-endpoint-monthly-call-limit", "1000"),
    ("x-trial-endpoint-call-limit", "20"),
    ("x-trial-endpoint-call-remaining", "19"),
];

impl Provider {
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let table = [
            ("/chat/completions", Self::OpenAi),
            ("/messages", Self::Anthropic),
            ("/v2/chat", Self::Cohere),
        ];
        table.iter().find(|(end, _)| path.ends_with(end)).map(|(_, provider)| *provider)
    }

    /// Headers that every answer carries, besides the request id.
    pub(crate) fn headers(self) -> Headers {
        match self {
            Self::OpenAi => OPENAI,
            Self::Anthropic => ANTHROPIC,
            Self::Cohere => COHERE,
        }
    }

    /// The same as HTTP/1.1 header lines.
    pub(super) fn header_lines(self) -> &'static str {
        static LINES: LazyLock<[String; 3]> = LazyLock::new(|| {
            [OPENAI, ANTHROPIC, COHERE].map(|headers| {
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
            })
        });
        &LINES[self as usize]
    }

    pub(crate) fn request_id_header(self) -> &'static str {
        match self {
            Self::OpenAi => "x-request-id",
            Self::Anthropic => "request-id",
            Self::Cohere => "x-debug-trace-id",
        }
    }

    /// What the request id starts with; sixteen hexadecimal digits follow.
    pub(crate) fn request_id_prefix(self) -> &'static str {
        match self {
            Self::OpenAi => "req_",
            Self::Anthropic => "req_01",
            Self::Cohere => "",
        }
    }

    pub(super) fn missing_key(self) -> &'static str {
        match self {
            Self::OpenAi => {
                "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
            }
            Self::Anthropic => "x-api-key header is required",
            Self::Cohere => "no api key supplied",
        }
    }

    /// The provider's own form of an error. `kind` is Anthropic's name for it, `code` OpenAI's.
    pub(super) fn error_body(
        self,
        kind: &str,
        code: Option<&str>,
        message: &str,
        id: u64,
    ) -> String {
        let value = match self {
            Self::OpenAi => {
                let class = match kind {
                    "rate_limit_error" => "requests",
                    "api_error" | "overloaded_error" => "server_error",
                    _ => "invalid_request_error",
                };
                serde_json::json!({"error": {
                    "message": message, "type": class, "param": null, "code": code}})
            }
            Self::Anthropic => serde_json::json!({
                "type": "error",
                "error": {"type": kind, "message": message},
                "request_id": format!("{}{id:016x}", self.request_id_prefix())}),
            Self::Cohere => serde_json::json!({"id": format!("{id:016x}"), "message": message}),
        };
        value.to_string()
    }
}
