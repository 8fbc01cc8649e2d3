//! What is made of `cache.secret`: the names of entries in Redis, and the keys that seal them.
//!
//! Who reads Redis without the secret learns neither questions nor tenants nor answers. Without a
//! secret the same names are plain hashes, which whoever guesses a question can make, too.

use std::fmt::Write as _;

use ring::hmac::Context;
use ring::{digest, hkdf, hmac};

use super::key::{Content, expand, first};

/// The keys of one secret, in one namespace.
pub(super) struct SecretKeys {
    prk: hkdf::Prk,
    namespace: String,
    tags: hmac::Key,
    /// The hash of the secret, to see whether another one is in use. It leaves the process nowhere.
    mark: [u8; 32],
    /// What says in a value which secret it was.
    id: [u8; 32],
}

/// Where an entry is in Redis, and the key of what is there.
pub(crate) struct Spot {
    pub(super) entry: Vec<u8>,
    pub(super) lock: Vec<u8>,
    /// The tenant's epoch. Its slot is another one.
    pub(super) epoch: Vec<u8>,
    pub(super) seal: [u8; 32],
    /// Which secret it was.
    pub(super) id: [u8; 4],
}

impl SecretKeys {
    pub(super) fn of(secret: &[u8], namespace: &str) -> SecretKeys {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"liter-llm cache in redis").extract(secret);
        let mut tags = [0; 32];
        expand(&prk, &[b"tag", namespace.as_bytes()], &mut tags);
        let tags = hmac::Key::new(hmac::HMAC_SHA256, &tags);
        let mut id = [0; 32];
        expand(&prk, &[b"id"], &mut id);
        SecretKeys { prk, namespace: namespace.to_owned(), tags, mark: mark(secret), id }
    }

    /// Whether these are the keys of this secret.
    pub(super) fn is_of(&self, secret: &[u8]) -> bool {
        mark(secret) == self.mark
    }

    /// What the names of a tenant's entries begin with.
    pub(super) fn prefix(&self, tenant: &str) -> Vec<u8> {
        format!("ll:{}:c:{}:", self.namespace, self.tag(tenant)).into_bytes()
    }

    /// The name of a tenant's epoch.
    pub(super) fn epoch(&self, tenant: &str) -> Vec<u8> {
        format!("ll:{}:e:{}", self.namespace, self.tag(tenant)).into_bytes()
    }

    /// Where the answer to a question is that a tenant asks.
    pub(super) fn spot(&self, tenant: &str, epoch: u64, content: &Content) -> Spot {
        let length = (tenant.len() as u64).to_be_bytes();
        let (epoch, namespace) = (epoch.to_be_bytes(), self.namespace.as_bytes());
        let mut own = [0; 32];
        let info: [&[u8]; 5] = [b"key", &length, tenant.as_bytes(), &epoch, namespace];
        expand(&self.prk, &info, &mut own);
        let mut name = Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &own));
        name.update(content.bytes());
        let name = hex(name.sign().as_ref());
        let mut entry = self.prefix(tenant);
        let mut lock = format!("ll:{}:l:", self.namespace).into_bytes();
        for key in [&mut entry, &mut lock] {
            // One slot of a cluster for both.
            key.extend_from_slice(format!("{{{name}}}").as_bytes());
        }
        let mut seal = [0; 32];
        expand(&self.prk, &[b"value", &entry], &mut seal);
        let epoch = self.epoch(tenant);
        Spot { entry, lock, epoch, seal, id: first(&self.id) }
    }

    fn tag(&self, tenant: &str) -> String {
        hex(&first::<8>(hmac::sign(&self.tags, tenant.as_bytes()).as_ref()))
    }
}

fn mark(secret: &[u8]) -> [u8; 32] {
    first(digest::digest(&digest::SHA256, secret).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(keys: &SecretKeys, tenant: &str, epoch: u64, parts: &[&[u8]]) -> Vec<u8> {
        keys.spot(tenant, epoch, &Content::of(parts)).entry
    }

    #[test]
    fn a_name_is_that_of_its_secret_namespace_tenant_epoch_and_question() {
        let keys = SecretKeys::of(b"a secret of the tests", "prod");
        let own = name(&keys, "a", 1, &[b"q"]);
        assert_eq!(own, name(&SecretKeys::of(b"a secret of the tests", "prod"), "a", 1, &[b"q"]));
        for other in [
            name(&keys, "b", 1, &[b"q"]),
            name(&keys, "", 1, &[b"q"]),
            name(&keys, "a", 2, &[b"q"]),
            name(&keys, "a", 1, &[b"r"]),
            name(&SecretKeys::of(b"another secret of them", "prod"), "a", 1, &[b"q"]),
            name(&SecretKeys::of(b"a secret of the tests", "test"), "a", 1, &[b"q"]),
        ] {
            assert_ne!(own, other);
            // The last part differs, too, and not only what stands before it.
            assert_ne!(own[own.len() - 66..], other[other.len() - 66..]);
        }
        assert!(keys.is_of(b"a secret of the tests") && !keys.is_of(b"another secret of them"));
        let text = String::from_utf8(own).unwrap();
        assert!(text.starts_with("ll:prod:c:") && text.ends_with('}'), "{text}");
        assert_eq!(text.len(), "ll:prod:c:".len() + 16 + 1 + 66);
    }
}
