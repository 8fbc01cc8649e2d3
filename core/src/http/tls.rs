//! TLS: rustls with ring as its provider and our own set of roots. Nothing becomes the process's
//! default, because the library is a guest.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::settings::HttpVersion;
use super::trust::{MOST, Trust};
use crate::error::{Error, ErrorKind};

/// The client configuration for one provider. Without a version of HTTP nothing is said of one.
pub(super) fn config(
    trust: &Trust,
    ca_file: Option<&Path>,
    http: Option<HttpVersion>,
) -> Result<ClientConfig, Error> {
    let mut roots = trust.roots()?.clone();
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = match http {
        None => Vec::new(),
        Some(HttpVersion::Auto) => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Some(HttpVersion::Http1) => vec![b"http/1.1".to_vec()],
        Some(HttpVersion::Http2) => vec![b"h2".to_vec()],
    };
    Ok(config)
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), Error> {
    let wrong =
        |what: String| Error::invalid("ca_file", format!("ca_file {}: {what}", path.display()));
    let (content, _) = crate::file::read(path, MOST).map_err(wrong)?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&content) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.len() == before {
        return Err(wrong("there is no PEM certificate in it".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m5_a_ca_file_is_a_small_regular_file() {
        for (path, why) in [
            ("/dev/zero", "not a regular file"),
            ("/tmp", "not a regular file"),
            ("/nonexistent/ca.pem", "not found"),
        ] {
            let trust = Trust::new(None, None, None);
            let read = config(&trust, Some(Path::new(path)), Some(HttpVersion::Auto));
            let error = read.unwrap_err();
            assert_eq!(error.param.as_deref(), Some("ca_file"), "{path}: {error}");
            assert!(error.to_string().contains(why), "{path}: {error}");
        }
    }
}
