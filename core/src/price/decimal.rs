//! Prices as integers. No float has a part in any amount.

use crate::model::Usd;

/// The decimals of a price. A price is the amount in USD for a million tokens, or for a thousand
/// searches, times 10 to this.
const DECIMALS: usize = 18;

/// The most decimals of a price that a person writes.
pub(super) const MOST_DECIMALS: usize = 12;

/// The largest price, in USD.
pub(super) const MOST: u128 = 1_000_000_000;

/// A price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Price(u128);

impl Price {
    /// Reads digits, and perhaps a point and more digits. Anything else is no price.
    pub(super) fn read(text: &str) -> Option<Price> {
        digits(text, DECIMALS).filter(|n| *n <= MOST * 10_u128.pow(DECIMALS as u32)).map(Price)
    }

    /// The number of decimals of such a text.
    pub(super) fn decimals(text: &str) -> usize {
        text.split_once('.').map_or(0, |(_, decimals)| decimals.len())
    }

    /// What `count` tokens cost, or searches if it is a price of a `thousand`.
    pub(super) fn times(self, count: u64, thousand: bool) -> Option<Amount> {
        let per_million = if thousand { self.0.checked_mul(1_000)? } else { self.0 };
        per_million.checked_mul(u128::from(count)).map(Amount)
    }
}

/// An amount before it is rounded, in 10⁻²⁴ USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount(u128);

impl Amount {
    const ONE_PICO: u128 = 1_000_000_000_000;

    pub(super) fn plus(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// The nearest amount in pico-dollars, half to even.
    pub(super) fn rounded(self) -> Usd {
        let (whole, rest) = (self.0 / Self::ONE_PICO, self.0 % Self::ONE_PICO);
        let half = Self::ONE_PICO / 2;
        let up = rest > half || rest == half && whole % 2 == 1;
        Usd(whole + u128::from(up))
    }
}

/// `123.45` as 12345 followed by zeros for the decimals that are missing of `decimals`.
fn digits(text: &str, decimals: usize) -> Option<u128> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(rest) || rest.len() > decimals {
        return None;
    }
    let scale = |digits: usize| 10_u128.checked_pow(u32::try_from(digits).ok()?);
    let whole = whole.parse::<u128>().ok()?.checked_mul(scale(decimals)?)?;
    let rest = rest.parse::<u128>().ok()?.checked_mul(scale(decimals - rest.len())?)?;
    whole.checked_add(rest)
}

/// An amount in USD that a provider writes as a JSON number, which may have an exponent. Rounded to
/// pico-dollars, half to even. None for an amount below 0, or beyond 10¹⁸ USD.
pub(super) fn dollars(number: &str) -> Option<Usd> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: String = [whole, rest].concat();
    let all = all.trim_start_matches('0');
    if all.is_empty() && !mantissa.starts_with('-') {
        return Some(Usd(0));
    }
    if !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The value is `all` times 10 to `shift`, in pico-dollars.
    let shift = exponent.checked_add(12)?.checked_sub(i32::try_from(rest.len()).ok()?)?;
    if i32::try_from(all.len()).ok()?.checked_add(shift)? > 30 {
        return None;
    }
    if shift >= 0 {
        return all.parse::<u128>().ok()?.checked_mul(10_u128.pow(shift.unsigned_abs())).map(Usd);
    }
    let cut = usize::try_from(shift.unsigned_abs()).ok()?;
    if cut > all.len() {
        return Some(Usd(0));
    }
    let (kept, dropped) = all.split_at(all.len() - cut);
    let kept: u128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    let (first, more) = dropped.split_at(1);
    let more = more.bytes().any(|byte| byte != b'0');
    let up = first > "5" || first == "5" && (more || kept % 2 == 1);
    Some(Usd(kept + u128::from(up)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_digits_and_a_point() {
        assert_eq!(Price::read("2.5"), Some(Price(2_500_000_000_000_000_000)));
        assert_eq!(Price::read("0.08333333333333334"), Some(Price(83_333_333_333_333_340)));
        assert_eq!(Price::read("1000000000"), Some(Price(MOST * 10_u128.pow(18))));
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "NaN",
            "inf",
            "1_0",
            " 1",
            "1 ",
            "0x1",
            "1,5",
            "1000000000.1",
            "1.2.3",
            "٣",
            "0.0000000000000000001",
            "99999999999999999999999999999999999999999999",
        ] {
            assert_eq!(Price::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn half_a_pico_dollar_goes_to_the_even_one() {
        let half = Amount::ONE_PICO / 2;
        for (amount, rounded) in [
            (half, 0),
            (half + 1, 1),
            (half - 1, 0),
            (Amount::ONE_PICO + half, 2),
            (2 * Amount::ONE_PICO + half, 2),
        ] {
            assert_eq!(Amount(amount).rounded(), Usd(rounded));
        }
    }

    #[test]
    fn no_count_overflows_in_silence() {
        let dear = Price::read("1000000000").unwrap();
        assert_eq!(dear.times(u64::MAX, false), None);
        assert_eq!(dear.times(u64::MAX, true), None);
        // The dearest prices of the table, for the largest counts: of tokens, and of searches.
        assert!(Price::read("600").unwrap().times((1 << 53) - 1, false).is_some());
        assert!(Price::read("35").unwrap().times(1_000_000_000_000, true).is_some());
    }

    #[test]
    fn a_providers_amount_may_have_an_exponent() {
        for (text, pico) in [
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0.00014", Some(140_000_000)),
            ("1.4e-05", Some(14_000_000)),
            ("1.4E-05", Some(14_000_000)),
            ("1e-12", Some(1)),
            ("5e-13", Some(0)),
            ("1.5e-12", Some(2)),
            ("2.5e-12", Some(2)),
            ("2.50000001e-12", Some(3)),
            ("1e-400", Some(0)),
            ("12", Some(12_000_000_000_000)),
            ("1.2e1", Some(12_000_000_000_000)),
            ("-0.1", None),
            ("1e400", None),
            ("1e99999999999", None),
        ] {
            assert_eq!(dollars(text), pico.map(Usd), "{text}");
        }
    }
}
