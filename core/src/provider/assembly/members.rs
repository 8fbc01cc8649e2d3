//! Adds what an answer has beside its texts and calls: annotations, images, speech, log
//! probabilities.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Assembly;
use super::which::Counted;
use crate::codec::Object;
use crate::json::{Key, Value};

impl Assembly {
    /// The number of characters of a choice's text so far. Each is counted once.
    pub(in crate::provider) fn characters(&mut self, choice: u64) -> u64 {
        let text = self.known(choice).and_then(|choice| choice.message.content.as_deref());
        let text = text.unwrap_or_default();
        if text.is_empty() {
            return 0;
        }
        let known = self.counted.iter().position(|counted| counted.choice == choice);
        let so_far =
            known.map_or(Counted { choice, bytes: 0, characters: 0 }, |at| self.counted[at]);
        let more = text.get(so_far.bytes..).unwrap_or_default().chars().count() as u64;
        let now = Counted {
            choice,
            bytes: text.len(),
            characters: so_far.characters.saturating_add(more),
        };
        match known {
            Some(at) => self.counted[at] = now,
            None => self.counted.push(now),
        }
        now.characters
    }

    /// Adds an annotation.
    pub(in crate::provider) fn annotation(&mut self, choice: u64, mut annotation: Value) {
        self.settle(&mut annotation);
        self.keeps(annotation.nodes());
        self.choice(choice).message.annotations.push(annotation.clone());
        self.delta(choice).delta.annotations.push(annotation);
    }

    /// The index of the first choice, if it has no annotations.
    pub(in crate::provider) fn unannotated(&self) -> Option<u64> {
        let first = self.answer.choices.first()?;
        first.message.annotations.is_empty().then_some(first.index)
    }

    /// Adds an image.
    pub(in crate::provider) fn image(&mut self, choice: u64, mut image: Value) {
        self.committed = true;
        self.settle(&mut image);
        self.keeps(image.nodes());
        self.choice(choice).message.images.push(image.clone());
        self.delta(choice).delta.images.push(image);
    }

    /// Adds a piece of speech.
    pub(in crate::provider) fn audio(&mut self, choice: u64, piece: Object) {
        self.committed = true;
        let mut piece = Value::Object(piece);
        self.settle(&mut piece);
        self.keeps(piece.nodes());
        let Value::Object(piece) = piece else { return };
        let whole = self.choice(choice).message.audio.get_or_insert_default();
        join_audio(whole, piece.clone());
        let delta = &mut self.delta(choice).delta;
        // One event may have several pieces.
        match &mut delta.audio {
            Some(so_far) => join_audio(so_far, piece),
            None => delta.audio = Some(piece),
        }
    }

    /// Adds log probabilities.
    pub(in crate::provider) fn logprobs(&mut self, choice: u64, piece: Object) {
        let mut piece = Value::Object(piece);
        self.settle(&mut piece);
        self.keeps(piece.nodes());
        let whole = &mut self.choice(choice).logprobs;
        join_logprobs(whole, piece.clone());
        join_logprobs(&mut self.delta(choice).logprobs, piece);
    }

    /// The members of the answer that have no place in a response, so far.
    pub(in crate::provider) fn fields(&self) -> &Object {
        &self.answer.fields
    }
}

/// Continues speech: the transcript and the data grow, and anything else is replaced.
fn join_audio(whole: &mut Object, piece: Object) {
    for (name, value) in piece {
        match (name.as_str(), whole.get_mut(&name), &value) {
            ("transcript", Some(Value::String(so_far)), Value::String(more)) => {
                so_far.push_str(more);
            }
            ("data", Some(Value::String(so_far)), Value::String(more)) => join_base64(so_far, more),
            (_, Some(_), Value::Null) => {}
            _ => drop(whole.insert(name, value)),
        }
    }
}

/// Continues bytes in base64. Where the bytes so far end inside a group of four letters, the letters
/// of the next ones are others: each piece is base64 of its own.
fn join_base64(so_far: &mut String, more: &str) {
    if so_far.ends_with('=') && so_far.len().is_multiple_of(4) {
        let group = so_far.len() - 4;
        let last = so_far.get(group..).map(|last| STANDARD.decode(last));
        if let (Some(Ok(mut bytes)), Ok(next)) = (last, STANDARD.decode(more)) {
            bytes.extend(next);
            so_far.truncate(group);
            return STANDARD.encode_string(bytes, so_far);
        }
    }
    so_far.push_str(more);
}

/// Appends each list. What is `null` says nothing if something is known.
fn join_logprobs(whole: &mut Option<Value>, piece: Value) {
    let (Some(Value::Object(whole)), Value::Object(piece)) = (whole.as_mut(), &piece) else {
        *whole = Some(piece);
        return;
    };
    for (name, value) in piece {
        match (whole.get_mut(name), value) {
            (Some(Value::Array(so_far)), Value::Array(more)) => so_far.extend(more.iter().cloned()),
            (Some(_), Value::Null) => {}
            _ => drop(whole.insert(Key::clone(name), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However bytes are cut, and whether each piece is padded or the text is cut: the same.
        #[test]
        fn pieces_of_base64_are_one(
            bytes in prop::collection::vec(any::<u8>(), 0..60), cut in 1_usize..9,
        ) {
            let wanted = STANDARD.encode(&bytes);
            let mut padded = String::new();
            for piece in bytes.chunks(cut) {
                join_base64(&mut padded, &STANDARD.encode(piece));
            }
            prop_assert_eq!(&padded, &wanted);
        }
    }

    #[test]
    fn a_text_of_base64_may_be_cut_anywhere() {
        let whole = "QUJDREVGRw==";
        for cut in 0..whole.len() {
            let (start, end) = whole.split_at(cut);
            let mut joined = start.to_owned();
            join_base64(&mut joined, end);
            assert_eq!(joined, whole, "{cut}");
        }
    }
}
