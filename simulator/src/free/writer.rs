//! Writing JSON and SSE by hand: the formats are fixed, only a few values change.

/// Appends to a buffer; calls can be chained.
pub(super) struct Writer<'a>(pub(super) &'a mut Vec<u8>);

impl Writer<'_> {
    /// Verbatim.
    pub(super) fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// A JSON string, quotes included.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        // Writing a string into a Vec cannot fail.
        let _ = serde_json::to_writer(&mut *self.0, text);
        self
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        let _ = serde_json::to_writer(&mut *self.0, &number);
        self
    }

    /// Sixteen hexadecimal digits.
    pub(super) fn id(&mut self, id: u64) -> &mut Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for shift in (0..64).step_by(4).rev() {
            self.0.push(DIGITS[(id >> shift & 15) as usize]);
        }
        self
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}
