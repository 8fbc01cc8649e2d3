//! The answer's text: an echo, brought to the size that the knobs ask for.

use super::knobs::Knobs;

/// Padding that compresses and tokenizes like prose.
const FILLER: &str = " The quick brown fox jumps over the lazy dog.";

/// Writes the text and returns in how many chunks a stream sends it.
pub(super) fn answer(out: &mut String, user: &str, knobs: &Knobs) -> usize {
    out.clear();
    out.push_str("You said: ");
    out.push_str(user);
    if let Some(size) = knobs.bytes {
        resize(out, size);
    } else if let Some(chunks) = knobs.chunks
        && out.len() < chunks * 4
    {
        // Each chunk should have something to say.
        resize(out, chunks * 4);
    }
    knobs.chunks.unwrap_or_else(|| out.split(' ').count().max(1))
}

/// Makes the text exactly `size` bytes long.
fn resize(text: &mut String, size: usize) {
    text.truncate(text.floor_char_boundary(size));
    while text.len() + FILLER.len() <= size {
        text.push_str(FILLER);
    }
    text.push_str(&FILLER[..size - text.len()]);
}

/// Cuts the text into exactly `count` pieces of about equal size, never inside a character. Some are empty if there
/// are more pieces than characters.
pub(super) fn pieces(text: &str, count: usize) -> impl Iterator<Item = &str> {
    let mut from = 0;
    (1..=count).map(move |n| {
        let until = text.floor_char_boundary(text.len() * n / count).max(from);
        let piece = &text[from..until];
        from = until;
        piece
    })
}
