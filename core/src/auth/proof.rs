//! What went out with a request to prove who sends it. An answer may repeat it, so it is kept until
//! the answer has been searched for it.

use secrecy::{ExposeSecret, SecretString};

/// The secrets that one request was sent with.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A key.
    Key(SecretString),
    /// A signature.
    #[cfg(feature = "aws")]
    Signed(Box<super::aws::Signed>),
}

impl Proof {
    /// Gives each secret.
    pub(super) fn each(&self, mut secret: impl FnMut(&str)) {
        match self {
            Proof::Key(key) => secret(key.expose_secret()),
            #[cfg(feature = "aws")]
            Proof::Signed(signed) => signed.each(secret),
        }
    }
}
