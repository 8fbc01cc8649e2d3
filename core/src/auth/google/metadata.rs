//! The metadata server of a machine at Google: it gives tokens of the machine's service account
//! [doc].

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::source::SCOPE;
use crate::auth::fetch::Network;
use crate::auth::oauth;
use crate::auth::token::Token;
use crate::http::Settings;
use crate::wire::Request;

/// Where it has them.
const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// The token. `None` means that there is no such server, or that the machine has no account. `asked`
/// means that somebody named the server, so that it has to be there.
pub(super) async fn ask(
    http: &Settings,
    asked: bool,
    network: &Network,
) -> Result<Option<Token>, String> {
    let query = format!("scopes={}", utf8_percent_encode(SCOPE, NON_ALPHANUMERIC));
    let mut request = Request { query: query.into(), ..Request::get(PATH) };
    oauth::header(&mut request, "metadata-flavor", "Google")?;
    match network.fetch(http, request, None).await {
        // Most machines are none of Google's. Those of others may have a server of another kind there.
        Err(_) if !asked => Ok(None),
        Ok((404, _)) if !asked => Ok(None),
        Err(reason) => Err(format!("the metadata server: {reason}")),
        Ok((status, body)) => oauth::token("the metadata server", status, &body).map(Some),
    }
}
