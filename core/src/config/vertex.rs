//! Where Vertex is: a project and a location, of the entry or of the environment.

use super::environment::Environment;
use super::members::Members;
use super::region::is_well_formed;
use crate::error::Error;
use crate::provider::regions::vertex_url;

/// The variables that Google's SDKs read [sdk].
const PROJECT_ENV: &str = "GOOGLE_CLOUD_PROJECT";
const LOCATION_ENV: &str = "GOOGLE_CLOUD_LOCATION";

/// What follows the location in the older form of a base URL.
const PUBLISHER: &str = "/publishers/google";

/// Whether the environment says where it is.
pub(super) fn is_known(environment: &Environment) -> bool {
    let project = environment.some(PROJECT_ENV).is_some_and(|project| is_project(&project));
    let plain = |word: String| !word.is_empty() && word.bytes().all(is_plain);
    project && environment.some(LOCATION_ENV).is_some_and(plain)
}

/// The base URL, which ends with the location.
pub(super) fn url(members: &Members<'_>) -> Result<String, Error> {
    let location = location(members)?;
    if let (Some(url), None) = (&members.base_url, &members.project) {
        return Ok(without_publisher(url).to_owned());
    }
    let variable = |name: &str| members.environment.some(name);
    let Some(project) = members.project.clone().or_else(|| variable(PROJECT_ENV)) else {
        let reason = format!("is missing: the id of Google Cloud's project, or set {PROJECT_ENV}");
        return Err(members.wrong("project", reason));
    };
    if !is_project(&project) {
        return Err(members.wrong("project", "is not the id or the number of a project"));
    }
    let Some(location) = location.or_else(|| variable(LOCATION_ENV)) else {
        let reason = format!(
            "is missing: give the location, such as \"europe-west4\", \"eu\" or \"global\", or set \
             {LOCATION_ENV}"
        );
        return Err(members.wrong("location", reason));
    };
    if !is_well_formed(members.row, &location) {
        return Err(members.wrong("location", "is not a location of Google's: europe-west4 is one"));
    }
    match &members.base_url {
        None => Ok(vertex_url(&project, &location)),
        Some(url) => beside(members, url, &project, &location),
    }
}

/// The location that the entry names. `region` is another word for it.
fn location(members: &Members<'_>) -> Result<Option<String>, Error> {
    match (&members.location, &members.region) {
        (Some(location), Some(region)) if location != region => {
            let reason = format!("is {region:?}, but location is {location:?}: give one of them");
            Err(members.wrong("region", reason))
        }
        (Some(location), _) => Ok(Some(location.clone())),
        (None, region) => Ok(region.clone()),
    }
}

/// The base URL of a server that is not Google's, or of its own, with a project beside it. The URL
/// ends with the version, or it names the same project.
fn beside(
    members: &Members<'_>,
    url: &str,
    project: &str,
    location: &str,
) -> Result<String, Error> {
    let url = without_publisher(url);
    let Some((_, own)) = url.split_once("/projects/") else {
        return Ok(format!("{url}/projects/{project}/locations/{location}"));
    };
    if own.split('/').next() == Some(project) {
        return Ok(url.to_owned());
    }
    Err(members.wrong("project", "is another one than that of base_url: give one of them"))
}

fn without_publisher(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix(PUBLISHER).unwrap_or(url)
}

/// Ids have letters, digits and `-`, and those of an organization's domain also `.` and `:`. Some are
/// written as numbers [doc].
fn is_project(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'.' | b':'))
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Environment};

    fn place(entry: &str, variables: &str) -> Result<(String, Option<String>), String> {
        let environment = Environment::parse(variables.as_bytes()).unwrap();
        let document = format!(r#"{{"providers":{{"vertex":{entry}}}}}"#);
        let config = Config::parse_in(document.as_bytes(), &environment);
        let config = config.map_err(|error| error.param.clone().unwrap_or_default())?;
        let provider = &config.providers[config.index("vertex").unwrap()];
        Ok((provider.http.base_url.to_string(), provider.region.as_deref().map(str::to_owned)))
    }

    #[test]
    fn project_and_location_make_the_base_url() {
        let found = place(r#"{"project":"p-1","location":"europe-west4"}"#, "{}").unwrap();
        let url =
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west4";
        assert_eq!(found, (url.to_owned(), Some("europe-west4".to_owned())));
        let variables = r#"{"GOOGLE_CLOUD_PROJECT":"p","GOOGLE_CLOUD_LOCATION":"global"}"#;
        let url = "https://aiplatform.googleapis.com/v1/projects/p/locations/global";
        let global = (url.to_owned(), Some("global".to_owned()));
        assert_eq!(place("{}", variables).unwrap(), global);
        let url = "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu";
        assert_eq!(place(r#"{"region":"eu"}"#, variables).unwrap().0, url);
        // The environment is enough for the built-in one.
        let environment = Environment::parse(variables.as_bytes()).unwrap();
        let config = Config::parse_in(b"{}", &environment).unwrap();
        let vertex = &config.providers[config.index("vertex").unwrap()];
        assert_eq!(vertex.http.base_url.to_string(), global.0);
        assert!(Config::parse(b"{}").unwrap().index("vertex").is_err());
    }

    #[test]
    fn a_base_url_counts_as_it_is() {
        let old = r#"{"base_url":"https://proxy.example/v1/projects/p/locations/us-east5/publishers/google/"}"#;
        // Not even the environment's location changes it.
        let found = place(old, r#"{"GOOGLE_CLOUD_LOCATION":"global"}"#).unwrap();
        let url = "https://proxy.example/v1/projects/p/locations/us-east5";
        assert_eq!(found, (url.to_owned(), Some("us-east5".to_owned())));
        let server = r#"{"base_url":"http://localhost:1/v1","project":"p","location":"us-east5"}"#;
        let url = "http://localhost:1/v1/projects/p/locations/us-east5";
        assert_eq!(place(server, "{}").unwrap().0, url);
    }

    #[test]
    fn what_is_missing_or_contradicts_is_named() {
        for (entry, param) in [
            ("{}", "project"),
            (r#"{"project":"p"}"#, "location"),
            (r#"{"project":"p/q","location":"eu"}"#, "project"),
            (r#"{"project":"p","location":"evil.example/"}"#, "location"),
            (r#"{"project":"p","location":"eu","region":"us"}"#, "region"),
            (
                r#"{"base_url":"https://x.example/v1/projects/p/locations/eu","region":"us"}"#,
                "region",
            ),
            (
                r#"{"base_url":"https://x.example/v1/projects/p/locations/eu","project":"q","location":"eu"}"#,
                "project",
            ),
            (
                r#"{"base_url":"https://us-east5-aiplatform.googleapis.com/v1","project":"p","location":"eu"}"#,
                "location",
            ),
        ] {
            assert_eq!(place(entry, "{}").unwrap_err(), format!("providers.vertex.{param}"));
        }
    }
}
