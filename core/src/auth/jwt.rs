//! Assertions: JSON Web Tokens (RFC 7519) that are signed with an RSA key, by `ring`.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RsaEncoding;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;

use crate::codec::Object;

/// How an assertion is signed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[cfg(feature = "google")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[cfg(feature = "azure")]
    Ps256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "google")]
            Algorithm::Rs256 => "RS256",
            #[cfg(feature = "azure")]
            Algorithm::Ps256 => "PS256",
        }
    }

    fn padding(self) -> &'static dyn RsaEncoding {
        match self {
            #[cfg(feature = "google")]
            Algorithm::Rs256 => &ring::signature::RSA_PKCS1_SHA256,
            #[cfg(feature = "azure")]
            Algorithm::Ps256 => &ring::signature::RSA_PSS_SHA256,
        }
    }
}

/// Signs claims with the first private key of a PEM text. `own` is a further member of the header:
/// which key it is. The error is the reason; it quotes nothing of the key.
pub(super) fn sign(
    pem: &[u8],
    algorithm: Algorithm,
    own: (&'static str, &str),
    claims: &Object,
) -> Result<SecretString, String> {
    let key = PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| "it has no private key in PEM (an encrypted one cannot be read)".to_owned())?;
    let pair = match &key {
        PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err("its private key is none of RSA".to_owned()),
    };
    let pair = pair.map_err(|fault| format!("its private key cannot be used: {fault}"))?;
    let mut header = Object::new();
    header.insert("alg", algorithm.name());
    header.insert("typ", "JWT");
    header.insert(own.0, own.1);
    let part = |object: &Object| URL_SAFE_NO_PAD.encode(object.to_json());
    let text = format!("{}.{}", part(&header), part(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(algorithm.padding(), &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| "it could not be signed with".to_owned())?;
    Ok(SecretString::from(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Seconds since 1970, for a claim.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
