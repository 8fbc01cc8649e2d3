//! The dialects of further servers, one const for each; [`dialect`](super::dialect) says what the
//! fields and the marks of the sources mean. `[litellm]`: the members that LiteLLM 1.110, another
//! client, sends to the server.

mod hosted;
mod own;

pub use hosted::{
    AI21, BASETEN, CEREBRAS, DASHSCOPE, DEEPINFRA, DOUBLEWORD, FEATHERLESS, FIREWORKS, GITHUB,
    HUGGINGFACE, HYPERBOLIC, INCEPTION, MINIMAX, MOONSHOT, NEBIUS, NOVITA, NVIDIA, PORTKEY,
    SAMBANOVA, TOGETHER, VENICE, VERCEL, VOLCENGINE, WRITER, ZHIPU,
};
#[cfg(feature = "gemini")]
pub use own::VERTEX_OPEN;
pub use own::{
    AZURE, CLOUDFLARE, DATABRICKS, LITELLM, LLAMA_CPP, LM_STUDIO, MISTRAL_RS, SGLANG, SNOWFLAKE,
    TGI,
};
