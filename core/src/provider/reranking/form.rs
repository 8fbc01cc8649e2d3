//! How the servers that rank documents differ. `openai::dialect` explains the marks of the sources.

/// How a server takes a request to rank documents.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The path after the base URL.
    pub path: &'static str,
    /// The member for the number of documents in the answer.
    pub top: &'static str,
    /// The member for the most tokens of a document; "" if there is none.
    pub most_tokens: &'static str,
    /// The answer's list.
    pub results: &'static str,
}

/// Cohere: version 2 [sdk 7.3, rec].
pub const COHERE: Form = Form {
    path: "/v2/rerank",
    top: "top_n",
    most_tokens: "max_tokens_per_doc",
    results: "results",
};

/// Servers that follow Jina's form: llama.cpp and `OpenRouter` [rec], Jina itself [doc], vLLM
/// [unverified].
pub const OTHERS: Form = Form { path: "/rerank", most_tokens: "", ..COHERE };

/// Voyage: `top_k` [sdk 0.5], and the list is `data` [rec].
pub const VOYAGE: Form = Form { top: "top_k", results: "data", ..OTHERS };
