//! Managed identities: the identity of a machine at Azure, or of what App Service runs [doc].

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

use super::source::Source;
use crate::auth::fetch::Network;
use crate::auth::oauth;
use crate::auth::token::Token;
use crate::wire::Request;

/// The token of a managed identity. `None` means that there is none.
pub(super) async fn ask(
    source: &Source,
    scope: &str,
    network: &Network,
) -> Result<Option<Token>, String> {
    match source {
        Source::AppService { http, header, client_id } => {
            let query = query("2019-08-01", scope, client_id.as_deref());
            let path = oauth::path_of(http);
            let mut request = Request { query: query.into(), ..Request::get(path) };
            oauth::header(&mut request, "x-identity-header", header.expose_secret())?;
            let (status, body) = network.fetch(http, request, None).await?;
            oauth::token("IDENTITY_ENDPOINT", status, &body).map(Some)
        }
        Source::Machine { http, client_id, asked } => {
            let query = query("2018-02-01", scope, client_id.as_deref());
            let path = "/metadata/identity/oauth2/token";
            let mut request = Request { query: query.into(), ..Request::get(path) };
            oauth::header(&mut request, "metadata", "true")?;
            match network.fetch(http, request, None).await {
                // Most machines are none of Azure's. Those of others may have a server of another
                // kind there.
                Err(_) if !asked => Ok(None),
                Ok((404, _)) if !asked => Ok(None),
                Err(reason) => Err(format!("the metadata server: {reason}")),
                Ok((status, body)) => oauth::token("the metadata server", status, &body).map(Some),
            }
        }
        _ => Ok(None),
    }
}

/// Managed identities have resources in the place of scopes.
fn query(version: &str, scope: &str, client_id: Option<&str>) -> String {
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let resource = utf8_percent_encode(resource, NON_ALPHANUMERIC);
    let mut query = format!("api-version={version}&resource={resource}");
    if let Some(id) = client_id {
        query.push_str("&client_id=");
        query.extend(utf8_percent_encode(id, NON_ALPHANUMERIC));
    }
    query
}
