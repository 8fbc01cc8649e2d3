//! The built-in providers: one row each, with the peculiarities from `providers.md`.
//!
//! A row without a base URL is known only where an entry of the configuration gives one: its URL
//! holds the caller's account, or it is only a kind (`compatible`).

pub use super::format::Format;
use super::{Chat, Provider, embeddings, openai};

/// A built-in provider.
#[derive(Debug)]
pub struct Row {
    /// Its name, and the name of the kind.
    pub name: &'static str,
    /// The wire format.
    pub format: Format,
    /// Its base URL, with the version path; "" if each caller has another.
    pub base_url: &'static str,
    /// What an entry's base URL looks like, where the row has none.
    pub base_url_like: &'static str,
    /// The environment variable that its own SDK reads for another base URL; "" if there is none.
    pub base_url_env: &'static str,
    /// The environment variable of its key; "" if the server needs none.
    pub key_env: &'static str,
}

impl Row {
    /// The adapter.
    #[must_use]
    pub fn adapter(&'static self) -> &'static dyn Provider {
        self.format.adapter()
    }

    /// The dialect, if it speaks OpenAI's chat completions, also beside a format of its own.
    #[must_use]
    pub fn dialect(&'static self) -> Option<&'static openai::Dialect> {
        self.format.dialect()
    }

    /// Its chat completions.
    #[must_use]
    pub fn chat(&'static self) -> Option<&'static dyn Chat> {
        self.adapter().chat()
    }

    /// What a base URL of an entry looks like.
    #[must_use]
    pub fn url_like(&self) -> &'static str {
        if self.base_url.is_empty() { self.base_url_like } else { self.base_url }
    }

    /// The service that signatures are for, if its requests may be signed with AWS's keys [spec].
    #[must_use]
    pub fn signed_service(&self) -> Option<&'static str> {
        (self.name == "bedrock").then_some("bedrock")
    }

    /// Whether its requests may have Google's tokens [doc].
    #[must_use]
    pub fn takes_google(&self) -> bool {
        self.name == "vertex"
    }

    /// Whether its requests may have Entra ID's tokens [sdk].
    #[must_use]
    pub fn takes_entra(&self) -> bool {
        self.name == "azure"
    }

    /// Whether this provider uses `api_version`.
    #[must_use]
    pub fn takes_api_version(&self) -> bool {
        matches!(self.format, Format::Anthropic) || self.takes_resource()
    }
}

/// The row with this name.
#[must_use]
pub fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

/// The rows whose formats a library may be built without: name, cargo feature, whether it is built.
const FEATURES: [(&str, &str, bool); 4] = [
    ("bedrock", "bedrock", cfg!(feature = "bedrock")),
    ("gemini", "gemini", cfg!(feature = "gemini")),
    ("ollama", "ollama", cfg!(feature = "ollama")),
    ("vertex", "gemini", cfg!(feature = "gemini")),
];

/// The cargo feature that the row with this name needs, if this library was built without it.
#[must_use]
pub fn missing_feature(name: &str) -> Option<&'static str> {
    let (_, feature, _) = FEATURES.iter().find(|(row, _, built)| *row == name && !built)?;
    Some(feature)
}

/// A row of OpenAI's wire format: name, dialect, base URL, and its SDK's variables for another base
/// URL and for the key.
const fn openai_row(
    name: &'static str,
    dialect: openai::Dialect,
    base_url: &'static str,
    base_url_env: &'static str,
    key_env: &'static str,
) -> Row {
    let format = Format::OpenAi(dialect);
    Row { name, format, base_url, base_url_like: "", base_url_env, key_env }
}

/// The same for a server whose base URL holds the caller's account: name, dialect, what the base URL
/// looks like, and the variable of the key.
const fn account_row(
    name: &'static str,
    dialect: openai::Dialect,
    base_url_like: &'static str,
    key_env: &'static str,
) -> Row {
    let format = Format::OpenAi(dialect);
    Row { name, format, base_url: "", base_url_like, base_url_env: "", key_env }
}

/// Every row.
pub static ROWS: &[Row] = &[
    openai_row(
        "openai",
        openai::OPENAI,
        "https://api.openai.com/v1",
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
    ),
    Row {
        name: "anthropic",
        format: Format::Anthropic,
        base_url: "https://api.anthropic.com",
        base_url_like: "",
        base_url_env: "ANTHROPIC_BASE_URL",
        key_env: "ANTHROPIC_API_KEY",
    },
    Row {
        name: "cohere",
        format: Format::Cohere,
        base_url: "https://api.cohere.com",
        base_url_like: "",
        base_url_env: "CO_API_URL",
        key_env: "CO_API_KEY",
    },
    #[cfg(feature = "gemini")]
    Row {
        name: "gemini",
        format: Format::Gemini,
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        base_url_like: "",
        base_url_env: "GOOGLE_GEMINI_BASE_URL",
        key_env: "GEMINI_API_KEY",
    },
    #[cfg(feature = "gemini")]
    Row {
        name: "vertex",
        format: Format::Vertex,
        base_url: "",
        base_url_like: "https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION",
        base_url_env: "",
        key_env: "",
    },
    // The URL of each region [sdk]. The variables are those of AWS's SDKs.
    #[cfg(feature = "bedrock")]
    Row {
        name: "bedrock",
        format: Format::Bedrock,
        base_url: "",
        base_url_like: "https://bedrock-runtime.REGION.amazonaws.com",
        base_url_env: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        key_env: "AWS_BEARER_TOKEN_BEDROCK",
    },
    Row {
        name: "voyage",
        format: Format::Embeddings(embeddings::VOYAGE),
        base_url: "https://api.voyageai.com/v1",
        base_url_like: "",
        base_url_env: "",
        key_env: "VOYAGE_API_KEY",
    },
    // Host, path and variable [doc].
    Row {
        name: "jina",
        format: Format::Embeddings(embeddings::JINA),
        base_url: "https://api.jina.ai/v1",
        base_url_like: "",
        base_url_env: "",
        key_env: "JINA_API_KEY",
    },
    openai_row("groq", openai::GROQ, "https://api.groq.com/openai/v1", "", "GROQ_API_KEY"),
    openai_row("mistral", openai::MISTRAL, "https://api.mistral.ai/v1", "", "MISTRAL_API_KEY"),
    openai_row("deepseek", openai::DEEPSEEK, "https://api.deepseek.com", "", "DEEPSEEK_API_KEY"),
    openai_row("xai", openai::XAI, "https://api.x.ai/v1", "", "XAI_API_KEY"),
    openai_row(
        "openrouter",
        openai::OPENROUTER,
        "https://openrouter.ai/api/v1",
        "",
        "OPENROUTER_API_KEY",
    ),
    openai_row(
        "together",
        openai::TOGETHER,
        "https://api.together.ai/v1",
        "TOGETHER_BASE_URL",
        "TOGETHER_API_KEY",
    ),
    openai_row(
        "fireworks",
        openai::FIREWORKS,
        "https://api.fireworks.ai/inference/v1",
        "",
        "FIREWORKS_API_KEY",
    ),
    #[cfg(feature = "ollama")]
    Row {
        name: "ollama",
        format: Format::Ollama,
        base_url: "http://localhost:11434",
        base_url_like: "",
        base_url_env: "",
        key_env: "",
    },
    openai_row("vllm", openai::VLLM, "http://localhost:8000/v1", "", ""),
    // Hosts and paths are [rec] for Cerebras, Hugging Face, GitHub, Moonshot, Z.ai, AI21, Writer,
    // Vercel and Portkey, [sdk] for SambaNova, NVIDIA and Zhipu, [doc] for MiniMax, Nebius and
    // Doubleword, else of LiteLLM. Variables of keys are those of each one's SDK, of its documents or
    // of LiteLLM; those of GitHub, Zhipu, Venice, Vercel and Doubleword are [unverified].
    openai_row("cerebras", openai::CEREBRAS, "https://api.cerebras.ai/v1", "", "CEREBRAS_API_KEY"),
    openai_row(
        "sambanova",
        openai::SAMBANOVA,
        "https://api.sambanova.ai/v1",
        "SAMBA_NOVA_BASE_URL",
        "SAMBANOVA_API_KEY",
    ),
    openai_row(
        "nvidia",
        openai::NVIDIA,
        "https://integrate.api.nvidia.com/v1",
        "",
        "NVIDIA_API_KEY",
    ),
    openai_row(
        "huggingface",
        openai::HUGGINGFACE,
        "https://router.huggingface.co/v1",
        "",
        "HF_TOKEN",
    ),
    openai_row("github", openai::GITHUB, "https://models.github.ai/inference", "", "GITHUB_TOKEN"),
    openai_row(
        "deepinfra",
        openai::DEEPINFRA,
        "https://api.deepinfra.com/v1/openai",
        "",
        "DEEPINFRA_API_KEY",
    ),
    openai_row("novita", openai::NOVITA, "https://api.novita.ai/v3/openai", "", "NOVITA_API_KEY"),
    openai_row("moonshot", openai::MOONSHOT, "https://api.moonshot.ai/v1", "", "MOONSHOT_API_KEY"),
    openai_row(
        "dashscope",
        openai::DASHSCOPE,
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "",
        "DASHSCOPE_API_KEY",
    ),
    openai_row("zai", openai::ZHIPU, "https://api.z.ai/api/paas/v4", "ZAI_BASE_URL", "ZAI_API_KEY"),
    // Its SDK reads ZAI_API_KEY for both; a variable of its own keeps the two keys apart.
    openai_row("zhipu", openai::ZHIPU, "https://open.bigmodel.cn/api/paas/v4", "", "ZHIPU_API_KEY"),
    openai_row("minimax", openai::MINIMAX, "https://api.minimax.io/v1", "", "MINIMAX_API_KEY"),
    openai_row(
        "volcengine",
        openai::VOLCENGINE,
        "https://ark.cn-beijing.volces.com/api/v3",
        "",
        "ARK_API_KEY",
    ),
    openai_row("ai21", openai::AI21, "https://api.ai21.com/studio/v1", "", "AI21_API_KEY"),
    openai_row("writer", openai::WRITER, "https://api.writer.com/v1", "", "WRITER_API_KEY"),
    openai_row(
        "inception",
        openai::INCEPTION,
        "https://api.inceptionlabs.ai/v1",
        "",
        "INCEPTION_API_KEY",
    ),
    openai_row(
        "baseten",
        openai::BASETEN,
        "https://inference.baseten.co/v1",
        "",
        "BASETEN_API_KEY",
    ),
    openai_row(
        "nebius",
        openai::NEBIUS,
        "https://api.tokenfactory.nebius.com/v1",
        "",
        "NEBIUS_API_KEY",
    ),
    openai_row(
        "hyperbolic",
        openai::HYPERBOLIC,
        "https://api.hyperbolic.xyz/v1",
        "",
        "HYPERBOLIC_API_KEY",
    ),
    openai_row(
        "featherless",
        openai::FEATHERLESS,
        "https://api.featherless.ai/v1",
        "",
        "FEATHERLESS_API_KEY",
    ),
    openai_row("venice", openai::VENICE, "https://api.venice.ai/api/v1", "", "VENICE_API_KEY"),
    openai_row(
        "vercel",
        openai::VERCEL,
        "https://ai-gateway.vercel.sh/v1",
        "",
        "AI_GATEWAY_API_KEY",
    ),
    // It is vLLM: an answer's fingerprint is "vllm-0.24.0" [rec].
    openai_row(
        "crusoe",
        openai::VLLM,
        "https://api.inference.crusoecloud.com/v1",
        "",
        "CRUSOE_API_KEY",
    ),
    openai_row(
        "doubleword",
        openai::DOUBLEWORD,
        "https://api.doubleword.ai/v1",
        "",
        "DOUBLEWORD_API_KEY",
    ),
    openai_row("portkey", openai::PORTKEY, "https://api.portkey.ai/v1", "", "PORTKEY_API_KEY"),
    // URLs: Azure's and Databricks' [rec, sdk], Snowflake's [rec, doc], Cloudflare's [doc]. Variables of
    // keys: [sdk] of OpenAI and of Databricks, [doc] of Cloudflare; Snowflake's is [unverified].
    Row {
        name: "azure",
        format: Format::OpenAi(openai::AZURE),
        base_url: "",
        base_url_like: "https://RESOURCE.openai.azure.com/openai/v1",
        base_url_env: "AZURE_OPENAI_ENDPOINT",
        key_env: "AZURE_OPENAI_API_KEY",
    },
    account_row(
        "databricks",
        openai::DATABRICKS,
        "https://WORKSPACE.cloud.databricks.com/serving-endpoints",
        "DATABRICKS_TOKEN",
    ),
    account_row(
        "snowflake",
        openai::SNOWFLAKE,
        "https://ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1",
        "SNOWFLAKE_PAT",
    ),
    account_row(
        "cloudflare",
        openai::CLOUDFLARE,
        "https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1",
        "CLOUDFLARE_API_KEY",
    ),
    // Ports: what each server has without settings. LM Studio's is [doc], LiteLLM's [sdk], the others
    // are [unverified].
    openai_row("llamacpp", openai::LLAMA_CPP, "http://localhost:8080/v1", "", ""),
    openai_row("llamafile", openai::LLAMA_CPP, "http://localhost:8080/v1", "", ""),
    openai_row("lmstudio", openai::LM_STUDIO, "http://localhost:1234/v1", "", ""),
    openai_row("tgi", openai::TGI, "http://localhost:3000/v1", "", ""),
    openai_row("sglang", openai::SGLANG, "http://localhost:30000/v1", "", ""),
    openai_row("litellm", openai::LITELLM, "http://localhost:4000/v1", "", ""),
    openai_row("mistralrs", openai::MISTRAL_RS, "http://localhost:1234/v1", "", ""),
    account_row("compatible", openai::COMPATIBLE, "http://localhost:8000/v1", ""),
];
