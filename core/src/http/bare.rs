//! Opens connections that carry another protocol than HTTP, with the same look-ups, timers and roots.

use std::path::Path;
use std::sync::Arc;

use ::http::Uri;
use tokio::runtime::Handle;

use super::connect::{Dialler, Network, Stream};
use super::give_way;
use super::lookup::Lookups;
use super::settings::{HttpVersion, Settings, Timeouts};
use super::trust::Trust;
use crate::error::Error;

/// Where such a connection goes.
pub(crate) struct Server<'a> {
    /// A name or an address, an IPv6 one without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// Whether it is encrypted.
    pub(crate) tls: bool,
    /// The trusted roots, and a PEM file with further ones.
    pub(crate) trust: &'a Arc<Trust>,
    pub(crate) ca_file: Option<&'a Path>,
}

/// Opens a connection to a server. An error says which server, and why.
pub(crate) async fn connect(
    server: Server<'_>,
    blocking: Option<Handle>,
    lookups: &Lookups,
    network: Option<Arc<dyn Network>>,
) -> Result<Box<dyn Stream>, Error> {
    let scheme = if server.tls { "https" } else { "http" };
    let name = match server.host.contains(':') {
        true => format!("[{}]:{}", server.host, server.port),
        false => format!("{}:{}", server.host, server.port),
    };
    let wrong = |_| Error::invalid("host", format!("{name} is not the address of a server"));
    let base_url = format!("{scheme}://{name}").parse::<Uri>().map_err(wrong)?;
    let settings = Settings {
        base_url,
        query: String::new(),
        headers: Vec::new(),
        timeouts: Timeouts::default(),
        version: HttpVersion::Http1,
        ca_file: server.ca_file.map(Path::to_owned),
        trust: Arc::clone(server.trust),
        proxy: None,
    };
    let dialler = Dialler::new(&settings, blocking, lookups, network).bare(name);
    Ok(dialler.dial(give_way).await?.io)
}
