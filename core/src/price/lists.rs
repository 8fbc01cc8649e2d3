//! Which provider of the price table has the prices of which row of the registry.

/// A row's list, and how its names of models differ from the list's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceList {
    pub(super) name: &'static str,
    /// A name may be a path or an ARN, whose last part is the model's name.
    pub(super) paths: bool,
}

/// The rows that have a list. Others have none: each customer has prices of his own there, the server
/// is the user's, or the table does not know the provider.
const LISTS: [(&str, PriceList); 25] = [
    ("anthropic", plain("anthropic")),
    ("azure", plain("azure")),
    ("baseten", plain("baseten")),
    ("bedrock", paths("aws")),
    ("cerebras", plain("cerebras")),
    ("cloudflare", plain("cloudflare")),
    ("cohere", plain("cohere")),
    ("databricks", plain("databricks")),
    ("deepseek", plain("deepseek")),
    ("doubleword", plain("doubleword")),
    ("fireworks", plain("fireworks")),
    ("gemini", paths("google")),
    ("groq", plain("groq")),
    ("minimax", plain("minimax")),
    ("mistral", plain("mistral")),
    ("moonshot", plain("moonshotai")),
    ("novita", plain("novita")),
    ("openai", plain("openai")),
    ("openrouter", plain("openrouter")),
    ("together", plain("together")),
    ("vertex", paths("google")),
    ("voyage", plain("voyageai")),
    ("xai", plain("x-ai")),
    ("zai", plain("zai")),
    ("zhipu", plain("zhipuai")),
];

const fn plain(name: &'static str) -> PriceList {
    PriceList { name, paths: false }
}

const fn paths(name: &'static str) -> PriceList {
    PriceList { name, paths: true }
}

impl PriceList {
    /// The list of a row, by the row's name.
    #[must_use]
    pub fn of(row: &str) -> Option<PriceList> {
        LISTS.iter().find(|(name, _)| *name == row).map(|(_, list)| *list)
    }

    /// The names of the rows that have a list.
    pub fn names() -> impl Iterator<Item = &'static str> {
        LISTS.iter().map(|(name, _)| *name)
    }
}
