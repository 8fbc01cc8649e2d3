//! The hint at a name that was meant.

/// The known names that are nearest to `name`: `; did you mean 'openai' or 'openrouter'?`. `None` if
/// none is near.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    /// Longer names are not compared, because the comparison costs the product of the lengths.
    const LONGEST: usize = 64;
    const MOST: usize = 3;
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    // A third of the letters may be wrong, and of a short name one.
    let room = (lower.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|other| other.len() <= LONGEST)
        .map(|other| (strsim::osa_distance(&lower, &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= room)
        .collect();
    near.sort_unstable();
    let best = near.first()?.0;
    let near: Vec<String> = near
        .into_iter()
        .take_while(|(distance, _)| *distance == best)
        .take(MOST)
        .map(|(_, other)| format!("'{other}'"))
        .collect();
    Some(format!("; did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_named() {
        let known = ["stream_options", "stop", "seed"];
        let hint = |name: &str| did_you_mean(name, known);
        assert_eq!(hint("stream_option").unwrap(), "; did you mean 'stream_options'?");
        assert_eq!(hint("SEED").unwrap(), "; did you mean 'seed'?");
        assert_eq!(hint("sede").unwrap(), "; did you mean 'seed'?");
        assert_eq!(hint("temperature"), None);
        assert_eq!(hint(&"s".repeat(10_000)), None);
        let two = did_you_mean("chat3", ["chat1", "chat2", "other"]);
        assert_eq!(two.unwrap(), "; did you mean 'chat1' or 'chat2'?");
    }
}
