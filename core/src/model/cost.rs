//! What a call cost: the member `liter.cost`.

use std::fmt;

use serde::{Serialize, Serializer};

/// An amount of money in pico-dollars (10⁻¹² USD). In a document it is decimal text in USD, exact,
/// without zeros at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub u128);

impl Usd {
    /// How many of them are a dollar.
    pub const ONE: u128 = 1_000_000_000_000;

    /// So many nano-dollars (10⁻⁹ USD).
    #[must_use]
    pub fn of_nano(nano: u64) -> Usd {
        Usd(u128::from(nano) * 1_000)
    }

    /// The amount in nano-dollars, rounded up.
    #[must_use]
    pub fn nano(self) -> u64 {
        u64::try_from(self.0.div_ceil(1_000)).unwrap_or(u64::MAX)
    }

    /// Reads what an amount is written as.
    #[cfg(feature = "redis")]
    pub(crate) fn read(text: &str) -> Option<Usd> {
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || rest.len() > 12 || !digits(whole) || !digits(rest) {
            return None;
        }
        let rest = format!("{rest:0<12}").parse::<u128>().ok()?;
        whole.parse::<u128>().ok()?.checked_mul(Usd::ONE)?.checked_add(rest).map(Usd)
    }

    /// The sum. None beyond what the type holds.
    #[must_use]
    pub fn plus(self, other: Usd) -> Option<Usd> {
        self.0.checked_add(other.0).map(Usd)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / Usd::ONE, self.0 % Usd::ONE);
        write!(f, "{whole}")?;
        if rest == 0 {
            return Ok(());
        }
        // It is under 10¹².
        let mut rest = u64::try_from(rest).unwrap_or(0);
        let mut digits = [b'.'; 13];
        for digit in digits[1..].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let text = std::str::from_utf8(&digits).unwrap_or_default();
        f.write_str(text.trim_end_matches('0'))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a call cost, in USD. An amount is decimal text, exact to 10⁻¹² USD.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// What the attempt cost that answered. `null` if it is not known, and never 0 for that.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub usd: Option<Usd>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<CostReason>,
    /// Where the price comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<CostSource>,
    /// The price table, where the price comes from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub catalog: Option<std::sync::Arc<str>>,
    /// What was sent, cached and written tokens with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub input_usd: Option<Usd>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub output_usd: Option<Usd>,
    /// What is neither, such as searches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub other_usd: Option<Usd>,
    /// The part that is known, where the whole is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub known_usd: Option<Usd>,
    /// What the price table says, where the provider itself said what it charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub table_usd: Option<Usd>,
    /// The prices are those for more tokens of the prompt than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<u64>,
    /// The prices are those of this variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// The most that the call's other attempts can have cost. Absent if none can have cost anything,
    /// or if there is no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub maybe_usd: Option<Usd>,
    /// Other attempts of the call may have cost something, and there is no bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub maybe_unbounded: bool,
    /// What a stored or shared answer cost the call that asked for it: this call saved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub saved_usd: Option<Usd>,
}

/// The variant of a model's prices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Variant {
    /// The tier of the service, as the answer says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// How fast the answer was made, as it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<String>,
}

/// Why a cost is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CostReason {
    /// The model has no price in the table, and the configuration gives none.
    NoPrice,
    /// The answer says no usage.
    NoUsage,
    /// The answer used something that has no price. `known_usd` is the rest.
    UnpricedUnit,
    /// The amount is too large to be counted.
    TooLarge,
}

/// Where a price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CostSource {
    /// The engine's price table.
    Table,
    /// The configuration.
    Config,
    /// The answer itself.
    Provider,
}

impl Cost {
    /// A cost that is not known.
    #[must_use]
    pub fn unknown(reason: CostReason) -> Cost {
        Cost { reason: Some(reason), ..Cost::default() }
    }

    /// What an answer of this cost costs a caller that gets it from the cache.
    #[must_use]
    pub fn saved(&self) -> Cost {
        Cost { usd: Some(Usd(0)), saved_usd: self.usd, ..Cost::default() }
    }

    /// The cost of both together, which is not known where one is not. What they do not have in
    /// common is left out.
    #[must_use]
    pub fn plus(&self, other: &Cost) -> Cost {
        let sum = |a: Option<Usd>, b: Option<Usd>| a.zip(b).and_then(|(a, b)| a.plus(b));
        // What is not there is nothing, where the whole is there.
        let part = |a: Option<Usd>, b: Option<Usd>| match (a, b) {
            (None, None) => None,
            (a, b) => a.unwrap_or_default().plus(b.unwrap_or_default()),
        };
        let known = |cost: &Cost| cost.usd.or(cost.known_usd);
        let usd = sum(self.usd, other.usd);
        let too_large = self.usd.is_some() && other.usd.is_some() && usd.is_none();
        let reason = self.reason.or(other.reason);
        let maybe_unbounded = self.maybe_unbounded || other.maybe_unbounded;
        Cost {
            usd,
            reason: reason.or(too_large.then_some(CostReason::TooLarge)),
            source: self.source.filter(|_| self.source == other.source),
            catalog: self.catalog.clone().filter(|_| self.catalog == other.catalog),
            input_usd: part(self.input_usd, other.input_usd),
            output_usd: part(self.output_usd, other.output_usd),
            other_usd: part(self.other_usd, other.other_usd),
            known_usd: part(known(self), known(other)).filter(|_| usd.is_none()),
            table_usd: sum(self.table_usd, other.table_usd),
            tier: self.tier.filter(|_| self.tier == other.tier),
            variant: self.variant.clone().filter(|_| self.variant == other.variant),
            maybe_usd: part(self.maybe_usd, other.maybe_usd).filter(|_| !maybe_unbounded),
            maybe_unbounded,
            saved_usd: part(self.saved_usd, other.saved_usd),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_decimals() {
        for (pico, text) in [
            (0, "0"),
            (1, "0.000000000001"),
            (113_000_000, "0.000113"),
            (1_000_000_000_000, "1"),
            (184_942_350_000, "0.18494235"),
            (12_500_000_000_000, "12.5"),
            (100_000_000_000_000, "100"),
        ] {
            assert_eq!(Usd(pico).to_string(), text);
            #[cfg(feature = "redis")]
            assert_eq!(Usd::read(text), Some(Usd(pico)));
        }
        #[cfg(feature = "redis")]
        for text in ["", ".5", "-1", "1e3", "0.0000000000001", "+1"] {
            assert_eq!(Usd::read(text), None, "{text}");
        }
    }
}
