//! TLS: rustls with ring as its provider and our own set of roots.
//!
//! The machine's certificates are used, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. If
//! the machine has none (a distroless container), the bundled Mozilla roots are used. Nothing becomes the process's default, because the library is a guest.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::settings::HttpVersion;
use crate::error::{Error, ErrorKind};

/// The client configuration for one provider.
pub(super) fn config(ca_file: Option<&Path>, http: HttpVersion) -> Result<ClientConfig, Error> {
    let mut roots = system_roots()?.clone();
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
        HttpVersion::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
        HttpVersion::Http2 => vec![b"h2".to_vec()],
    };
    Ok(config)
}

/// The roots, read once: a machine has some 140 certificates, which take milliseconds to parse.
fn system_roots() -> Result<&'static RootCertStore, Error> {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(roots);
    }
    // They are read outside of the lock, because the child of a fork meanwhile would wait for it
    // for ever. Two threads may both read them at the start.
    let named = std::env::var_os;
    let roots = roots(named("SSL_CERT_FILE").as_deref(), named("SSL_CERT_DIR").as_deref())?;
    Ok(ROOTS.get_or_init(|| roots))
}

/// The roots of `SSL_CERT_FILE` and `SSL_CERT_DIR`. If neither is set, they are the system's, or
/// Mozilla's if the system has none. Who names certificates trusts no others, so a name that yields
/// none is an error.
fn roots(file: Option<&OsStr>, folder: Option<&OsStr>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if file.is_none() && folder.is_none() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        return Ok(roots);
    }
    if let Some(file) = file {
        let wrong = |what: &str| no_roots("SSL_CERT_FILE", file, what);
        let (content, _) =
            crate::file::read(Path::new(file), MOST).map_err(|reason| wrong(&reason))?;
        // A machine's bundle may hold some that nobody can read; the others count.
        let found = CertificateDer::pem_slice_iter(&content).filter_map(Result::ok);
        let (usable, _) = roots.add_parsable_certificates(found);
        if usable == 0 {
            return Err(wrong("there is no PEM certificate in it"));
        }
    }
    if let Some(folder) = folder {
        let found = rustls_native_certs::load_certs_from_paths(None, Some(Path::new(folder)));
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        if usable == 0 && file.is_none() {
            return Err(no_roots("SSL_CERT_DIR", folder, "there is no PEM certificate in it"));
        }
    }
    Ok(roots)
}

fn no_roots(variable: &str, path: &OsStr, what: &str) -> Error {
    let message = format!(
        "the certificates of {variable} ({}) cannot be used: {what}; mend or unset it",
        path.display()
    );
    Error::invalid(variable, message)
}

/// The largest file of certificates, in bytes. A system's bundle has about a quarter of it.
const MOST: u64 = 1 << 20;

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

    /// Nothing falls back to roots that nobody named.
    #[test]
    fn l7_named_certificates_that_yield_nothing_are_an_error() {
        let empty = std::env::temp_dir().join(format!("liter-llm-{}-roots", std::process::id()));
        std::fs::write(&empty, "no certificate\n").unwrap();
        let folder = empty.with_extension("d");
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["", "/nonexistent/roots.pem", "/dev/zero", empty.to_str().unwrap()] {
            let error = roots(Some(OsStr::new(file)), None).unwrap_err();
            assert_eq!(error.param.as_deref(), Some("SSL_CERT_FILE"), "{file}: {error}");
        }
        for named in ["", "/nonexistent/roots", folder.to_str().unwrap()] {
            let error = roots(None, Some(OsStr::new(named))).unwrap_err();
            assert_eq!(error.param.as_deref(), Some("SSL_CERT_DIR"), "{named}: {error}");
        }
        assert!(!roots(None, None).unwrap().is_empty());
        std::fs::remove_file(&empty).unwrap();
        std::fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn m5_a_ca_file_is_a_small_regular_file() {
        for path in ["/dev/zero", "/tmp", "/nonexistent/ca.pem"] {
            let error = config(Some(Path::new(path)), HttpVersion::Auto).unwrap_err();
            assert_eq!(error.param.as_deref(), Some("ca_file"), "{path}: {error}");
        }
    }
}
