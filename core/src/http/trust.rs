//! The trusted roots: those that the environment named, or else the machine's. If the machine has
//! none (a distroless container), the bundled Mozilla roots are used.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_native_certs::load_certs_from_paths;

use crate::error::Error;

/// The largest file of certificates, in bytes. A system's bundle has about a quarter of it.
pub(super) const MOST: u64 = 1 << 20;

/// Where the trusted roots come from. What a variable names replaces the machine's own.
#[derive(Debug)]
pub struct Trust {
    /// `SSL_CERT_FILE`.
    file: Option<PathBuf>,
    /// `SSL_CERT_DIR`.
    dirs: Option<Vec<PathBuf>>,
    /// `LITER_LLM_EXTRA_CA_FILE`, whose roots are trusted beside the others.
    extra: Option<PathBuf>,
    roots: OnceLock<RootCertStore>,
}

impl Trust {
    /// The roots of a PEM file and of all files in some folders, or the machine's if neither is given.
    /// Those of `extra` are added to them.
    #[must_use]
    pub fn new(file: Option<PathBuf>, dirs: Option<Vec<PathBuf>>, extra: Option<PathBuf>) -> Self {
        Trust { file, dirs, extra, roots: OnceLock::new() }
    }

    /// The roots. An error of kind `invalid_request` if what is named has none: whoever names roots
    /// wants no others.
    pub(super) fn roots(&self) -> Result<&RootCertStore, Error> {
        let machine = self.file.is_none() && self.dirs.is_none();
        if machine && self.extra.is_none() {
            return Ok(system_roots());
        }
        if let Some(roots) = self.roots.get() {
            return Ok(roots);
        }
        let mut roots = if machine { system_roots().clone() } else { self.named()? };
        if let Some(file) = &self.extra {
            add(&mut roots, "LITER_LLM_EXTRA_CA_FILE", file)?;
        }
        Ok(self.roots.get_or_init(|| roots))
    }

    /// The roots of what is named. Whoever names certificates trusts no others, so a file without
    /// any is an error, and so are folders without any if no file is named.
    fn named(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        if let Some(file) = &self.file {
            add(&mut roots, "SSL_CERT_FILE", file)?;
        }
        let dirs = self.dirs.iter().flatten().filter(|dir| !dir.as_os_str().is_empty());
        let found = load(None, dirs.map(PathBuf::as_path));
        if found.is_empty() && self.file.is_none() {
            let place = self.dirs.iter().flatten().next().cloned().unwrap_or_default();
            return Err(no_roots("SSL_CERT_DIR", &place, "there is no PEM certificate in it"));
        }
        roots.extend(found.roots);
        Ok(roots)
    }
}

/// Adds the certificates of a file that a variable names.
fn add(roots: &mut RootCertStore, variable: &str, file: &Path) -> Result<(), Error> {
    let wrong = |what: &str| no_roots(variable, file, what);
    let (content, _) = crate::file::read(file, MOST).map_err(|reason| wrong(&reason))?;
    // A machine's bundle may hold some that nobody can read; the others count.
    let found = CertificateDer::pem_slice_iter(&content).filter_map(Result::ok);
    match roots.add_parsable_certificates(found) {
        (0, _) => Err(wrong("there is no PEM certificate in it")),
        _ => Ok(()),
    }
}

fn no_roots(variable: &str, path: &Path, what: &str) -> Error {
    let message = format!(
        "the certificates of {variable} ({}) cannot be used: {what}; mend or unset it",
        path.display()
    );
    Error::invalid(variable, message)
}

/// The roots, read once: a machine has some 140 certificates, which take milliseconds to parse.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return roots;
    }
    // They are read outside of the lock, because the child of a fork meanwhile would wait for it
    // for ever. Two threads may both read them at the start.
    let mut roots = machine_roots();
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    ROOTS.get_or_init(|| roots)
}

/// Where systems with a kernel of Linux keep the bundle of their roots; the first that exists counts.
/// These are the places in which Go looks (`crypto/x509/root_linux.go`).
#[cfg(target_os = "linux")]
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// And the folders with single ones.
#[cfg(target_os = "linux")]
const FOLDERS: &[&str] = &["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// `load_native_certs` would look at the environment, which is not this moment's.
#[cfg(target_os = "linux")]
fn machine_roots() -> RootCertStore {
    let exists = |path: &&Path| path.exists();
    let bundle = BUNDLES.iter().map(Path::new).find(exists);
    load(bundle, FOLDERS.iter().map(Path::new).filter(exists))
}

/// The system's own store.
#[cfg(not(target_os = "linux"))]
fn machine_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The certificates of a file and of the files in some folders, each once.
fn load<'a>(file: Option<&Path>, folders: impl Iterator<Item = &'a Path>) -> RootCertStore {
    let mut found = load_certs_from_paths(file, None).certs;
    found.extend(folders.flat_map(|folder| load_certs_from_paths(None, Some(folder)).certs));
    found.sort_unstable_by(|one, other| one.cmp(other));
    found.dedup();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found);
    roots
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
            let error = Trust::new(Some(file.into()), None, None).roots().unwrap_err();
            assert_eq!(error.param.as_deref(), Some("SSL_CERT_FILE"), "{file}: {error}");
        }
        for named in ["", "/nonexistent/roots", folder.to_str().unwrap()] {
            let error = Trust::new(None, Some(vec![named.into()]), None).roots().unwrap_err();
            assert_eq!(error.param.as_deref(), Some("SSL_CERT_DIR"), "{named}: {error}");
        }
        let extra = Trust::new(None, None, Some("/nonexistent/extra.pem".into()));
        let error = extra.roots().unwrap_err();
        assert_eq!(error.param.as_deref(), Some("LITER_LLM_EXTRA_CA_FILE"), "{error}");
        assert!(!Trust::new(None, None, None).roots().unwrap().is_empty());
        std::fs::remove_file(&empty).unwrap();
        std::fs::remove_dir(&folder).unwrap();
    }
}
