//! The most inputs that one request for embeddings may have.

use crate::model::EmbedRequest;

/// The most that one request may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// The number of inputs that the provider takes. The configuration may name another one.
    pub inputs: usize,
    /// The number of tokens of all inputs together.
    pub tokens: usize,
    /// The number of vectors that an answer has room for, whatever the provider takes.
    pub vectors: usize,
}

/// The bytes that an answer may have, with room to the limit of a document.
const ANSWER: usize = 24 << 20;

/// The length of a vector of which nothing is known.
const DIMENSIONS: usize = 4_096;

impl Most {
    /// So many inputs and tokens.
    pub(crate) const fn of(inputs: usize, tokens: usize) -> Self {
        Most { inputs, tokens, vectors: usize::MAX }
    }

    /// The same, and no more inputs than an answer has room for. `packed` means that the provider
    /// is known to answer in base64.
    pub(super) fn that_fits(self, request: &EmbedRequest, packed: bool) -> Self {
        // A float is at most 24 characters long as text, as `-1.1754943508222875e-38` is.
        let number = match (request.encoding.is_float(), packed) {
            (true, true) => 6,
            (true, false) => 24,
            (false, true) => 2,
            (false, false) => 6,
        };
        let length = request.dimensions.and_then(|length| usize::try_from(length).ok());
        let vector = length.unwrap_or(DIMENSIONS).saturating_mul(number);
        Most { vectors: (ANSWER / vector.max(1)).max(1), ..self }
    }
}
