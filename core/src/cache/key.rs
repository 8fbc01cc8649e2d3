//! A key names a question: it is made of all that would be sent, of its provider and of its tenant.
//!
//! The bytes are hashed as they are, so that no member can be forgotten. Each part has its length
//! before it, so that no two lists of parts have the same bytes.

use ring::hmac::Context;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hkdf, hmac};

/// The version of what a key is made of, and of what is kept under it.
const VERSION: &[u8] = b"1";

/// A question. 256 bits: two questions do not meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

/// A tenant, without its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tag([u8; 8]);

/// What a question asks, whoever asks it. It leaves the process in no form.
#[derive(Clone, Copy)]
pub(crate) struct Content([u8; 32]);

/// How often what was kept for a tenant was forgotten here, and the name of its epoch in Redis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(super) purges: u64,
    /// 0 where it is not known.
    pub(super) name: u64,
}

impl Content {
    /// What is made of these parts.
    pub(super) fn of(parts: &[&[u8]]) -> Content {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [VERSION].iter().chain(parts) {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Content(first(hash.finish().as_ref()))
    }

    #[cfg(feature = "redis")]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Makes keys. What it keeps names no question and no tenant.
pub(super) struct Keys {
    prk: hkdf::Prk,
    tags: hmac::Key,
}

impl Keys {
    /// Makes keys that mean nothing outside of this process.
    pub(super) fn of_process() -> Keys {
        let mut secret = [0; 32];
        // Nobody outside sees such a key. Without random bytes the hash still tells questions apart.
        let _ = SystemRandom::new().fill(&mut secret);
        Keys::of_secret(&secret)
    }

    fn of_secret(secret: &[u8]) -> Keys {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"liter-llm cache");
        let prk = salt.extract(secret);
        let mut tag_key = [0; 32];
        expand(&prk, &[b"tag"], &mut tag_key);
        Keys { prk, tags: hmac::Key::new(hmac::HMAC_SHA256, &tag_key) }
    }

    /// The key of a question that a tenant asks. `epoch` changes when what was kept for the tenant
    /// is forgotten.
    pub(super) fn key(&self, tenant: &str, epoch: Epoch, content: &Content) -> Key {
        let length = (tenant.len() as u64).to_be_bytes();
        let mut own = [0; 32];
        let [purges, name] = [epoch.purges, epoch.name].map(u64::to_be_bytes);
        let info: [&[u8]; 5] = [b"key", &length, tenant.as_bytes(), &purges, &name];
        expand(&self.prk, &info, &mut own);
        let mut hash = Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &own));
        hash.update(&content.0);
        Key(first(hash.sign().as_ref()))
    }

    /// The tag of a tenant.
    pub(super) fn tag(&self, tenant: &str) -> Tag {
        Tag(first(hmac::sign(&self.tags, tenant.as_bytes()).as_ref()))
    }
}

/// The first bytes of a hash.
pub(super) fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(hash).for_each(|(out, byte)| *out = *byte);
    out
}

/// A key of HKDF. It fails for lengths that no caller asks for.
pub(super) fn expand(prk: &hkdf::Prk, info: &[&[u8]], out: &mut [u8; 32]) {
    let filled = prk.expand(info, hmac::HMAC_SHA256).and_then(|okm| okm.fill(out));
    debug_assert!(filled.is_ok(), "32 bytes are within what HKDF-SHA256 gives");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Keys {
        Keys::of_secret(b"a secret of the tests")
    }

    fn key(keys: &Keys, tenant: &str, purges: u64, parts: &[&[u8]]) -> Key {
        keys.key(tenant, Epoch { purges, name: 0 }, &Content::of(parts))
    }

    #[test]
    fn a_key_is_that_of_its_parts_alone() {
        let keys = keys();
        let parts: [&[u8]; 2] = [b"chat", b"{}"];
        assert!(key(&keys, "a", 0, &parts) == key(&keys, "a", 0, &parts));
        assert!(key(&keys, "a", 0, &parts) != key(&keys, "a", 1, &parts));
        let named = Epoch { purges: 0, name: 1 };
        assert!(key(&keys, "a", 0, &parts) != keys.key("a", named, &Content::of(&parts)));
        assert!(key(&keys, "a", 0, &parts) != key(&Keys::of_process(), "a", 0, &parts));
        assert!(keys.tag("a") == keys.tag("a") && keys.tag("a") != keys.tag("b"));
    }

    proptest! {
        /// A byte that stands on the other side of a boundary makes another question.
        #[test]
        fn a_body_of_one_boundary_is_no_other_ones(
            bytes in prop::collection::vec(any::<u8>(), 0..64), a in 0_usize..64, b in 0_usize..64,
        ) {
            let (a, b) = (a.min(bytes.len()), b.min(bytes.len()));
            prop_assume!(a != b);
            let keys = keys();
            let (one, other) = (bytes.split_at(a), bytes.split_at(b));
            prop_assert!(key(&keys, "", 0, &[one.0, one.1]) != key(&keys, "", 0, &[other.0, other.1]));
            prop_assert!(key(&keys, "", 0, &[&bytes]) != key(&keys, "", 0, &[one.0, one.1]));
        }

        #[test]
        fn two_tenants_never_share_a_key(
            one in ".{0,32}", other in ".{0,32}", body in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            prop_assume!(one != other);
            let keys = keys();
            prop_assert!(key(&keys, &one, 0, &[&body]) != key(&keys, &other, 0, &[&body]));
            prop_assert!(keys.tag(&one) != keys.tag(&other));
            // A tenant is no beginning of a body.
            let joined = [other.as_bytes(), &body].concat();
            prop_assert!(key(&keys, &one, 0, &[&body]) != key(&keys, "", 0, &[&joined]) || one.is_empty());
        }
    }
}
