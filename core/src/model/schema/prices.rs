//! Prices of the configuration, for its schema.

use schemars::JsonSchema;
use serde::Serialize;

/// Nothing costs anything.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FreeDocument {
    /// It costs nothing.
    Free,
}

/// What a model costs: the prices themselves, or several in `prices`. A price is decimal text in USD,
/// for a million tokens or a thousand searches, such as `"2.5"`.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PriceDocument {
    /// The price of each unit.
    #[serde(flatten)]
    pub units: UnitPrices,
    /// Dearer prices for long prompts, in the order of `over`.
    pub tiers: Option<Vec<PriceTierDocument>>,
    /// Prices that hold from a day on, or at hours of the day. The last that holds counts.
    pub prices: Option<Vec<TimedPriceDocument>>,
    /// Prices for answers that say that they were made in another way. The first that holds counts.
    pub variants: Option<Vec<PriceVariantDocument>>,
}

/// The price of each unit. One without a price has that of the unit that it is a part of.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct UnitPrices {
    /// A million tokens of the prompt.
    pub input: Option<String>,
    /// Those that were read from the provider's cache.
    pub cache_read: Option<String>,
    /// Those that were written to the provider's cache.
    pub cache_write: Option<String>,
    /// Those that were written for an hour.
    pub cache_write_1h: Option<String>,
    /// Those of audio.
    pub input_audio: Option<String>,
    /// Those of images.
    pub input_image: Option<String>,
    /// Those of videos.
    pub input_video: Option<String>,
    /// Those of audio that were read from the cache.
    pub cache_read_audio: Option<String>,
    /// Those of images that were read from the cache.
    pub cache_read_image: Option<String>,
    /// A million tokens of the answer.
    pub output: Option<String>,
    /// Those of reasoning.
    pub reasoning: Option<String>,
    /// Those of audio.
    pub output_audio: Option<String>,
    /// Those of images.
    pub output_image: Option<String>,
    /// Those of videos.
    pub output_video: Option<String>,
    /// A thousand searches of the web that the provider made.
    pub searches: Option<String>,
    /// A thousand searches of stored files that the provider made.
    pub file_searches: Option<String>,
    /// A thousand searches of a ranking.
    pub rerank_searches: Option<String>,
}

/// Prices for long prompts.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PriceTierDocument {
    /// The prices hold for all tokens of a call whose prompt has more than this.
    #[schemars(range(min = 1))]
    pub over: u64,
    /// The price of each unit. One that is not here keeps its price.
    #[serde(flatten)]
    pub units: UnitPrices,
}

/// Prices that hold from a day on, or at hours of the day.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TimedPriceDocument {
    /// The first day, as YYYY-MM-DD, in UTC.
    pub since: Option<String>,
    /// Two times of the day as HH:MM, in UTC. The second may be on the next day.
    pub hours: Option<Vec<String>>,
    /// The price of each unit.
    #[serde(flatten)]
    pub units: UnitPrices,
    /// Dearer prices for long prompts, in the order of `over`.
    pub tiers: Option<Vec<PriceTierDocument>>,
}

/// Prices for answers that say that they were made in another way.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PriceVariantDocument {
    /// The words that an answer has to say.
    pub when: PriceConditionDocument,
    /// The first day, as YYYY-MM-DD, in UTC.
    pub since: Option<String>,
    /// Two times of the day as HH:MM, in UTC. The second may be on the next day.
    pub hours: Option<Vec<String>>,
    /// The price of each unit. One that is not here keeps its price.
    #[serde(flatten)]
    pub units: UnitPrices,
    /// Dearer prices for long prompts, in the order of `over`.
    pub tiers: Option<Vec<PriceTierDocument>>,
}

/// The words that an answer has to say. At least one.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PriceConditionDocument {
    /// The tier of the service, such as `flex`.
    pub service_tier: Option<String>,
    /// How fast the answer was made, such as `fast`.
    pub speed: Option<String>,
}
