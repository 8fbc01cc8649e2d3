//! Makes ids and arguments of tool calls that a provider left out.

/// Nine letters and digits for a text, always the same for the same text.
pub(super) fn short(text: &str) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // FNV-1a is small and stable between versions, and nobody attacks it here.
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut short = String::with_capacity(9);
    for _ in 0..9 {
        short.push(char::from(LETTERS[(hash % 62) as usize]));
        hash /= 62;
    }
    short
}

/// The id of a call that came without one. Its place in the answer distinguishes it from the other
/// calls, and the answer's id and time distinguish it from those of other turns.
pub(super) fn made(
    answer: Option<&str>,
    created: Option<i64>,
    choice: u64,
    place: u64,
    name: &str,
) -> String {
    let (answer, created) = (answer.unwrap_or_default(), created.unwrap_or_default());
    format!("call_{}", short(&format!("{answer} {created} {choice} {place} {name}")))
}

/// Whether a call's arguments are empty. A function without parameters has none, and Groq and
/// Cohere write `null` for that [rec].
pub(super) fn no_arguments(text: &str) -> bool {
    matches!(text.trim_ascii(), "" | "null")
}
