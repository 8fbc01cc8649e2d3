//! What stands in Redis: a head, and an answer's document that is deflated where it is long, and
//! sealed. The head and the key's name are sealed with it, so that a value that was changed, cut or
//! moved to another key is none.
//!
//! ```text
//! LC1 · flags · kind · id of the secret (4) · ttl, life, took in ms (8 each) · nonce (12) · sealed
//! ```

use std::io::{Read as _, Write as _};
use std::time::Duration;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::secret::Spot;
use crate::operation::StoredAs;

const MAGIC: &[u8; 3] = b"LC1";

/// Flags: the document is deflated; it is encrypted, and not only protected against changes.
const DEFLATED: u8 = 1;
const ENCRYPTED: u8 = 2;

/// The length of the head.
const HEAD: usize = 3 + 1 + 1 + 4 + 3 * 8 + NONCE_LEN;

/// The length of what proves that a value is whole where it is not encrypted. AES-GCM needs half of it.
const PROOF: usize = 32;

/// Documents up to so many bytes are not deflated.
const SHORT: usize = 4_096;

/// An answer as it is kept in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) kind: StoredAs,
    pub(super) document: Vec<u8>,
    /// How long it is fresh.
    pub(super) ttl: Duration,
    /// How long it stands in Redis.
    pub(super) life: Duration,
    /// How long it took to make.
    pub(super) took: Duration,
}

impl Value {
    /// Seals it for its place. `None`: this machine gives no random bytes.
    pub(super) fn seal(&self, spot: &Spot, encrypt: bool) -> Option<Vec<u8>> {
        let deflated = (self.document.len() > SHORT).then(|| deflate(&self.document)).flatten();
        let deflated = deflated.filter(|deflated| deflated.len() < self.document.len());
        let mut flags = 0;
        if deflated.is_some() {
            flags |= DEFLATED;
        }
        if encrypt {
            flags |= ENCRYPTED;
        }
        let document = deflated.as_deref().unwrap_or(&self.document);
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut out = Vec::with_capacity(HEAD + document.len() + PROOF);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[flags, self.kind as u8]);
        out.extend_from_slice(&spot.id);
        for time in [self.ttl, self.life, self.took] {
            out.extend_from_slice(&millis(time).to_be_bytes());
        }
        out.extend_from_slice(&nonce);
        let about = about(&out, spot);
        out.extend_from_slice(document);
        if encrypt {
            let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(&about[..]));
            let tag = cipher(spot)?.seal_in_place_separate_tag(nonce, aad, &mut out[HEAD..]);
            out.extend_from_slice(tag.ok()?.as_ref());
        } else {
            let proof = hmac::sign(&prover(spot), &[&about, document].concat());
            out.extend_from_slice(proof.as_ref());
        }
        Some(out)
    }

    /// Opens what stands at a place. `most` is the most bytes of a document. `None`: it is none of
    /// ours, not whole, or from elsewhere.
    pub(super) fn open(mut bytes: Vec<u8>, spot: &Spot, encrypt: bool, most: u64) -> Option<Value> {
        let (head, rest) = bytes.split_at_mut_checked(HEAD)?;
        let (magic, after) = head.split_first_chunk::<3>()?;
        let (&[flags, kind], after) = after.split_first_chunk::<2>()?;
        let (id, after) = after.split_first_chunk::<4>()?;
        let (times, nonce) = after.split_first_chunk::<24>()?;
        // What is not encrypted is not taken where answers are: anybody could have written it.
        if magic != MAGIC || *id != spot.id || (flags & ENCRYPTED != 0) != encrypt {
            return None;
        }
        let kind = StoredAs::of(kind)?;
        let (times, _) = times.as_chunks::<8>();
        let [ttl, life, took] = times else { return None };
        let time = |bytes: &[u8; 8]| Duration::from_millis(u64::from_be_bytes(*bytes));
        let (ttl, life, took) = (time(ttl), time(life), time(took));
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let about = about(head, spot);
        let document = if encrypt {
            &*cipher(spot)?.open_in_place(nonce, Aad::from(&about[..]), rest).ok()?
        } else {
            let (document, given) = rest.split_last_chunk::<PROOF>()?;
            hmac::verify(&prover(spot), &[&about, document].concat(), given).ok()?;
            document
        };
        let document = match flags & DEFLATED {
            0 => document.to_vec(),
            _ => inflate(document, most)?,
        };
        Some(Value { kind, document, ttl, life, took })
    }

    /// The most bytes of a value whose document has so many.
    pub(super) fn most(document: u64) -> usize {
        usize::try_from(document).unwrap_or(usize::MAX).saturating_add(HEAD + PROOF)
    }
}

/// What is proven besides the document: the head, and the place.
fn about(head: &[u8], spot: &Spot) -> Vec<u8> {
    [head, &spot.entry].concat()
}

fn cipher(spot: &Spot) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &spot.seal).ok().map(LessSafeKey::new)
}

fn prover(spot: &Spot) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &spot.seal)
}

fn deflate(document: &[u8]) -> Option<Vec<u8>> {
    let mut encoder =
        DeflateEncoder::new(Vec::with_capacity(document.len() / 2), Compression::fast());
    encoder.write_all(document).ok()?;
    encoder.finish().ok()
}

fn inflate(bytes: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut document = Vec::new();
    let read = DeflateDecoder::new(bytes).take(most.saturating_add(1)).read_to_end(&mut document);
    read.ok().filter(|length| *length as u64 <= most)?;
    Some(document)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::key::Content;
    use super::super::secret::SecretKeys;
    use super::*;

    const MOST: u64 = 1 << 20;

    fn spot(question: &[u8]) -> Spot {
        SecretKeys::of(b"a secret of the tests", "test").spot("t", 1, &Content::of(&[question]))
    }

    fn value(document: Vec<u8>) -> Value {
        let [ttl, life, took] = [300, 360, 2].map(Duration::from_secs);
        Value { kind: StoredAs::Chat, document, ttl, life, took }
    }

    #[test]
    fn what_is_sealed_is_opened() {
        for encrypt in [true, false] {
            for length in [0, 1, SHORT, SHORT + 1, 100_000] {
                let value = value((0..length).map(|i| b"liter canary "[i % 13]).collect());
                let sealed = value.seal(&spot(b"q"), encrypt).unwrap();
                assert!(length < SHORT * 2 || sealed.len() < length / 2, "{}", sealed.len());
                let shows = sealed.windows(6).any(|part| part == b"canary");
                assert_eq!(shows, !encrypt && (13..=SHORT).contains(&length), "{length}");
                assert_eq!(Value::open(sealed, &spot(b"q"), encrypt, MOST), Some(value));
            }
        }
    }

    #[test]
    fn a_value_that_was_changed_cut_or_moved_is_none() {
        for encrypt in [true, false] {
            let sealed = value(b"{\"a\":1}".to_vec()).seal(&spot(b"q"), encrypt).unwrap();
            for at in 0..sealed.len() {
                let mut other = sealed.clone();
                other[at] ^= 1;
                assert_eq!(Value::open(other, &spot(b"q"), encrypt, MOST), None, "byte {at}");
                assert_eq!(Value::open(sealed[..at].to_vec(), &spot(b"q"), encrypt, MOST), None);
            }
            let longer = [&sealed[..], b"x"].concat();
            assert_eq!(Value::open(longer, &spot(b"q"), encrypt, MOST), None);
            assert_eq!(Value::open(sealed.clone(), &spot(b"r"), encrypt, MOST), None, "moved");
            assert_eq!(Value::open(sealed, &spot(b"q"), !encrypt, MOST), None, "of another kind");
        }
    }

    #[test]
    fn a_document_that_grows_too_large_is_none() {
        let sealed = value(vec![b' '; 200_000]).seal(&spot(b"q"), true).unwrap();
        assert!(Value::open(sealed.clone(), &spot(b"q"), true, 200_000).is_some());
        assert!(Value::open(sealed, &spot(b"q"), true, 199_999).is_none());
    }
}
