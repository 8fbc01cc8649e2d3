//! How a provider's control plane is reached, where its models are listed there.

use ::http::Uri;

use super::base_url::read_url;
use super::environment::Environment;
use super::surroundings::Surroundings;
use crate::codec::Fields;
use crate::error::Error;
use crate::http;
use crate::provider::Row;

/// The URL of the control plane: the entry's `control_url`, or that of the environment, or the one
/// that belongs to the base URL. `own_base` means that the entry has a base URL. The environment does
/// not say where the keys of such an entry go.
pub(super) fn read_url_of_control(
    row: &Row,
    fields: &mut Fields,
    environment: &Environment,
    base: &Uri,
    own_base: bool,
) -> Result<Option<Uri>, Error> {
    let (path, given) = (fields.at("control_url"), fields.string("control_url")?);
    if !row.has_control() {
        if given.is_none() {
            return Ok(None);
        }
        let message = format!(
            "{path} is a member of Bedrock's and Vertex's entries: the models of {} are listed at \
             its base_url",
            row.name
        );
        return Err(Error::invalid(path, message));
    }
    // What Bedrock's SDK reads [sdk botocore 1.44].
    let named = row.name == "bedrock" && !own_base;
    let of_environment = || environment.some("AWS_ENDPOINT_URL_BEDROCK").filter(|_| named);
    let text = given.or_else(of_environment).or_else(|| row.control_of(base));
    text.map(|text| read_url(&text, &path)).transpose()
}

/// How the control plane at this URL is reached: as the provider is.
pub(super) fn reached(
    url: Uri,
    provider: &http::Settings,
    own_proxy: bool,
    around: &Surroundings<'_>,
) -> http::Settings {
    let proxy = if own_proxy { provider.proxy.clone() } else { around.proxy_to(&url) };
    http::Settings { base_url: url, proxy, ..provider.clone() }
}
