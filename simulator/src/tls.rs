//! TLS with the committed test certificates. `tls/README.md` describes how they were made.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The authority that clients must trust to accept the simulator's certificate.
pub const CA_PEM: &str = include_str!("../tls/ca.pem");

/// Which certificate a listener shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// `localhost` and 127.0.0.1.
    Localhost,
    /// `wrong.example`, which a client that checks names must refuse.
    Wrong,
}

pub(crate) fn acceptor(identity: Identity, h2: bool) -> Result<TlsAcceptor, rustls::Error> {
    let (certificate, key) = match identity {
        Identity::Localhost => {
            (include_bytes!("../tls/localhost.pem"), include_bytes!("../tls/localhost.key"))
        }
        Identity::Wrong => (include_bytes!("../tls/wrong.pem"), include_bytes!("../tls/wrong.key")),
    };
    let bad = |error| rustls::Error::General(format!("test certificate: {error:?}"));
    let certificate = CertificateDer::from_pem_slice(certificate).map_err(bad)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(bad)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    if h2 {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(TlsAcceptor::from(Arc::new(config)))
}
