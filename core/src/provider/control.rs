//! Where the control planes of the two providers are that list their models away from their base
//! URL: Bedrock's has a host of its own, and that of Vertex another path.

use ::http::Uri;

use super::regions::is_amazon_region;
use super::registry::Row;

/// What a host of Bedrock's data plane begins with, and that of the same region's control plane
/// [sdk botocore 1.44].
const BEDROCK: [(&str, &str); 2] =
    [("bedrock-runtime.", "bedrock."), ("bedrock-runtime-fips.", "bedrock-fips.")];

/// What follows the region in hosts of AWS, those for IPv4 and those for both versions [sdk].
const AMAZON: [&str; 4] =
    ["amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn"];

impl Row {
    /// The environment variable that its SDK reads for the URL of its control plane; "" if there is
    /// none [sdk].
    #[must_use]
    pub fn control_url_env(&self) -> &'static str {
        if self.name == "bedrock" { "AWS_ENDPOINT_URL_BEDROCK" } else { "" }
    }

    /// Whether its models are listed by a control plane.
    #[must_use]
    pub fn has_control(&self) -> bool {
        matches!(self.name, "bedrock" | "vertex")
    }

    /// The URL of the control plane that belongs to a base URL. `None` if the base URL does not say
    /// it: a key goes to no host that nobody named.
    #[must_use]
    pub fn control_of(&self, base: &Uri) -> Option<String> {
        match self.name {
            "bedrock" => bedrock(base),
            "vertex" => vertex(base),
            _ => None,
        }
    }
}

/// A private network has another host for each plane, so that only AWS's public hosts say it.
fn bedrock(base: &Uri) -> Option<String> {
    let host = base.host()?.trim_end_matches('.').to_ascii_lowercase();
    let at_root = matches!(base.path(), "" | "/") && base.port_u16().is_none();
    if base.scheme_str() != Some("https") || !at_root {
        return None;
    }
    let (begin, rest) =
        BEDROCK.iter().find_map(|(data, control)| Some((control, host.strip_prefix(data)?)))?;
    let (region, suffix) = rest.split_once('.')?;
    let known = is_amazon_region(region) && AMAZON.contains(&suffix);
    known.then(|| format!("https://{begin}{rest}"))
}

/// The list belongs to no project, and only the version `v1beta1` has it
/// [sdk google-api-python-client 2.202, google-genai 3.4].
fn vertex(base: &Uri) -> Option<String> {
    let (before, _) = base.path().split_once("/projects/")?;
    let before = before
        .strip_suffix("/v1")
        .map_or_else(|| before.to_owned(), |front| format!("{front}/v1beta1"));
    Some(format!("{}://{}{before}", base.scheme_str()?, base.authority()?))
}

#[cfg(test)]
mod tests {
    use super::super::registry::row;

    #[test]
    fn a_base_url_of_the_providers_own_says_where_the_control_plane_is() {
        for (name, base, control) in [
            (
                "bedrock",
                "https://bedrock-runtime.eu-west-1.amazonaws.com",
                Some("https://bedrock.eu-west-1.amazonaws.com"),
            ),
            (
                "bedrock",
                "https://Bedrock-Runtime-FIPS.us-gov-west-1.amazonaws.com./",
                Some("https://bedrock-fips.us-gov-west-1.amazonaws.com"),
            ),
            (
                "bedrock",
                "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
                Some("https://bedrock.cn-north-1.amazonaws.com.cn"),
            ),
            (
                "bedrock",
                "https://bedrock-runtime-fips.us-east-1.api.aws",
                Some("https://bedrock-fips.us-east-1.api.aws"),
            ),
            ("bedrock", "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", None),
            ("bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com.evil.example", None),
            ("bedrock", "https://bedrock-runtime.evil.amazonaws.com", None),
            ("bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com:444", None),
            ("bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com/gate", None),
            ("bedrock", "http://bedrock-runtime.eu-west-1.amazonaws.com", None),
            ("bedrock", "https://proxy.example", None),
            (
                "vertex",
                "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu",
                Some("https://aiplatform.eu.rep.googleapis.com/v1beta1"),
            ),
            (
                "vertex",
                "http://localhost:1/x/projects/p/locations/eu",
                Some("http://localhost:1/x"),
            ),
            ("vertex", "https://proxy.example/v1", None),
            ("openai", "https://api.openai.com/v1", None),
        ] {
            let found = row(name).unwrap().control_of(&base.parse().unwrap());
            assert_eq!(found.as_deref(), control, "{base}");
        }
    }
}
